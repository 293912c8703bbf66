"""The learning-rate schedule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from src.config import RecipeOptions
from src.errors import UserError
from src.training.schedule import learning_rates, peak_rate, schedule_line


def test_paper_schedule():
    rates = learning_rates(RecipeOptions(epochs=10), 1251, 1024)
    assert len(rates) == 10 * 1251 and rates.dtype == np.float32
    assert rates[0] == np.float32(1e-6)
    np.testing.assert_allclose(rates[int(1.5 * 1251)], 0.024, rtol=1e-3)  # half-way through the warm-up
    for epoch, decays in [(3.0, 1), (4.79, 1), (4.81, 2), (7.19, 2), (7.21, 3), (9.99, 4)]:
        np.testing.assert_allclose(rates[round(epoch * 1251)], 0.048 * 0.97**decays, rtol=1e-6)
    warm = rates[: 3 * 1251]
    assert (np.diff(warm) > 0).all() and (np.diff(rates[3 * 1251 :]) <= 0).all()


def test_the_papers_rates_keep_their_bits():
    epoch = np.arange(450 * 7) / 7
    warm, decayed = 1e-6 + (0.012 - 1e-6) * epoch / 3, 0.012 * 0.97 ** np.floor(epoch / 2.4)
    expected = np.where(epoch < 3, warm, decayed).astype(np.float32)
    np.testing.assert_array_equal(learning_rates(RecipeOptions(), 7, 256), expected)


@given(
    st.sampled_from(["step", "cosine", "constant"]), st.integers(1, 30), st.integers(1, 40), st.floats(0, 1), st.data()
)
def test_schedules(schedule, epochs, steps, warm_share, data):
    warmup = warm_share * epochs
    min_lr = data.draw(st.floats(0, 0.1))
    recipe = RecipeOptions(epochs=epochs, warmup_epochs=warmup, schedule=schedule, lr=0.1, lr_batch=0, min_lr=min_lr)
    rates = learning_rates(recipe, steps, 8).astype(float)
    epoch = np.arange(epochs * steps) / steps
    warm, after = rates[epoch < warmup], rates[epoch >= warmup]
    assert len(rates) == epochs * steps and (rates >= 0).all() and (rates <= np.float32(0.1)).all()
    np.testing.assert_allclose(warm, 1e-6 + (0.1 - 1e-6) * epoch[: len(warm)] / (warmup or 1), rtol=1e-6)
    assert (np.diff(after) <= 0).all()
    if schedule == "constant":
        assert (after == np.float32(0.1)).all()
    if schedule == "cosine" and epoch[-1] > warmup:
        assert after[-1] == pytest.approx(min_lr, abs=1e-8)
        half = (epoch[-1] + warmup) / 2
        assert (after[epoch[-len(after) :] < half] >= np.float32((0.1 + min_lr) / 2) - 1e-8).all()


def test_a_schedule_that_cannot_be_is_refused():
    with pytest.raises(ValidationError, match="warm-up takes 5 epochs, the whole run 4"):
        RecipeOptions(epochs=4, warmup_epochs=5)
    with pytest.raises(UserError, match="min_lr is 0.01, above the peak learning rate 0.006"):
        learning_rates(RecipeOptions(schedule="cosine", min_lr=0.01), 10, 128)


def test_a_schedule_in_words():
    assert schedule_line(RecipeOptions(), 128) == "0.006 after 3 epochs, then x 0.97 every 2.4"
    assert schedule_line(RecipeOptions(schedule="cosine"), 1024) == "0.048 after 3 epochs, then a cosine to 1e-06"
    assert schedule_line(RecipeOptions(schedule="constant"), 1024).endswith("then constant")


def test_rate_follows_the_batch_linearly_unless_told_not_to():
    assert peak_rate(RecipeOptions(), 1024) == 0.048
    assert peak_rate(RecipeOptions(), 128) == pytest.approx(0.006)
    assert peak_rate(RecipeOptions(lr_batch=0), 128) == 0.048
    np.testing.assert_allclose(learning_rates(RecipeOptions(epochs=1, warmup_epochs=0), 4, 256), 0.012)


def test_nothing_to_look_ahead_by():
    with pytest.raises(ValidationError, match="needs a momentum above 0"):
        RecipeOptions(optimizer="sgd", momentum=0, nesterov=True)
