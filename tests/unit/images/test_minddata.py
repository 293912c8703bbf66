"""Training sees the pixels that evaluation sees, of every kind of file that is not refused by both."""

import warnings
from io import BytesIO

import numpy as np
import pytest
from mindspore.dataset import vision
from PIL import Image, PngImagePlugin
from support.pictures import MODES, encoded, in_mode, odd_files, refused_files

from src.images import minddata
from src.images.decoding import decode_rgb
from src.images.image_file import ImageError
from src.images.minddata import for_minddata, training_error

READ = {
    "BMP": {"1", "L", "P", "RGB", "RGBA"},
    "JPEG": {"1", "L", "RGB", "RGBX", "CMYK", "YCbCr"},
    "MPO": {"1", "L", "RGB", "RGBX", "CMYK", "YCbCr"},
    "PNG": {"1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16B"},
    "TIFF": {
        *("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB"),
        *("I;16", "I;16L", "I;16B"),
    },
}


def expected(content):
    """Pillow's pixels; of 16-bit gray the upper byte."""
    with Image.open(BytesIO(content)) as image, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow would rather convert a transparent palette to RGBA
        if image.mode.startswith("I"):
            return np.stack([np.asarray(image) // 256] * 3, -1).astype(np.uint8)
        return np.asarray(image.convert("RGB"))


def seen_in_training(content):
    """The pixels that MindData's decoder makes of what it is given."""
    return vision.Decode()(for_minddata(np.frombuffer(content, np.uint8), "x"))


def saved(kind, mode):
    """The bytes of a picture, or nothing if Pillow cannot write this mode."""
    try:
        return encoded(in_mode(mode), kind)
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, TypeError):
        return b""


def kinds():
    Image.init()
    return sorted(Image.SAVE.keys() - {"ICNS"})  # it takes seconds to write its many sizes


@pytest.mark.parametrize("kind", kinds())
def test_each_mode_of_each_format_is_read_alike_or_refused_alike(kind):
    modes = MODES if kind in READ else ("1", "L", "RGB", "RGBA", "F")
    found = {mode: content for mode in modes if (content := saved(kind, mode))}
    read = set()
    for mode, content in found.items():
        try:
            pixels = np.asarray(decode_rgb(content))
        except ImageError as error:
            with pytest.raises(ImageError) as refused:
                seen_in_training(content)
            assert str(refused.value) == f"x: {error}"
        else:
            read.add(mode)
            np.testing.assert_array_equal(pixels, expected(content), mode)
            np.testing.assert_array_equal(seen_in_training(content), pixels, mode)
    assert read == READ.get(kind, set()) & found.keys()


ODD, REFUSED = odd_files(), refused_files()


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_read_alike(name, monkeypatch):
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_CHUNK", 1 << 30)  # Pillow's limit is on comments
    pixels = np.asarray(decode_rgb(ODD[name]))
    np.testing.assert_array_equal(pixels, expected(ODD[name]))
    np.testing.assert_array_equal(seen_in_training(ODD[name]), pixels)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_has_the_same_reason_in_training(name):
    content, reason = REFUSED[name]
    with pytest.raises(ImageError) as refused:
        decode_rgb(content)
    assert reason in str(refused.value)
    with pytest.raises(ImageError) as refused:
        seen_in_training(content)
    assert reason in str(refused.value)


def test_the_pixels_of_a_file_that_was_checked_are_not_decoded_twice(monkeypatch):
    """Plain JPEGs and PNGs go to MindData as they are."""
    monkeypatch.setattr(minddata, "decode_rgb", None)
    for kind in ("JPEG", "PNG"):
        seen_in_training(encoded(in_mode("RGB"), kind))


def test_a_file_that_minddata_alone_cannot_decode_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "x.jpg"
    path.write_bytes(encoded(in_mode("RGB"), "JPEG"))
    assert training_error(path) == ""
    monkeypatch.chdir(tmp_path)  # MindData writes what it cannot decode into the current folder
    monkeypatch.setattr(minddata, "for_minddata", lambda encoded, image: np.zeros_like(encoded))
    assert training_error(path) == "MindData cannot decode it, although Pillow can"
