"""Checks of a data set before training, and check_dataset.py, which prints what they find."""

import io
import shutil

import pytest

from src.config import CheckConfig, ConvertConfig
from src.errors import UserError
from src.images.check import check_classes, check_dataset, check_images
from src.images.convert import convert
from src.images.data_path import open_split


@pytest.fixture
def splits(image_folder):
    return open_split(image_folder, "train"), open_split(image_folder, "val")


def test_splits_with_the_same_classes_pass(splits):
    check_classes(*splits)


def test_a_class_of_one_split_alone_is_named(image_folder):
    (image_folder / "val" / "dog").rename(image_folder / "val" / "dogs")
    with pytest.raises(UserError, match="no class folder dog "):
        check_classes(open_split(image_folder, "train"), open_split(image_folder, "val"))


@pytest.mark.parametrize("check", ["auto", "full", "quick", "off"])
def test_good_images_pass(splits, check):
    check_images(splits, check)


@pytest.mark.parametrize("check", ["full", "quick"])
def test_bad_images_of_all_splits_are_named(image_folder, splits, check):
    (image_folder / "train/cat/0.jpg").write_bytes(b"")
    (image_folder / "val/dog/1.jpg").write_text("no image")
    with pytest.raises(UserError, match="2 bad files: .*train/cat/0.jpg: empty file; .*val/dog/1.jpg: not an image;"):
        check_images(splits, check)


def test_a_good_data_set_is_counted(image_folder, capsys):
    check_dataset(CheckConfig(data_path=str(image_folder)))
    assert capsys.readouterr().out == f"{image_folder}: 12 + 6 images in 2 classes, none bad\n"


def test_without_a_check_the_output_says_so(image_folder, capsys):
    check_dataset(CheckConfig(data_path=str(image_folder), check_data="off"))
    assert capsys.readouterr().out.endswith("in 2 classes, not checked\n")


def test_each_bad_file_is_printed(image_folder, capsys):
    bad = image_folder / "train/cat/0.jpg"
    bad.write_bytes(b"")
    with pytest.raises(UserError, match="1 bad files, listed above; remove or replace them"):
        check_dataset(CheckConfig(data_path=str(image_folder)))
    assert capsys.readouterr().out == f"{bad}: empty file\n"


def test_a_damaged_shard_of_a_converted_set_is_printed(image_folder, tmp_path, capsys):
    records = tmp_path / "records"
    convert(ConvertConfig(data_path=str(image_folder), output=records, workers=1))
    with open(records / "val" / "00000.mindrecord", "r+b") as file:
        file.seek(-9, io.SEEK_END)
        file.write(b"damage")
    with pytest.raises(UserError, match="1 bad files"):
        check_dataset(CheckConfig(data_path=str(records)))
    assert "val/00000.mindrecord: damaged, its checksum differs" in capsys.readouterr().out


def test_a_single_class_is_pointed_out(image_folder, caplog):
    for split in ("train", "val"):
        shutil.rmtree(image_folder / split / "dog")
    check_classes(open_split(image_folder, "train"), open_split(image_folder, "val"))
    assert caplog.messages == [f"{image_folder}/train has a single class, so every network is always right"]
