"""One compiled step: gradients, accumulation, clipping, loss scale, average."""

import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor, ops
from support.small_training import RATES, advance, assert_same, batch, build, snapshot

from src.training.checkpoint import state_of
from src.training.loss_scale import FIRST_SCALE, GROWTH_STEPS, LossScale


@pytest.fixture(scope="module")
def states():
    """States of a step: the initial one, then one after each of three updates; filled by `three_steps`."""
    return []


@pytest.fixture(scope="module")
def three_steps(states):
    step, losses = build(), []
    states.append(snapshot(step))
    for index in range(3):
        losses += advance(step, index)
        states.append(snapshot(step))
    return losses, states[-1], step


def test_a_run_can_be_repeated_bit_for_bit(three_steps):
    step = build()
    assert advance(step, 0, 1, 2) == three_steps[0]
    assert_same(snapshot(step), three_steps[1])


def test_average_is_its_formula_over_all_weights(three_steps, states):
    names = [p.name for p in three_steps[2].source]
    average = {name: states[0][name].astype(np.float64) for name in names}
    assert any("moving_mean" in name for name in names) and not any("calls" in name for name in names)
    assert [p.name for p in three_steps[2].ema] == [f"ema.{name}" for name in names]
    for state in states[1:]:
        for name in names:
            average[name] = 0.9 * average[name] + 0.1 * state[name]
            np.testing.assert_allclose(state[f"ema.{name}"], average[name], rtol=1e-4, atol=1e-6)


def test_a_warmed_up_average_follows_fast_at_first():
    step = build(ema_decay=0.9, ema_warmup=True)
    weight, average = step.network.conv_stem.weight, next(p for p in step.ema if p.name == "ema.conv_stem.weight")
    expected = weight.asnumpy().astype(np.float64)
    for update in range(1, 4):
        advance(step, update)
        kept = min(0.9, (1 + update) / (10 + update))
        expected = kept * expected + (1 - kept) * weight.asnumpy()
        np.testing.assert_allclose(average.asnumpy(), expected, rtol=1e-4, atol=1e-6)


def test_the_average_does_not_touch_training(three_steps):
    step = build(ema_decay=0)
    assert not step.ema
    assert advance(step, 0, 1, 2) == three_steps[0]


@pytest.mark.parametrize("value", [1024, 0])
def test_a_loss_scale_changes_nothing_in_float32(three_steps, value):
    step = build(scale_loss=True, loss_scale=value)  # a power of two, so exact
    assert advance(step, 0, 1, 2) == three_steps[0]
    ours = {name: value for name, value in snapshot(step).items() if "loss_scale" not in name}
    assert_same(ours, three_steps[1])


def test_an_overflow_is_counted_and_changes_no_weight():
    step = build(scale_loss=True, ema_decay=0)
    advance(step, 0)
    before = snapshot(step)
    step.loss_scale.scale.set_data(Tensor(np.float32(np.inf)))
    (loss,) = advance(step, 1)
    assert np.isfinite(loss)
    assert step.loss_scale.overflows.asnumpy() == 1 and step.loss_scale.good_steps.asnumpy() == 0
    for name, value in snapshot(step).items():
        if "loss_scale" not in name and not name.endswith(("moving_mean", "moving_variance", "calls", "global_step")):
            np.testing.assert_array_equal(value, before[name], err_msg=name)
    step.loss_scale.scale.set_data(Tensor(np.float32(FIRST_SCALE)))
    advance(step, 2)
    assert step.optimizer.global_step.asnumpy() == 3
    assert (step.network.conv_stem.weight.asnumpy() != before["conv_stem.weight"]).any()


