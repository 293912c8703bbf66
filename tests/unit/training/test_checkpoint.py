"""Checkpoints: written, kept for a generation, refused when damaged."""

import numpy as np
import pytest
from mindspore import Tensor
from support.small_training import advance, assert_same, build, snapshot

from src.errors import Diverged, UserError
from src.training.checkpoint import load_state, newest_checkpoint, previous_generation, read_checkpoint, save_state
from src.weights.ckpt import save_ckpt


@pytest.fixture(scope="module")
def trained():
    """A training whose state is only saved: that needs no compiled step."""
    return build()


def resumed_from(path, **options):
    step = build(**options)
    load_state(step, read_checkpoint(path).tensors, path)
    return step


def test_a_saved_state_goes_on_bit_for_bit(tmp_path):
    whole = build()
    advance(whole, 0, 1)
    save_state(whole, {"step": 2}, tmp_path / "last.ckpt", tmp_path / "best.ckpt")
    assert (tmp_path / "last.ckpt").read_bytes() == (tmp_path / "best.ckpt").read_bytes()
    losses = advance(whole, *range(2, 22))  # past the launches at which CPU kernels try other splits

    resumed = build()
    advance(resumed, 9)  # whatever was there before is replaced, counters of dropout included
    _, tensors, meta = read_checkpoint(tmp_path / "last.ckpt")
    load_state(resumed, tensors, tmp_path / "last.ckpt")
    assert meta == {"step": 2}
    assert advance(resumed, *range(2, 22)) == losses
    assert_same(snapshot(resumed), snapshot(whole))


def test_the_loss_scale_is_part_of_the_state(tmp_path):
    step = build(scale_loss=True)
    step.loss_scale.scale.set_data(Tensor(np.float32(4096)))
    step.loss_scale.overflows.set_data(Tensor(np.int32(3)))
    save_state(step, {"step": 2}, tmp_path / "last.ckpt")
    scale = resumed_from(tmp_path / "last.ckpt", scale_loss=True).loss_scale
    assert scale.scale.asnumpy() == 4096 and scale.overflows.asnumpy() == 3


def test_the_previous_generation_is_kept_and_used_when_the_last_is_damaged(tmp_path, trained, caplog):
    last = tmp_path / "last.ckpt"
    assert newest_checkpoint(last) is None
    save_state(trained, {"step": 2}, last)
    assert not previous_generation(last).exists()
    save_state(trained, {"step": 3}, last)
    assert newest_checkpoint(last).meta == {"step": 3} and read_checkpoint(previous_generation(last)).meta == {
        "step": 2
    }
    damaged = bytearray(last.read_bytes())
    damaged[len(damaged) // 2] ^= 4
    last.write_bytes(damaged)
    path, _, meta = newest_checkpoint(last)
    assert path == previous_generation(last) and meta == {"step": 2}
    assert f"{last} is damaged" in caplog.text and str(path) in caplog.text
    last.unlink()  # between the two renames of a file system without links
    assert newest_checkpoint(last).meta == {"step": 2}
    path.write_bytes(b"")
    with pytest.raises(UserError, match="previous-last.ckpt is empty"):
        newest_checkpoint(last)


def test_a_state_of_another_training_is_refused(tmp_path, trained):
    save_state(build(ema_decay=0), {"step": 2}, tmp_path / "plain.ckpt")
    with pytest.raises(UserError, match="ema.conv_stem.weight is missing"):
        resumed_from(tmp_path / "plain.ckpt")
    save_ckpt({"conv_stem.weight": np.zeros(3, np.float32)}, tmp_path / "w.ckpt", {"model": "tinynet_c"})
    with pytest.raises(UserError, match="w.ckpt holds weights, but no state of a run"):
        read_checkpoint(tmp_path / "w.ckpt")
    with pytest.raises(UserError, match="there is no checkpoint .*nowhere.ckpt"):
        read_checkpoint(tmp_path / "nowhere.ckpt")


def test_a_state_that_is_not_finite_replaces_nothing(tmp_path):
    step = build()
    save_state(step, {"step": 2}, tmp_path / "last.ckpt")
    before = (tmp_path / "last.ckpt").read_bytes()
    step.ema[0].set_data(Tensor(np.full(step.ema[0].shape, np.nan, np.float32)))
    with pytest.raises(Diverged, match="ema.conv_stem.weight is not finite after step 3; .*last.ckpt was kept"):
        save_state(step, {"step": 3}, tmp_path / "last.ckpt")
    assert (tmp_path / "last.ckpt").read_bytes() == before and not previous_generation(tmp_path / "last.ckpt").exists()


def test_a_folder_that_is_gone_stops_the_training(tmp_path, trained):
    with pytest.raises(UserError, match="cannot write .*last.ckpt: its folder is gone"):
        save_state(trained, {"step": 2}, tmp_path / "gone" / "last.ckpt")
