"""mixup and CutMix."""

import mindspore as ms
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mindspore import Tensor

from src.classification.loss import SmoothedCrossEntropy
from src.classification.mixing import Mixing, draw
from src.config import MixOptions

SIDE = 10
IMAGES = np.random.RandomState(0).randn(6, 3, SIDE, SIDE).astype(np.float32)
LABELS = np.array([0, 1, 2, 3, 4, 0], np.int32)
MIXING = Mixing()


def mixed(mix):
    """IMAGES and the partners' labels after the mix, computed in graph mode."""
    images, partners = MIXING(Tensor(IMAGES), Tensor(LABELS), Tensor(mix.lam), Tensor(mix.box))
    return images.asnumpy(), partners.asnumpy()


def draws(count=300, size=SIDE, **options):
    return [draw(MixOptions(**options), seed=1, step=step, rank=0, size=size) for step in range(count)]


def area(mix):
    return (mix.box[1] - mix.box[0]) * (mix.box[3] - mix.box[2])


def test_mixup_is_a_weighted_sum_with_the_mirrored_batch():
    for mix in draws(5, mixup=0.4):
        images, partners = mixed(mix)
        assert 0 < mix.lam < 1 and area(mix) == 0
        np.testing.assert_allclose(images, mix.lam * IMAGES + (1 - mix.lam) * IMAGES[::-1], rtol=1e-5, atol=1e-6)
        assert partners.tolist() == LABELS[::-1].tolist()


def test_cutmix_pastes_one_box_of_the_partner_and_lam_is_what_is_left():
    found = draws(30, cutmix=1.0)
    assert sum(0 < area(mix) < SIDE**2 for mix in found) > 10
    for mix in found:
        y0, y1, x0, x1 = mix.box
        expected = IMAGES.copy()
        expected[:, :, y0:y1, x0:x1] = IMAGES[::-1, :, y0:y1, x0:x1]
        np.testing.assert_array_equal(mixed(mix)[0], expected)
        assert mix.lam == np.float32(1 - area(mix) / SIDE**2)


def test_what_is_off_changes_nothing():
    for mix in draws(3) + draws(3, mixup=0.2, cutmix=1.0, mix_prob=0):
        assert mix.lam == 1
        np.testing.assert_array_equal(mixed(mix)[0], IMAGES)


def test_probabilities_are_as_stated():
    found = draws(2000, size=64, mixup=0.8, cutmix=1.0, mix_prob=0.5, mix_switch_prob=0.25)
    assert np.mean([mix.lam == 1 for mix in found]) == pytest.approx(0.5, abs=0.04)
    assert np.mean([area(mix) > 0 for mix in found]) == pytest.approx(0.125, abs=0.03)
    assert np.mean([mix.lam for mix in draws(2000, mixup=0.8)]) == pytest.approx(0.5, abs=0.03)
    assert np.var([mix.lam for mix in draws(2000, mixup=0.8)]) == pytest.approx(1 / (4 * 2.6), rel=0.1)


@given(
    st.floats(0, 5), st.floats(0, 5), st.integers(0, 2**32 - 1), st.integers(0, 2**31), st.integers(0, 9999),
    st.integers(1, 500),
)  # fmt: skip
def test_a_draw_is_a_function_of_its_arguments_and_within_range(mixup, cutmix, seed, step, rank, size):
    one, other = (
        draw(MixOptions(mixup=mixup, cutmix=cutmix), seed=seed, step=step, rank=rank, size=size) for _ in range(2)
    )
    assert one.lam == other.lam and (one.box == other.box).all()
    assert one.lam.shape == () and one.lam.dtype == np.float32 and 0 <= one.lam <= 1
    assert one.box.shape == (4,) and one.box.dtype == np.int32
    assert 0 <= one.box[0] <= one.box[1] <= size and 0 <= one.box[2] <= one.box[3] <= size


def test_seed_step_and_rank_each_matter():
    options = MixOptions(mixup=1.0)
    places = [(1, 2, 3), (9, 2, 3), (1, 9, 3), (1, 2, 9), (2, 1, 3)]
    assert len({float(draw(options, seed=s, step=t, rank=r, size=8).lam) for s, t, r in places}) == len(places)


def test_the_loss_of_a_mix_is_the_mix_of_losses_and_its_target_sums_to_one():
    loss, logits = SmoothedCrossEntropy(5, 0.1), Tensor(np.random.RandomState(1).randn(6, 5).astype(np.float32))
    own, partners, lam = Tensor(LABELS), Tensor(LABELS[::-1].copy()), Tensor(np.float32(0.3))
    np.testing.assert_allclose(loss.target(own, partners, lam).asnumpy().sum(1), 1, rtol=1e-6)
    expected = 0.3 * loss(logits, own).asnumpy() + 0.7 * loss(logits, partners).asnumpy()
    assert loss(logits, own, partners, lam).asnumpy() == pytest.approx(expected, rel=1e-5)


def test_a_larger_graph_computes_the_same():
    @ms.jit
    def step(images, labels, lam, box):
        return MIXING(images, labels, lam, box)

    for mix in draws(4, mixup=0.2, cutmix=1.0):
        images, _ = step(Tensor(IMAGES), Tensor(LABELS), Tensor(mix.lam), Tensor(mix.box))
        np.testing.assert_array_equal(images.asnumpy(), mixed(mix)[0])