def test_the_scale_halves_on_overflow_and_doubles_after_many_good_steps():
    scale = LossScale(0)
    move = scale
    for finite, expected in [(True, FIRST_SCALE), (False, FIRST_SCALE / 2), (False, FIRST_SCALE / 4)]:
        move(Tensor(finite))
        assert scale.scale.asnumpy() == expected
    scale.good_steps.set_data(Tensor(GROWTH_STEPS - 1, ms.int32))
    move(Tensor(True))
    assert scale.scale.asnumpy() == FIRST_SCALE / 2 and scale.good_steps.asnumpy() == 0
    assert scale.overflows.asnumpy() == 2


def test_accumulated_batches_equal_one_of_their_size():
    whole, parts = build(drop=0, frozen=True), build(drop=0, frozen=True, accumulate=2)
    for index in range(3):
        images, labels = batch(index, 16)
        loss = float(whole(images, labels).asnumpy())
        first = float(parts.add(images[:8], labels[:8]).asnumpy())
        second = float(parts(images[8:], labels[8:]).asnumpy())
        assert (first + second) / 2 == pytest.approx(loss, abs=1e-5)
    assert_same(snapshot(whole), snapshot(parts), rtol=0, atol=1e-5)
    assert all(not total.asnumpy().any() for total in parts.sums)


def test_gradients_are_clipped_together():
    free, clipped = (
        build(drop=0, ema_decay=0, optimizer="sgd", momentum=0, weight_decay=0, clip_norm=c) for c in (0, 0.01)
    )
    changes = []
    for step in (free, clipped):
        before = {p.name: p.asnumpy().copy() for p in step.optimizer.parameters}
        advance(step, 0)
        changes.append(np.concatenate([(before[p.name] - p.asnumpy()).ravel() for p in step.optimizer.parameters]))
    norms = [np.linalg.norm(change) / RATES[0] for change in changes]
    assert norms[0] > 0.1 and norms[1] == pytest.approx(0.01, rel=0.03)
    direction = np.dot(*changes) / np.prod([np.linalg.norm(change) for change in changes])
    assert direction > 0.98  # what float32 keeps of such small changes


def test_mixed_batches_train_on_both_labels():
    step, plain = build(drop=0), build(drop=0)
    begin = snapshot(step)
    images, labels = batch(0)
    none = (Tensor(np.float32(1)), Tensor(np.zeros(4, np.int32)))
    assert float(step(images, labels, *none).asnumpy()) == float(plain(images, labels).asnumpy())
    assert_same(snapshot(step), snapshot(plain))

    def first_loss(step, *parts):
        for name, parameter in state_of(step).items():
            parameter.set_data(Tensor(begin[name]))
        return float(step(*parts).asnumpy())

    blended = images * 0.75 + ops.flip(images, (0,)) * 0.25
    expected = [first_loss(plain, blended, target) for target in (labels, ops.flip(labels, (0,)))]
    loss = first_loss(step, images, labels, Tensor(np.float32(0.75)), none[1])
    assert expected[0] != expected[1] and loss == pytest.approx(0.75 * expected[0] + 0.25 * expected[1], rel=1e-4)


def test_pynative_mode_computes_the_same(three_steps, states):
    ms.set_context(mode=ms.PYNATIVE_MODE)
    try:
        step = build()
        losses = advance(step, 0)
    finally:
        ms.set_context(mode=ms.GRAPH_MODE)
    assert losses == pytest.approx(three_steps[0][:1], rel=1e-5)
    assert_same(snapshot(step), states[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("level", ["O2", "O3"])
def test_half_precision_follows_full_precision(three_steps, level):
    step = build(amp_level=level)
    assert step.loss_scale.dynamic
    np.testing.assert_allclose(advance(step, 0, 1, 2), three_steps[0], rtol=0.05)
    assert len(step.ema) == len(three_steps[2].ema)
    assert all(p.dtype == ms.float32 for p in (*step.source, *step.ema))
    for name, value in snapshot(step).items():
        if name.endswith("moving_variance"):
            np.testing.assert_allclose(value, three_steps[1][name], rtol=0.05, atol=0.01)
