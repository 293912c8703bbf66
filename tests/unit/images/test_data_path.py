"""`--data_path` names a folder, a converted data set, or the embedded digits."""

import pytest

from src.config import ConvertConfig
from src.errors import UserError
from src.images.convert import convert
from src.images.data_path import open_split, resolve_data_path
from src.images.folder import ImageFolder
from src.images.records import RecordSet


def test_a_folder_is_opened_as_a_folder(image_folder):
    assert isinstance(open_split(image_folder, "train"), ImageFolder)


def test_a_converted_set_is_opened_as_records(image_folder, tmp_path):
    convert(ConvertConfig(data_path=str(image_folder), output=tmp_path / "out", workers=1))
    assert isinstance(open_split(tmp_path / "out", "train"), RecordSet)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match="data_path .*nowhere: there is no such folder; expected DIR/train/CLASS"):
        open_split(tmp_path / "nowhere", "train")


def test_no_path_says_how_to_get_data():
    with pytest.raises(UserError, match="data_path is missing: give images with --data_path DIR"):
        resolve_data_path(None)
