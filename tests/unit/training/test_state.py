"""The progress of a run: sums of an epoch, the best result, and what a checkpoint restores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.config import TrainConfig
from src.training.run_plan import RunPlan
from src.training.state import EpochSums, RunState
from src.training.task import Metric

TOP1 = Metric("top1", "top-1", "%")
LOSSES = st.lists(st.floats(0, 1e4, width=32), max_size=30)


def plan(steps=10, global_batch=32, epochs=3):
    return RunPlan(epochs, steps, 1, global_batch, 5, np.zeros(epochs * steps, np.float32))


def meta_of(state, steps=10, images=32):
    return state.to_meta() | {"steps": steps, "images": images}


@given(LOSSES, st.integers(0, 30))
def test_the_sum_does_not_depend_on_where_it_was_interrupted(losses, cut):
    whole, parts = EpochSums(), EpochSums()
    whole.add_losses(losses)
    parts.add_losses(losses[:cut])
    parts.add_losses(losses[cut:])
    assert (parts.loss, parts.batches) == (whole.loss, len(losses))


def test_pace_and_shares_refer_to_the_timed_seconds():
    sums = EpochSums(seconds=6.0, waited=1.5, timed=3)
    assert sums.seconds_per_step == 2.0
    assert sums.share(sums.waited) == 0.25


def test_a_step_has_no_time_before_one_was_timed():
    assert EpochSums(seconds=0.001, batches=1).seconds_per_step is None


def test_the_higher_score_is_the_better_one_and_the_average_wins_a_tie():
    state = RunState("raw")
    assert state.end_epoch({"raw_top1": 50.0, "ema_top1": 50.0}, TOP1)
    assert (state.better, state.best, state.epoch) == ("ema", 50.0, 1)
    assert not state.end_epoch({"raw_top1": 40.0, "ema_top1": 30.0}, TOP1)
    assert (state.better, state.best, state.epoch) == ("raw", 50.0, 2)


def test_an_epoch_without_evaluation_changes_neither_best_nor_better():
    state = RunState("ema", best=50.0)
    assert not state.end_epoch({"train_loss": 1.0}, TOP1)
    assert (state.better, state.best, state.epoch) == ("ema", 50.0, 1)


def test_an_epoch_starts_with_empty_sums():
    state = RunState("raw", sums=EpochSums(loss=3.0, batches=2))
    state.end_epoch({}, TOP1)
    assert state.sums == EpochSums()


def test_the_metric_of_the_task_decides():
    state = RunState("raw")
    state.end_epoch({"raw_top1": 90.0, "raw_ap": 20.0, "ema_top1": 10.0, "ema_ap": 30.0}, Metric("ap", "AP", "%"))
    assert (state.better, state.best) == ("ema", 30.0)


def test_a_checkpoint_restores_the_progress():
    state = RunState("ema", 75.0, 14, [{"epoch": 1}], EpochSums(8.0, 4, 2.0, 0.5, 4))
    assert RunState.from_meta(meta_of(state), plan()) == state


@pytest.mark.parametrize("steps, global_batch, expected", [(20, 16, 20 + 8), (5, 64, 5 + 2), (2, 160, 2 + 0)])
def test_another_global_batch_resumes_after_as_many_images(steps, global_batch, expected):
    state = RunState("ema", 75.0, 14, [{"epoch": 1}])  # 4 steps of 32 images into the second epoch
    assert RunState.from_meta(meta_of(state), plan(steps, global_batch)).step == expected


def test_a_plan_divides_the_images_over_ranks_and_accumulated_batches():
    config = TrainConfig(batch_size=8, accumulate=2, epochs=3, warmup_epochs=0)
    divided = RunPlan.of(config, images=1000, ranks=3)
    assert (divided.global_batch, divided.steps_per_epoch, divided.steps) == (48, 20, 60)
    assert divided.learning_rates.shape == (60,)


@pytest.mark.parametrize("images, interval", [(8, 1), (800, 5), (80_000, 50)])
def test_the_log_interval_is_a_twentieth_of_an_epoch_but_at_most_50_steps(images, interval):
    config = TrainConfig(batch_size=8, epochs=1, warmup_epochs=0)
    assert RunPlan.of(config, images, ranks=1).log_interval == interval
