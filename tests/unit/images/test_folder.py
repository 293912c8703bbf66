"""Folders of images: which files count, and in which class and order."""

import errno
import os
import shutil

import numpy as np
import pytest
from support.pictures import LAYOUT, LEFT_OUT, save_odd_layout

from src.config import ConvertConfig
from src.errors import UserError
from src.images.check import check_classes
from src.images.convert import convert
from src.images.data_path import open_split
from src.images.folder import ImageFolder, list_images
from src.images.inputs import find_images


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
    assert other == f"{notes}: not an image file (.jpeg .jpg .png .bmp .tif .tiff)"


def test_a_check_that_is_off_finds_nothing(image_folder):
    (image_folder / "train/dog/zero.jpg").write_bytes(b"")
    assert ImageFolder.scan(image_folder / "train").faults("off") == []


def test_images_of_sub_folders_are_listed_after_those_of_the_folder(image_folder):
    sub = image_folder / "train/cat/a sub-folder"
    sub.mkdir()
    shutil.copy(image_folder / "train/cat/0.jpg", sub / "z.jpg")
    listing = list_images(image_folder / "train/cat")
    assert listing.images[-1] == str(sub / "z.jpg")
    assert listing.others == []


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


def list_below(folder):
    """Paths of images below a folder, and what is left out."""
    listing = list_images(folder)
    return [[os.path.relpath(path, folder) for path in paths] for paths in (listing.images, listing.others)]


def test_the_order_is_that_of_the_bytes_and_hidden_files_are_ignored(tmp_path):
    """ascend310_infer/tests/test_files.cc has the same files."""
    for name in (
        *("b.jpg", "B.JPG", "a/2.png", "a/10.png", "a/c/z.tif", "ab/1.bmp", "é.jpeg", "~.tiff", "z.jpg", "a.b.jpg"),
        *(os.fsdecode(b"\xff.jpg"), ".hidden.jpg", ".folder/x.jpg", "empty/.jpg"),
        *("Thumbs.db", "a/desktop.ini", "__MACOSX/x.jpg"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    images = ["B.JPG", "a.b.jpg", "b.jpg", "z.jpg", "~.tiff", "é.jpeg", os.fsdecode(b"\xff.jpg")]
    assert list_below(tmp_path) == [[*images, "a/10.png", "a/2.png", "a/c/z.tif", "ab/1.bmp"], []]


def test_links_are_followed_but_not_in_a_circle(tmp_path, caplog):
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    for path in (folder / "a/1.jpg", elsewhere / "2.jpg"):
        path.parent.mkdir(parents=True)
        path.touch()
    (folder / "b").symlink_to(elsewhere)
    (folder / "c").symlink_to("a")
    (folder / "a/up").symlink_to("..")
    (elsewhere / "up").symlink_to(folder)
    (folder / "broken.jpg").symlink_to("nowhere")
    assert list_below(folder) == [["broken.jpg", "a/1.jpg", "b/2.jpg", "c/1.jpg"], []]
    list_images(folder).log_left_out()
    ups = f"{folder}/a/up, {folder}/b/up, {folder}/c/up"
    assert caplog.messages == [f"left out: {ups}: a link to a folder that holds it"]


def test_what_is_left_out_is_named(tmp_path, caplog):
    (tmp_path / "a").mkdir()
    for name in ("1.jpg", "notes.txt", "jpg", "a/2.webp", "a/3.gif", "a/4.gif", "a/5.gif"):
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe.jpg")
    list_images(tmp_path).log_left_out()
    named = ", ".join(f"{tmp_path}/{name}" for name in ("jpg", "notes.txt", "pipe.jpg", "a/2.webp", "a/3.gif"))
    assert caplog.messages == [f"left out: {named}, and 2 more: not an image file (.jpeg .jpg .png .bmp .tif .tiff)"]


def test_a_class_may_be_a_link(image_folder, tmp_path):
    (image_folder / "train/dog").rename(tmp_path / "elsewhere")
    (image_folder / "train/dog").symlink_to(tmp_path / "elsewhere")
    scanned = ImageFolder.scan(image_folder / "train")
    assert scanned.classes == ("cat", "dog")
    np.testing.assert_array_equal(np.bincount(scanned.labels), [6, 6])


def test_files_beside_the_class_folders_are_named(image_folder, caplog):
    stray = image_folder / "train/stray.jpg"
    shutil.copy(image_folder / "train/cat/0.jpg", stray)
    assert len(ImageFolder.scan(image_folder / "train")) == 12
    assert caplog.messages == [f"left out: {stray}: beside the class folders"]


def test_a_folder_that_cannot_be_read_is_named(image_folder, monkeypatch):
    def refuse(folder):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UserError, match="^cannot read folder .*/train: Permission denied$"):
        ImageFolder.scan(image_folder / "train")


def test_an_odd_layout_is_the_same_for_training_prediction_and_conversion(tmp_path):
    for split in ("train", "val"):
        save_odd_layout(tmp_path / "data" / split)
    root = tmp_path / "data/val"
    expected = [str(root / name) for name in LAYOUT]
    scanned = ImageFolder.scan(root)
    assert list(scanned.files) == find_images((root,), "") == expected
    assert scanned.classes == ("B", "a", "new\nline", "two words", "é")
    np.testing.assert_array_equal(np.bincount(scanned.labels), [3, 4, 1, 1, 1])
    assert scanned.non_images == tuple(str(root / name) for name in LEFT_OUT)
    convert(ConvertConfig(data_path=str(tmp_path / "data"), output=tmp_path / "out", workers=1, check_data="off"))
    assert [image.name for image in open_split(tmp_path / "out", "val").files] == list(LAYOUT)


def test_a_split_with_an_empty_class_or_none_is_refused(image_folder):
    shutil.rmtree(image_folder / "val/dog")
    with pytest.raises(UserError, match="val has no class folder dog that .*train has"):
        check_classes(open_split(image_folder, "train"), open_split(image_folder, "val"))
    (image_folder / "val/dog").mkdir()
    with pytest.raises(UserError, match="class folder .*val/dog holds no images"):
        open_split(image_folder, "val")


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(UserError, match="^there is no image or folder .*/pipe.jpg$"):
        find_images((tmp_path / "pipe.jpg",), "")
