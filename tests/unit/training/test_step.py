import mindspore as ms
import numpy as np
import pytest
from mindspore import Tensor

from src.config import RecipeOptions
from src.errors import Diverged, UserError
from src.tinynet import tinynet
from src.training.checkpoint import load_state, save_state, state_of
from src.training.recipe import SmoothedCrossEntropy, build_optimizer
from src.training.step import TrainStep

RATES = np.linspace(0.001, 0.003, 20, dtype=np.float32)


def build(loss_scale=1.0, ema_decay=0.9, amp_level="O0", **options):
    ms.set_seed(3)
    network = tinynet(0.2, 0.2, 0.3, num_classes=4, **({"dropout": 0.2, "drop_path": 0.2} | options))
    if amp_level != "O0":
        network = ms.amp.auto_mixed_precision(network, amp_level)
    recipe = RecipeOptions(loss_scale=loss_scale)
    return TrainStep(
        network,
        SmoothedCrossEntropy(4, 0.1),
        build_optimizer(network, recipe, RATES),
        loss_scale=loss_scale,
        ema_decay=ema_decay,
    )


def batch(index):
    rng = np.random.RandomState(index)
    return Tensor(rng.randn(8, 3, 40, 40).astype(np.float32)), Tensor(rng.randint(0, 4, 8).astype(np.int32))


def advance(step, *indices):
    return [float(step(*batch(index)).asnumpy()) for index in indices]


def snapshot(step):
    return {name: parameter.asnumpy().copy() for name, parameter in state_of(step).items()}


def assert_same(one, other, **tolerance):
    assert one.keys() == other.keys()
    for name in one:
        if tolerance:
            np.testing.assert_allclose(one[name], other[name], err_msg=name, **tolerance)
        else:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.fixture(scope="module")
def three_steps():
    step = build()
    return advance(step, 0, 1, 2), snapshot(step), step


def test_a_run_can_be_repeated_bit_for_bit(three_steps):
    step = build()
    assert advance(step, 0, 1, 2) == three_steps[0]
    assert_same(snapshot(step), three_steps[1])


def test_average_is_its_formula_over_all_weights():
    step = build(ema_decay=0.75)
    average = {p.name: p.asnumpy().astype(np.float64) for p in step.source}
    assert any("moving_mean" in name for name in average) and not any("calls" in name for name in average)
    for index in range(3):
        advance(step, index)
        for parameter in step.source:
            average[parameter.name] = 0.75 * average[parameter.name] + 0.25 * parameter.asnumpy()
    for parameter, own in zip(step.source, step.ema):
        assert own.name == "ema." + parameter.name
        np.testing.assert_allclose(own.asnumpy(), average[parameter.name], rtol=1e-4, atol=1e-6)


def test_the_average_does_not_touch_training(three_steps):
    step = build(ema_decay=0)
    assert not step.ema
    assert advance(step, 0, 1, 2) == three_steps[0]


def test_loss_scale_changes_nothing_in_float32(three_steps):
    step = build(loss_scale=1024)  # a power of two, so exact
    assert advance(step, 0, 1, 2) == three_steps[0]
    assert_same(snapshot(step), three_steps[1])


def test_pynative_mode_computes_the_same(three_steps):
    ms.set_context(mode=ms.PYNATIVE_MODE)
    try:
        step = build()
        losses = advance(step, 0)
    finally:
        ms.set_context(mode=ms.GRAPH_MODE)
    graph = build()
    assert losses == pytest.approx(advance(graph, 0), rel=1e-5)
    assert_same(snapshot(step), snapshot(graph), rtol=1e-3, atol=1e-5)


def test_half_precision_follows_full_precision(three_steps):
    step = build(amp_level="O2", loss_scale=1024)
    losses = advance(step, 0, 1, 2)
    np.testing.assert_allclose(losses, three_steps[0], rtol=0.05)
    assert len(step.ema) == len(three_steps[2].ema)
    assert all(p.dtype == ms.float32 for p in step.source)


def test_a_saved_state_goes_on_bit_for_bit(tmp_path):
    whole = build()
    advance(whole, 0, 1)
    save_state(whole, {"epoch": 1, "step": 2}, tmp_path / "a.ckpt", tmp_path / "b.ckpt")
    assert (tmp_path / "a.ckpt").read_bytes() == (tmp_path / "b.ckpt").read_bytes()
    losses = advance(whole, 2, 3)

    resumed = build()
    advance(resumed, 9)  # whatever was there before is replaced, counters of dropout included
    assert load_state(resumed, tmp_path / "a.ckpt") == {"epoch": 1, "step": 2}
    assert advance(resumed, 2, 3) == losses
    assert_same(snapshot(resumed), snapshot(whole))


def test_a_state_of_another_training_is_refused(tmp_path, three_steps):
    save_state(three_steps[2], {"epoch": 1, "step": 2}, tmp_path / "a.ckpt")
    three_steps[2].ema[0].set_data(Tensor(np.full(three_steps[2].ema[0].shape, np.nan, np.float32)))
    with pytest.raises(Diverged, match="ema.conv_stem.weight is not finite after step 3; .*a.ckpt was kept"):
        save_state(three_steps[2], {"epoch": 1, "step": 3}, tmp_path / "a.ckpt")
    save_state(build(ema_decay=0), {"epoch": 1, "step": 2}, tmp_path / "plain.ckpt")
    with pytest.raises(UserError, match="ema.conv_stem.weight is missing"):
        load_state(build(), tmp_path / "plain.ckpt")
    (tmp_path / "a.ckpt").write_bytes((tmp_path / "a.ckpt").read_bytes()[:-100])
    with pytest.raises(UserError, match="a.ckpt is damaged"):
        load_state(build(), tmp_path / "a.ckpt")
