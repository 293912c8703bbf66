"""The loop trains, evaluates, stops and resumes a task that it has never seen: fitting a line."""

import csv
import os
import signal

import numpy as np
import pytest
from mindspore import Tensor, nn

from src.config import TrainConfig
from src.errors import Diverged, UserError
from src.training.checkpoint import read_checkpoint
from src.training.run import build_run
from src.training.task import Metric, Task

BATCHES, SIZE = 4, 2  # of an epoch; images of a batch


class Squares(nn.Cell):
    """The mean square error of a network on numbers (N, 3) and targets (N, 1)."""

    def __init__(self, network):
        super().__init__(auto_prefix=False)
        self.network = network

    def construct(self, numbers, targets):
        return ((self.network(numbers) - targets) ** 2).mean()


class LineTask(Task):
    """Fit a line through random points. `stop_at` is a batch before which the process asks itself to stop."""

    name = "line"
    metric = Metric("fit", "fit", "points")
    fixed = ("slope",)
    slope, stop_at, broken_at = 1.5, None, None

    def __init__(self, config, origin):
        self.config, self.workers, self.train_images = config, 1, BATCHES * SIZE
        self.network = nn.Dense(3, 1, weight_init=Tensor(np.full((1, 3), 0.5, np.float32)))

    def with_loss(self, network):
        return Squares(network)

    def batches(self, epoch, skip, per_epoch):
        for index in range(skip, per_epoch):
            place = per_epoch * epoch + index
            if place == self.stop_at:
                os.kill(os.getpid(), signal.SIGTERM)
            numbers = np.random.RandomState(place).randn(SIZE, 3).astype(np.float32)
            targets = numbers.sum(1, keepdims=True) * self.slope
            yield Tensor(numbers), Tensor(targets * (np.nan if place == self.broken_at else 1))

    def evaluate(self, weights):
        error = np.abs(weights["weight"].asnumpy() - self.slope).max()
        return {"fit": float(100 - error)}

    def identity(self):
        return {"slope": self.slope}

    def describe(self):
        return {"network": "a line", "data": "random points"}


def task(**changes):
    return type("ChangedLineTask", (LineTask,), changes)


def train(folder, create_task=LineTask, **settings):
    settings = {"epochs": 3, "accumulate": 1, "log_interval": 1} | settings
    recipe = {"schedule": "constant", "warmup_epochs": 0, "lr": 0.02, "lr_batch": 0, "ema_decay": 0.5}
    config = TrainConfig(run_dir=folder, device_target="CPU", batch_size=SIZE, **recipe, **settings)
    build_run(config, create_task).fit()
    return read_checkpoint(folder / "checkpoints" / "last.ckpt")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of three epochs that nothing interrupts: its folder and its last checkpoint."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(folder)


def assert_same_state(found, expected):
    assert found.tensors.keys() == expected.tensors.keys()
    for name, value in expected.tensors.items():
        np.testing.assert_array_equal(found.tensors[name], value, err_msg=name)


def test_metrics_have_the_columns_of_the_task(whole):
    with open(whole[0] / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert {"raw_fit", "ema_fit"} < rows[0].keys() and "raw_top1" not in rows[0]


def test_the_metric_of_the_task_decides_what_is_best(whole):
    meta = whole[1].meta
    assert meta["best"] == max(row[f"{kind}_fit"] for row in meta["rows"] for kind in ("raw", "ema"))
    assert read_checkpoint(whole[0] / "checkpoints" / "best.ckpt").meta["fit"] == meta["best"]


def test_a_run_that_was_stopped_in_mid_epoch_ends_with_the_same_bits(whole, tmp_path):
    stopped = train(tmp_path / "run", task(stop_at=5))
    assert stopped.meta["step"] == 6 and len(stopped.meta["rows"]) == 1
    assert_same_state(train(tmp_path / "run", resume="auto"), whole[1])


def test_more_epochs_continue_a_finished_run(whole, tmp_path):
    train(tmp_path / "run", epochs=1)
    assert_same_state(train(tmp_path / "run", epochs=3, resume="auto"), whole[1])


def test_gradient_accumulation_takes_several_batches_a_step(tmp_path):
    assert train(tmp_path / "run", epochs=1, accumulate=2).meta["step"] == BATCHES // 2


def test_a_loss_that_is_not_a_number_ends_the_run_and_keeps_the_last_state(tmp_path):
    train(tmp_path / "run", epochs=1)
    with pytest.raises(Diverged, match=r"the loss is nan at step 6; .*last.ckpt was kept"):
        train(tmp_path / "run", task(broken_at=5), resume="auto")
    assert read_checkpoint(tmp_path / "run/checkpoints/last.ckpt").meta["step"] == BATCHES


def test_what_the_task_calls_fixed_must_not_change(whole):
    with pytest.raises(UserError, match=r"is of another run: slope was 1.5 and is 2.0 now"):
        train(whole[0], task(slope=2.0), resume="auto", allow_changes=True)


def test_a_run_is_not_resumed_as_another_task(whole):
    with pytest.raises(UserError, match=r"is of another run: task was line and is other now"):
        train(whole[0], task(name="other"), resume="auto", allow_changes=True)


def test_a_finished_run_is_not_trained_again(whole, caplog):
    with caplog.at_level("INFO", "src"):
        train(whole[0], resume="auto")
    assert "all 3 epochs are done (best fit" in caplog.text
