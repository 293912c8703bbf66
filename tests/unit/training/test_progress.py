"""The lines of a training's log."""

from pathlib import Path

import numpy as np

from src.config import TrainConfig
from src.training.progress import Snapshot, epoch_line, header, interval_line
from src.training.run_plan import RunPlan
from src.training.state import EpochSums, RunState
from src.training.task import Metric

TOP1 = Metric("top1", "top-1", "%")
PLAN = RunPlan(
    epochs=5,
    steps_per_epoch=20,
    accumulate=1,
    global_batch=64,
    log_interval=5,
    learning_rates=np.linspace(0.1, 0.001, 100, dtype=np.float32),
)


def snapshot(timed=10, ranks=1, loss_scale=None):
    """A run after step 30, ten steps into its second epoch."""
    state = RunState("ema", step=30, rows=[{"epoch": 1}], sums=EpochSums(4.0, 10, 5.0, 0.5, timed))
    slowest = np.linspace(0.5, 0.75, ranks)
    return Snapshot(PLAN, state, loss=1.25, slowest=slowest, waited=0.5, loss_scale=loss_scale)


def test_a_line_has_step_loss_rate_speed_and_the_time_left():
    line = interval_line(snapshot())
    assert line == "epoch 2/5 step 10/20, loss 1.250, lr 7.10e-02, 128 img/s, data wait 10%, 35 s left"


def test_a_line_has_no_speed_before_a_step_was_timed():
    assert interval_line(snapshot(timed=0)) == "epoch 2/5 step 10/20, loss 1.250, lr 7.10e-02"


def test_a_line_names_the_slowest_of_several_ranks():
    assert "slowest step 0.75 s on rank 2" in interval_line(snapshot(ranks=3))


def test_a_line_shows_the_loss_scale():
    assert "loss scale 65536 (3 overflows)" in interval_line(snapshot(loss_scale=(65536.0, 3)))


def test_the_line_of_an_epoch_has_its_scores_and_the_time_left():
    row = {"epoch": 3, "train_loss": 1.23456, "ema_top1": 71.5, "images_per_second": 99.6, "data_wait": 0.04}
    line = epoch_line(row | {"seconds": 60.0}, 5, TOP1)
    assert line == "epoch 3/5, loss 1.235, ema top-1 71.50 %, 100 img/s, data wait 4%, 2 min 0 s left"


def test_an_epoch_without_timed_steps_has_no_speed():
    row = {"epoch": 3, "train_loss": 1.23456, "ema_top1": 71.5}
    assert epoch_line(row, 5, TOP1) == "epoch 3/5, loss 1.235, ema top-1 71.50 %"


def test_the_header_describes_the_run_in_aligned_lines():
    task = {"network": "tinynet_e, 106 px", "data": "digits"}
    config = TrainConfig(batch_size=32, accumulate=2, epochs=5, amp_level="O2")
    lines = header(config, task, PLAN, "CPU (2 cores)", 2, Path("runs/a"), resumed_after=7).splitlines()
    assert lines == [
        "  network  tinynet_e, 106 px",
        "     data  digits",
        "    batch  64 images = 32 images x 2 accumulated",
        " training  5 epochs x 20 steps, rmsprop, seed 1",
        "     rate  0.003 after 3 epochs, then x 0.97 every 2.4",
        "   device  CPU (2 cores), precision O2 float16, 2 data workers",
        "      run  runs/a, resumed after step 7",
    ]
