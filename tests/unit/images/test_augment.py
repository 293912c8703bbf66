"""Training augmentation: repeatable, with timm's operations, ranges and rectangles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance, ImageOps
from support.project import photograph

from src.config import AugmentOptions
from src.dataset import train_dataset
from src.images.augment import ERASED_AREA, RAND_OPERATIONS, erase, erased_boxes
from src.images.data_path import open_split
from src.images.preprocess import Preprocess
from src.runtime.workers import usable_cores

SIZE = 48
RULE = Preprocess(SIZE)
FILL = (124, 116, 104)
KINDS = {
    "randaugment": {"randaugment": 9},
    "autoaugment": {"autoaugment": True},
    "erasing": {"random_erasing": 1},
    "noise": {"random_erasing": 1, "erasing_mode": "pixel"},
    "all": {"randaugment": 9, "random_erasing": 0.5, "erasing_mode": "pixel"},
}


def images_of(folder, workers=1, epoch=0, skip=0, **options):
    still = {"crop_scale": (1, 1), "crop_ratio": (0.5, 2), "hflip": 0, "color_jitter": 0}
    augment = AugmentOptions(**still | options)
    data = train_dataset(folder, RULE, augment, 2, epoch=epoch, seed=1, workers=workers, skip=skip)
    return np.concatenate([images for images, _ in data.create_tuple_iterator(num_epochs=1, output_numpy=True)])


@pytest.fixture
def folder(image_folder):
    return open_split(image_folder, "train")


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("workers", range(1, usable_cores() + 1))
def test_an_epoch_repeats_to_the_bit_and_in_its_middle_too(folder, options, workers):
    whole = images_of(folder, workers, **options)
    np.testing.assert_array_equal(images_of(folder, workers, **options), whole)
    np.testing.assert_array_equal(images_of(folder, workers, skip=2, **options), whole[4:])
    assert not np.array_equal(images_of(folder, workers, epoch=1, **options), whole)


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_pixels_change_and_nothing_else(folder, options):
    plain, changed = images_of(folder), images_of(folder, **options)
    assert changed.shape == plain.shape == (12, 3, SIZE, SIZE) and changed.dtype == plain.dtype == np.float32
    assert (changed != plain).any()


def test_what_is_off_leaves_pixels_alone(folder):
    off = {"randaugment": 0, "autoaugment": False, "random_erasing": 0, "randaugment_ops": 5, "erasing_mode": "pixel"}
    np.testing.assert_array_equal(images_of(folder, **off), images_of(folder))


def test_randaugment_and_autoaugment_exclude_each_other():
    with pytest.raises(ValueError, match="RandAugment is on too; choose one of them"):
        AugmentOptions(randaugment=9, autoaugment=True)


def test_randaugment_replaces_color_jitter(folder):
    options = {"randaugment": 9, "randaugment_ops": 1}
    np.testing.assert_array_equal(images_of(folder, **options), images_of(folder, **options, color_jitter=0.4))


def test_half_the_images_of_one_operation_are_left_alone(image_folder):
    for index in range(200):
        photograph(SIZE, SIZE, seed=1).save(image_folder / "train" / "cat" / f"more{index}.png")
    folder = open_split(image_folder, "train")
    plain, changed = (images_of(folder, **options) for options in ({}, {"randaugment": 9, "randaugment_ops": 1}))
    assert 0.4 < (plain != changed).any((1, 2, 3)).mean() < 0.6


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("level", [0.3, 0.9])
def test_operations_are_pillows_with_timms_ranges(level, sign):
    picture = photograph(64, 64).resize((16, 16)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)  # smooth

    def moved(*matrix):
        return picture.transform(picture.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC, fillcolor=FILL)

    factor, slant, shift = 0.1 + 1.8 * level, 0.3 * level * sign, 0.45 * level * sign * SIZE
    expected = (
        ImageOps.autocontrast(picture),
        ImageOps.equalize(picture),
        ImageOps.invert(picture),
        picture.rotate(-30 * level * sign, Image.Resampling.BICUBIC, fillcolor=FILL),
        ImageOps.posterize(picture, int(4 * level)),
        ImageOps.solarize(picture, int(256 * level)),
        *(
            getattr(ImageEnhance, kind)(picture).enhance(factor)
            for kind in ("Color", "Contrast", "Brightness", "Sharpness")
        ),
        moved(1, slant, 0, 0, 1, 0),
        moved(1, 0, 0, slant, 1, 0),
        moved(1, 0, -shift, 0, 1, 0),
        moved(1, 0, 0, 0, 1, -shift),
    )
    for operation, picture_expected in zip(RAND_OPERATIONS, expected, strict=True):
        result = operation(level, sign, FILL)(np.asarray(picture))
        assert np.abs(result.astype(int) - np.asarray(picture_expected)).mean() < 2.5  # grey levels


@given(st.integers(8, 300), st.integers(0, 2**32 - 1))
def test_erased_boxes_lie_inside(size, seed):
    top, left, height, width, _ = erased_boxes(50, size, 1, seed).T
    assert (top >= 0).all() and (left >= 0).all() and (top + height <= size).all() and (left + width <= size).all()
    assert (height < size).all() and (width < size).all()


def test_erased_areas_and_shares_are_timms():
    size, count = 184, 20_000
    _, _, height, width, _ = erased_boxes(count, size, 0.25, 0).T
    erased = height > 0
    assert abs(erased.mean() - 0.25) < 0.01
    share = (height * width / size**2)[erased]
    low, high = ERASED_AREA
    assert low * 0.9 < share.min() and share.max() < high * 1.02
    assert abs(share.mean() - (low + high) / 2) < 0.01
    ratio = np.log(height[erased] / width[erased])
    assert abs(ratio.mean()) < 0.05 and np.abs(ratio).max() < -np.log(0.3) * 1.1


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_erasing_touches_its_box_only(seed, noise):
    image = np.full((3, SIZE, SIZE), 7, np.float32)
    (box,) = erased_boxes(1, SIZE, 1, seed)
    result = erase(image, box, noise=noise)
    top, left, height, width, _ = box
    inside = np.zeros_like(image, bool)
    inside[:, top : top + height, left : left + width] = True
    np.testing.assert_array_equal(result != 7, inside)
    assert result.dtype == np.float32 and (image == 7).all()
    assert noise or (result[inside] == 0).all()


def test_noise_is_normal():
    (box,) = erased_boxes(1, 300, 1, 3)
    result = erase(np.zeros((3, 300, 300), np.float32), box, noise=True)
    assert abs(result[result != 0].mean()) < 0.05 and abs(result[result != 0].std() - 1) < 0.05
