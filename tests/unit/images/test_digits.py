"""The embedded digits as an image folder."""

import os
import sys

import numpy as np
import pytest
from PIL import Image

from src.errors import UserError
from src.images.digits import write_digits
from src.images.folder import ImageFolder


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return write_digits(tmp_path_factory.mktemp("data") / "digits")


@pytest.mark.parametrize("split, images", [("train", 1437), ("val", 360)])
def test_each_split_has_ten_classes(digits, split, images):
    folder = ImageFolder.scan(digits / split)
    assert len(folder) == images
    assert folder.classes[0] == "0_zero"
    assert len(folder.classes) == 10


def test_images_are_gray_and_have_64_pixels_a_side(digits):
    with Image.open(ImageFolder.scan(digits / "val").files[0]) as image:
        assert np.asarray(image).shape == (64, 64)


def test_the_umask_decides_who_may_read_the_digits(digits):
    umask = os.umask(0o022)
    os.umask(umask)
    assert digits.stat().st_mode & 0o777 == 0o777 & ~umask
    assert [path.name for path in digits.parent.iterdir()] == ["digits"]


def test_a_folder_that_exists_is_left_alone(tmp_path):
    assert write_digits(tmp_path) == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_without_scikit_learn_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(UserError, match="pip install scikit-learn"):
        write_digits(tmp_path / "digits")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write the digits to .*file/digits: "):
        write_digits(tmp_path / "file" / "digits")
