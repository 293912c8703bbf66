from hypothesis import given
from hypothesis import strategies as st

from src.classification.task import ClassificationTask
from src.training.progress import epoch_line
from src.training.state import EpochSums

LOSSES = st.lists(st.floats(0, 1e4, width=32), max_size=30)


@given(LOSSES, st.integers(0, 30))
def test_the_sum_does_not_depend_on_where_it_was_interrupted(losses: list[float], cut: int) -> None:
    whole, parts = EpochSums(), EpochSums()
    whole.add_losses(losses)
    parts.add_losses(losses[:cut])
    parts.add_losses(losses[cut:])
    assert (parts.loss, parts.batches) == (whole.loss, len(losses))


def test_pace_and_shares_are_of_the_timed_seconds_alone() -> None:
    sums = EpochSums(seconds=6.0, waited=1.5, timed=3)
    assert sums.seconds_per_step == 2.0
    assert sums.share(sums.waited) == 0.25
    untimed = EpochSums()
    assert 0 < untimed.seconds_per_step < 1e-6
    assert untimed.share(0.0) == 0


def test_the_line_of_an_epoch_tells_what_was_evaluated_and_the_time_left() -> None:
    row = {"epoch": 3, "train_loss": 1.23456, "ema_top1": 71.5, "images_per_second": 99.6, "data_wait": 0.04}
    line = epoch_line(row | {"seconds": 60.0}, epochs=5, metric=ClassificationTask.metric)
    assert line == "epoch 3/5, loss 1.235, ema top-1 71.50 %, 100 img/s, data wait 4%, 2 min 0 s left"
