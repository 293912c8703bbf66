"""Evaluation pixels: bit-identical to those of Pillow and torchvision."""

import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.project import photograph

from src.errors import UserError
from src.images.preprocess import Preprocess, center_crop, resize_short_side


@pytest.mark.parametrize(
    "size, source, resized, box",
    [  # by torchvision's rules: long side cut down, half-way corners to the even pixel
        (184, (500, 375), (280, 210), (48, 13)),
        (184, (375, 500), (210, 280), (13, 48)),
        (106, (500, 375), (161, 121), (28, 8)),  # (161-106)/2 = 27.5 -> 28, (121-106)/2 = 7.5 -> 8
        (106, (375, 501), (121, 161), (8, 28)),
        (152, (40, 30), (230, 173), (39, 10)),  # 230.67 cut down; (173-152)/2 = 10.5 -> 10
        (192, (219, 219), (219, 219), (14, 14)),  # 13.5 -> 14
    ],
)
def test_sizes_follow_torchvision(size, source, resized, box):
    rule = Preprocess(size)
    image = resize_short_side(Image.new("RGB", source), rule.resize)
    assert image.size == resized
    marked = np.zeros((resized[1], resized[0]), np.uint8)
    marked[box[1], box[0]] = marked[box[1] + size - 1, box[0] + size - 1] = 255
    crop = np.asarray(center_crop(Image.fromarray(marked), size))
    assert crop.shape == (size, size) and crop[0, 0] == 255 and crop[-1, -1] == 255


@given(st.integers(1, 700), st.integers(1, 700), st.integers(8, 224), st.floats(0.5, 1))
@settings(max_examples=60, deadline=None)
def test_any_image_gives_a_full_crop(width, height, size, crop_pct):
    width, height = (min(side, 20 * min(width, height)) for side in (width, height))
    crop = Preprocess(size, crop_pct).crop(Image.new("L", (width, height), 200))
    assert crop.size == (size, size) and crop.mode == "RGB"
    assert np.asarray(crop).min() == 200  # no border was invented


FORMATS = {
    "rgb.jpg": lambda image: image,
    "progressive.jpeg": lambda image: image,
    "grey.jpg": lambda image: image.convert("L"),
    "cmyk.jpg": lambda image: image.convert("CMYK"),
    "palette.png": lambda image: image.convert("P"),
    "alpha.png": lambda image: image.convert("RGBA"),
    "grey_alpha.png": lambda image: image.convert("LA"),
    "bits.png": lambda image: image.convert("1"),
    "plain.bmp": lambda image: image,
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("source", [(231, 173), (97, 301), (50, 41)])
def test_pixels_of_every_format_are_pillows(name, source, tmp_path):
    path = tmp_path / name
    FORMATS[name](photograph(*source)).save(path, **({"progressive": True} if name.startswith("prog") else {}))
    short, long = sorted(source)
    resized = (121, int(121 * long / short))
    resized = resized if source[0] < source[1] else resized[::-1]
    with Image.open(path) as image:
        image = image.convert("RGB").resize(resized, Image.Resampling.BICUBIC)
    left, top = (int(np.round((side - 106) / 2)) for side in resized)  # numpy rounds half to even as torchvision does
    expected = np.asarray(image)[top : top + 106, left : left + 106]
    np.testing.assert_array_equal(Preprocess(106).pixels(path), expected)


def test_normalization():
    pixels = np.random.RandomState(0).randint(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    expected = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    result = Preprocess(8).normalize(pixels)
    assert result.shape == (2, 3, 4, 5) and result.dtype == np.float32
    np.testing.assert_allclose(result, expected.transpose(0, 3, 1, 2), atol=1e-5)


def test_dictionary_round_trip():
    rule = Preprocess(48, 1.0, mean=(0.1, 0.2, 0.3))
    assert Preprocess.from_dict(rule.as_dict()) == rule


@pytest.mark.parametrize("size", [(120, 260), (120, 240), (60, 121), (260, 120), (20, 300)])
def test_every_pillow_resizes_as_pillow_13_does(size):
    image, short = photograph(*size), 48
    width, height = (short, int(short * size[1] / size[0])) if size[0] < size[1] else (104, short)
    columns_first = size[1] > 2 * size[0] and height < size[1]
    between = (size[0], height) if columns_first else (width, size[1])
    steps = image.resize(between, Image.Resampling.BICUBIC).resize((width, height), Image.Resampling.BICUBIC)
    found = resize_short_side(image, short)
    assert np.array_equal(found, steps)
    if int(PIL.__version__.split(".")[0]) >= 13:
        assert np.array_equal(found, image.resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    "size, crop_pct, words",
    [
        (7, 0.875, "input_size is 7; expected 8 to 4096 pixels"),
        (4097, 0.875, "input_size is 4097; expected 8 to 4096 pixels"),
        (224, 0.01, "crop_pct is 0.01: for 224 pixels, images grow to a short side of 22400; expected up to 16384"),
    ],
)
def test_the_limits_are_those_of_the_c_plus_plus_program(size, crop_pct, words):
    with pytest.raises(UserError, match=words):
        Preprocess(size, crop_pct)
