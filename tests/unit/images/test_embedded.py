"""An embedded data set is written whole and once, whatever happens meanwhile."""

import pytest

from src.config.defaults import default_config
from src.config.options import EMBEDDED
from src.errors import UserError
from src.images import data_path
from src.images.embedded import write_once


def write_file(folder):
    (folder / "one").write_text("1")


def test_a_folder_appears_when_it_is_complete(tmp_path):
    def write(building):
        write_file(building)
        assert not (tmp_path / "data").exists()

    assert write_once(tmp_path / "data", "digits", write) == tmp_path / "data"
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert (tmp_path / "data" / "one").read_text() == "1"


def test_of_two_writers_the_first_wins(tmp_path):
    def write(building):
        write_file(building)
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "one").write_text("first")  # by another process

    write_once(tmp_path / "data", "digits", write)
    assert (tmp_path / "data" / "one").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_fault_leaves_nothing_behind(tmp_path):
    def write(building):
        write_file(building)
        raise OSError(28, "No space left on device")

    with pytest.raises(UserError, match="cannot write the digits to .*/data: No space left on device"):
        write_once(tmp_path / "data", "digits", write)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", EMBEDDED)
def test_each_embedded_data_set_is_written_where_it_is_named(name, monkeypatch, tmp_path):
    monkeypatch.setattr(data_path, f"write_{name}", lambda: tmp_path / name)
    assert data_path.resolve_data_path(name) == tmp_path / name
    assert default_config(name).name == "digits.yaml"
