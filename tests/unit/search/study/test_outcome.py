"""The outcome of a trial follows from its exit status and its metrics."""

import pytest

from src.search.study.outcome import Outcome, is_disk_full, is_mistake, judge
from src.search.study.process import Ended


def ended(code, said="", lost=""):
    return Ended(1, code, 1.0, said, lost=lost)


@pytest.mark.parametrize(
    "end, status, reason",
    [
        (ended(3, "the loss is nan at step 7"), "diverged", "the loss is nan at step 7"),
        (ended(-9), "out of memory", "killed, as the system does when memory is short"),
        (ended(1, "MemoryError"), "out of memory", "MemoryError"),
        (ended(-6, "  what():  std::bad_alloc"), "out of memory", "killed, as the system does when memory is short"),
        (ended(2, "unknown key"), "failed", "status 2: unknown key"),
        (ended(1), "failed", "status 1: it printed nothing"),
        (ended(-11, "Segmentation fault"), "failed", "signal 11: Segmentation fault"),
        (ended(1, lost="the machine was switched off"), "failed", "the machine was switched off"),
    ],
)
def test_a_training_that_did_not_end_well(end, status, reason, tmp_path):
    assert judge(end, tmp_path, 1) == Outcome(status, reason=reason)


@pytest.mark.parametrize(
    "metrics, outcome",
    [
        ("epoch,raw_top1,raw_loss\n1,30,2\n2,40,1.5\n", Outcome("done", 40.0, 1.5)),
        ("epoch,raw_top1,raw_loss,ema_top1,ema_loss\n2,40,1.5,45,1.25\n", Outcome("done", 45.0, 1.25)),
        ("epoch,raw_top1,raw_loss,ema_top1,ema_loss\n2,40,1.5,,\n", Outcome("done", 40.0, 1.5)),
        ("epoch,raw_top1,raw_loss\n2,9,nan\n", Outcome("diverged", reason="the loss on the validation images is nan")),
        ("epoch,raw_top1,raw_loss\n1,30,2\n", Outcome("failed", reason="it ended after epoch 1 of 2")),
        ("epoch,raw_top1,raw_loss\n", Outcome("failed", reason="it ended after epoch 0 of 2")),
    ],
)
def test_the_last_epoch_counts(metrics, outcome, tmp_path):
    (tmp_path / "metrics.csv").write_text(metrics)
    assert judge(ended(0), tmp_path, 2) == outcome


@pytest.mark.parametrize("metrics", [None, "epoch,raw_top1\n2,40\n", "epoch,raw_top1,raw_loss\n2,x,1\n", "\0\n"])
def test_metrics_that_cannot_be_used_are_a_failure(metrics, tmp_path):
    if metrics is not None:
        (tmp_path / "metrics.csv").write_text(metrics)
    assert judge(ended(0), tmp_path, 2).status == "failed"


@pytest.mark.parametrize("reason", ["No space left on device", "File too large", "Disk quota exceeded"])
def test_a_full_disk_is_known_by_the_words_of_the_system(reason):
    assert is_disk_full(ended(2, f"cannot write last.ckpt: {reason}"))
    assert not is_disk_full(ended(0, reason)) and not is_disk_full(ended(2, "cannot read x"))


def test_status_2_is_a_mistake_of_the_user():
    assert is_mistake(ended(2)) and not is_mistake(ended(1)) and not is_mistake(ended(2, lost="gone"))
