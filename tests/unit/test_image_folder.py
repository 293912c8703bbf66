import shutil

import numpy as np
import pytest
from PIL import Image

from src.errors import UserError
from src.image_folder import ImageFolder, check_classes, check_images, ends_fault, open_split


def test_classes_are_sorted_folder_names(image_folder):
    (image_folder / "train" / "Zebra é").mkdir()
    shutil.copy(image_folder / "train/cat/0.jpg", image_folder / "train/Zebra é/a b.JPEG")
    (image_folder / "train" / ".hidden").mkdir()
    (image_folder / "train" / "cat" / ".DS_Store").write_text("x")
    folder = open_split(image_folder, "train")
    assert folder.classes == ("Zebra é", "cat", "dog")
    assert len(folder) == 13 and not folder.strangers
    np.testing.assert_array_equal(np.bincount(folder.labels), [1, 6, 6])
    assert all(folder.classes[label] in path for path, label in zip(folder.files, folder.labels))


def test_good_folders_pass(image_folder):
    train, val = open_split(image_folder, "train"), open_split(image_folder, "val")
    check_classes(train, val)
    check_images((train, val), "full")
    check_images((train, val), "quick")


@pytest.mark.parametrize("check", ["full", "quick"])
def test_bad_files_are_named_by_path(image_folder, check):
    folder = image_folder / "train" / "dog"
    whole = (folder / "0.jpg").read_bytes()
    (folder / "zero.jpg").write_bytes(b"")
    (folder / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("no image")
    (folder / "notes.txt").write_text("no image")
    Image.open(folder / "1.jpg").save(folder / "whole.png")
    Image.open(folder / "1.jpg").save(folder / "web.jpg", format="WEBP")
    (folder / "half.png").write_bytes((folder / "whole.png").read_bytes()[:-30])
    faults = open_split(image_folder, "train").faults(check)
    found = {line.split(": ")[0].rsplit("/", 1)[1]: line.split(": ", 1)[1] for line in faults}
    assert found.keys() == {"zero.jpg", "half.jpg", "half.png", "text.png", "notes.txt", "web.jpg"}
    assert found["zero.jpg"] == "empty file" and found["text.png"] == "not an image"
    assert found["web.jpg"].startswith("WEBP of mode RGB inside")
    with pytest.raises(UserError, match="6 bad files: .*half.jpg.*remove or replace"):
        check_images([open_split(image_folder, "train")], check)


def test_quick_check_accepts_what_decodes_although_its_end_is_odd(image_folder):
    path = image_folder / "train/cat/0.jpg"
    path.write_bytes(path.read_bytes() + b"appended by a camera")
    assert ends_fault(str(path)) == ""


def test_splits_that_disagree(image_folder):
    (image_folder / "val" / "dog").rename(image_folder / "val" / "dogs")
    with pytest.raises(UserError, match="no class folder dog "):
        check_classes(open_split(image_folder, "train"), open_split(image_folder, "val"))


def test_missing_and_empty_folders(image_folder, tmp_path):
    (image_folder / "train" / "empty").mkdir()
    with pytest.raises(UserError, match="train/empty holds no images"):
        ImageFolder.scan(image_folder / "train")
    with pytest.raises(UserError, match="no class folders"):
        ImageFolder.scan(image_folder / "train" / "cat")
    with pytest.raises(UserError, match="data_path .*nowhere: there is no such folder"):
        open_split(tmp_path / "nowhere", "train")
