"""Folders of images: which files count, and in which class and order."""

import shutil

import numpy as np
import pytest

from src.errors import UserError
from src.images.folder import ImageFolder, list_images


@pytest.fixture
def folder(image_folder):
    """train/ with a third class of one image, and with hidden files."""
    (image_folder / "train" / "Zebra é").mkdir()
    shutil.copy(image_folder / "train/cat/0.jpg", image_folder / "train/Zebra é/a b.JPEG")
    (image_folder / "train" / ".hidden").mkdir()
    (image_folder / "train" / "cat" / ".DS_Store").write_text("x")
    return ImageFolder.scan(image_folder / "train")


def test_classes_are_sorted_folder_names(folder):
    assert folder.classes == ("Zebra é", "cat", "dog")


def test_the_label_of_an_image_is_its_folder(folder):
    np.testing.assert_array_equal(np.bincount(folder.labels), [1, 6, 6])
    for path, label in zip(folder.files, folder.labels, strict=True):
        assert f"/{folder.classes[label]}/" in path


def test_hidden_files_are_left_out(folder):
    assert len(folder) == 13
    assert not folder.non_images


def test_reading_gives_the_encoded_file(folder):
    with open(folder.files[5], "rb") as file:
        assert folder.read(5).tobytes() == file.read()


@pytest.mark.parametrize("check", ["full", "quick"])
def test_bad_files_and_other_files_are_faults(image_folder, check):
    empty, notes = image_folder / "train/dog/zero.jpg", image_folder / "train/dog/notes.txt"
    empty.write_bytes(b"")
    notes.write_text("no image")
    undecodable, other = ImageFolder.scan(image_folder / "train").faults(check)
    assert undecodable == f"{empty}: empty file"
    assert other.startswith(f"{notes}: not an image by its name (.jpeg")


def test_a_check_that_is_off_finds_nothing(image_folder):
    (image_folder / "train/dog/zero.jpg").write_bytes(b"")
    assert ImageFolder.scan(image_folder / "train").faults("off") == []


def test_images_of_sub_folders_are_listed_after_those_of_the_folder(image_folder):
    sub = image_folder / "train/cat/a sub-folder"
    sub.mkdir()
    shutil.copy(image_folder / "train/cat/0.jpg", sub / "z.jpg")
    images, others = list_images(image_folder / "train/cat")
    assert images[-1] == str(sub / "z.jpg")
    assert others == []


def test_a_class_without_images_is_named(image_folder):
    (image_folder / "train" / "empty").mkdir()
    with pytest.raises(UserError, match="train/empty holds no images"):
        ImageFolder.scan(image_folder / "train")


def test_a_folder_without_class_folders_is_named(image_folder):
    with pytest.raises(UserError, match="no class folders"):
        ImageFolder.scan(image_folder / "train" / "cat")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match="there is no folder .*nowhere"):
        ImageFolder.scan(tmp_path / "nowhere")
