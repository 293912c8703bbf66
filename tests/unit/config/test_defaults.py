"""A training that does not say where it is kept gets a folder, and one that names no configuration gets one."""

import re
from pathlib import Path

import pytest

from src.config.defaults import choose_run_dir, default_config
from src.errors import UserError


@pytest.mark.parametrize("data_path, name", [("digits", "digits.yaml"), ("/data/imagenet", "tinynet_c.yaml")])
def test_the_default_configuration_exists(data_path, name):
    config = default_config(data_path)
    assert config.name == name and config.is_file()


def test_the_folder_that_the_user_gave_is_taken():
    assert choose_run_dir(Path("mine"), "auto", "tinynet_c") == Path("mine")


def test_a_checkpoint_names_the_folder_of_its_run(tmp_path):
    assert choose_run_dir(None, str(tmp_path / "run/checkpoints/last.ckpt"), "tinynet_c") == tmp_path / "run"


def test_a_new_folder_has_a_name_and_a_date():
    assert re.fullmatch(r"runs/tinynet_c-\d{8}-\d{6}", str(choose_run_dir(None, None, "tinynet_c")))


@pytest.mark.parametrize("resume, words", [("auto", "resume is auto, but no run is named"), ("w.ckpt", "not in the f")])
def test_a_run_that_is_not_named_cannot_be_resumed(resume, words):
    with pytest.raises(UserError, match=f"{words}.*; give --run_dir"):
        choose_run_dir(None, resume, "tinynet_c")
