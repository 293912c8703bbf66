"""The fingerprint of an image set depends on labels, names and sizes, not on where the images lie."""

import shutil

import pytest
from support.project import photograph

from src.config import ConvertConfig
from src.images.cache import cached
from src.images.convert import convert
from src.images.data_path import open_split
from src.images.image_set import fingerprint


@pytest.fixture
def original(image_folder):
    return fingerprint(open_split(image_folder, "train"))


def test_a_moved_folder_has_the_same_fingerprint(image_folder, tmp_path, original):
    shutil.move(image_folder, tmp_path / "moved")
    assert fingerprint(open_split(tmp_path / "moved", "train")) == original


def test_a_converted_set_has_the_fingerprint_of_its_folder(image_folder, tmp_path, original):
    convert(ConvertConfig(data_path=str(image_folder), output=tmp_path / "out", workers=1, shards=2))
    assert fingerprint(open_split(tmp_path / "out", "train")) == original


def test_a_cached_set_has_the_fingerprint_of_its_folder(image_folder, original):
    assert fingerprint(cached(open_split(image_folder, "train"), "on")) == original


def test_another_name_changes_the_fingerprint(image_folder, original):
    (image_folder / "train/cat/0.jpg").rename(image_folder / "train/cat/zero.jpg")
    assert fingerprint(open_split(image_folder, "train")) != original


def test_another_class_changes_the_fingerprint(image_folder, original):
    (image_folder / "train/cat/0.jpg").rename(image_folder / "train/dog/new.jpg")
    assert fingerprint(open_split(image_folder, "train")) != original


def test_another_size_changes_the_fingerprint(image_folder, original):
    photograph(200, 200).save(image_folder / "train/cat/0.jpg")
    assert fingerprint(open_split(image_folder, "train")) != original
