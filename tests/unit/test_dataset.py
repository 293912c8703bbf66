"""Batches for training and evaluation: every image in its turn, the same bits for the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.project import photograph

from src.config import AugmentOptions
from src.dataset import epoch_order, eval_dataset, train_dataset
from src.errors import UserError
from src.images.data_path import open_split
from src.images.preprocess import Preprocess
from src.runtime.workers import usable_cores

RULE = Preprocess(32)


def batches(folder, epoch=0, seed=1, workers=1, augment=AugmentOptions(), batch_size=4, **options):
    data = train_dataset(folder, RULE, augment, batch_size, epoch=epoch, seed=seed, workers=workers, **options)
    return [tuple(batch) for batch in data.create_tuple_iterator(num_epochs=1, output_numpy=True)]


def equal(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for x, y in zip(one, other) for a, b in zip(x, y))


def test_training_batches_have_the_shapes_and_types_of_the_network(image_folder):
    folder = open_split(image_folder, "train")
    result = batches(folder, batch_size=5)
    assert len(result) == 2  # 12 images: the last two wait for another epoch
    for images, labels in result:
        assert images.shape == (5, 3, 32, 32) and images.dtype == np.float32
        assert labels.shape == (5,) and labels.dtype == np.int32 and set(labels) <= {0, 1}


def test_an_epoch_is_a_function_of_seed_epoch_and_workers(image_folder):
    folder = open_split(image_folder, "train")
    for workers in (1, usable_cores()):
        assert equal(batches(folder, workers=workers), batches(folder, workers=workers))
    assert not equal(batches(folder), batches(folder, epoch=1))
    assert not equal(batches(folder), batches(folder, seed=2))


def test_every_image_is_seen_once_an_epoch_in_another_order(image_folder):
    folder = open_split(image_folder, "train")
    orders = [np.concatenate([labels for _, labels in batches(folder, epoch=epoch)]) for epoch in range(3)]
    assert all(np.bincount(order).tolist() == [6, 6] for order in orders)
    assert len({order.tobytes() for order in orders}) > 1


@given(st.data(), st.integers(1, 9), st.integers(1, 5), st.integers(0, 2**32 - 1), st.integers(0, 999))
def test_ranks_share_out_what_one_process_would_see(data, batch, ranks, seed, epoch):
    images = data.draw(st.integers(ranks * batch, 400))
    alone = epoch_order(images, ranks * batch, epoch=epoch, seed=seed)
    shards = [epoch_order(images, batch, epoch=epoch, seed=seed, rank=rank, ranks=ranks) for rank in range(ranks)]
    np.testing.assert_array_equal(np.hstack([shard.reshape(-1, batch) for shard in shards]).ravel(), alone)
    assert len(set(alone)) == len(alone) == images // (ranks * batch) * ranks * batch
    assert set(alone) <= set(range(images))


def test_no_image_is_left_out_for_good():
    assert set(np.concatenate([epoch_order(11, 4, epoch=epoch, seed=0) for epoch in range(20)])) == set(range(11))


def test_ranks_augment_differently(image_folder):
    still = AugmentOptions(crop_scale=(1, 1), crop_ratio=(0.5, 2), hflip=0)
    for path in image_folder.glob("train/*/*.jpg"):  # one and the same picture: only augmentation tells images apart
        photograph(64, 64).save(path)
    folder = open_split(image_folder, "train")
    shards = [batches(folder, augment=still, batch_size=3, rank=rank, ranks=2) for rank in range(2)]
    assert len({image.tobytes() for shard in shards for images, _ in shard for image in images}) == 12


@pytest.mark.parametrize("workers", range(1, usable_cores() + 1))
@pytest.mark.parametrize("rank", [0, 1])
def test_an_epoch_is_resumed_in_its_middle_to_the_bit(image_folder, workers, rank):
    folder = open_split(image_folder, "train")
    options = {"workers": workers, "rank": rank, "ranks": 2, "batch_size": 1, "epoch": 3}
    whole = batches(folder, **options)
    assert len(whole) == 6
    for skip in (1, 3, 5):
        assert equal(batches(folder, skip=skip, **options), whole[skip:])
    assert batches(folder, skip=6, **options) == []


def test_without_augmentation_training_sees_the_whole_image(image_folder):
    for path in image_folder.glob("train/*/*.jpg"):
        photograph(64, 64, seed=len(path.name)).save(path.with_suffix(".png"))
        path.unlink()
    folder = open_split(image_folder, "train")
    expected = Preprocess(32, 1.0).normalize(Preprocess(32, 1.0).pixels(folder.files[0]))
    error = {}
    for antialias in (True, False):
        options = {"crop_scale": (1, 1), "crop_ratio": (1, 1), "hflip": 0, "color_jitter": 0, "antialias": antialias}
        (images, _), *_ = batches(folder, augment=AugmentOptions(**options))
        error[antialias] = np.abs(images[0] - expected).mean()
    # close to Pillow, not equal: a few grey levels of 255, more where the filter lets noise alias
    assert error[True] < 0.1 < error[False] < 0.5


def test_flips_and_jitter_do_what_their_options_say(image_folder):
    folder = open_split(image_folder, "train")
    still = {"crop_scale": (1, 1), "crop_ratio": (0.5, 2), "color_jitter": 0}
    plain = batches(folder, augment=AugmentOptions(hflip=0, **still))
    flipped = batches(folder, augment=AugmentOptions(hflip=1, **still))
    np.testing.assert_array_equal(plain[0][0], flipped[0][0][..., ::-1])
    jittered = batches(folder, augment=AugmentOptions(hflip=0, **still | {"color_jitter": 0.4}))
    assert not np.array_equal(plain[0][0], jittered[0][0])


@pytest.mark.parametrize("batch_size", [1, 2, 4, 6, 100])
def test_evaluation_drops_and_repeats_nothing(image_folder, batch_size):
    folder = open_split(image_folder, "val")
    data = eval_dataset(folder.files, RULE, batch_size, workers=usable_cores())
    images = np.concatenate([batch for (batch,) in data.create_tuple_iterator(num_epochs=1, output_numpy=True)])
    expected = np.stack([RULE.normalize(RULE.pixels(path)) for path in folder.files])
    np.testing.assert_allclose(images, expected, atol=1e-5)


def test_16_bit_gray_is_trained_and_scored_like_8_bit(image_folder, tmp_path):
    for path in image_folder.glob("*/*/*.jpg"):
        gray = np.asarray(Image.open(path).convert("L"))
        for bits, values in (("8", gray), ("16", gray.astype(np.uint16) * 257)):
            target = tmp_path / bits / path.relative_to(image_folder).with_suffix(".png")
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(target)
    training = [batches(open_split(tmp_path / bits, "train")) for bits in ("8", "16")]
    assert equal(*training) and len(training[0]) == 3
    for one, other in zip(*(open_split(tmp_path / bits, "val").files for bits in ("8", "16"))):
        np.testing.assert_array_equal(RULE.pixels(one), RULE.pixels(other))


def test_odd_file_names_are_read(image_folder):
    photograph(40, 30).save(image_folder / "train" / "cat" / "ö 'x' $y.png")
    folder = open_split(image_folder, "train")
    assert len(batches(folder, batch_size=13)) == 1


def test_fewer_images_than_a_batch(image_folder):
    with pytest.raises(UserError, match="batch_size is 13, but .*train holds 12 images"):
        batches(open_split(image_folder, "train"), batch_size=13)


def test_fewer_images_than_a_step_of_all_ranks(image_folder):
    with pytest.raises(UserError, match="batch_size is 4 on each of 4 devices, but .*train holds 12 images"):
        batches(open_split(image_folder, "train"), ranks=4)
