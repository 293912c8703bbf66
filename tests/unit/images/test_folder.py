import shutil

import numpy as np
import pytest

from src.errors import UserError
from src.images.folder import ImageFolder, check_classes, check_images, open_split


def test_classes_are_sorted_folder_names(image_folder):
    (image_folder / "train" / "Zebra é").mkdir()
    shutil.copy(image_folder / "train/cat/0.jpg", image_folder / "train/Zebra é/a b.JPEG")
    (image_folder / "train" / ".hidden").mkdir()
    (image_folder / "train" / "cat" / ".DS_Store").write_text("x")
    folder = open_split(image_folder, "train")
    assert folder.classes == ("Zebra é", "cat", "dog")
    assert len(folder) == 13 and not folder.non_images
    np.testing.assert_array_equal(np.bincount(folder.labels), [1, 6, 6])
    assert all(folder.classes[label] in path for path, label in zip(folder.files, folder.labels))


def test_good_folders_pass(image_folder):
    train, val = open_split(image_folder, "train"), open_split(image_folder, "val")
    check_classes(train, val)
    check_images((train, val), "full")
    check_images((train, val), "quick")


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
