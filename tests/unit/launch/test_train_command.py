"""Every worker runs the same command, with the folder of the run in it."""

import re
from pathlib import Path

import pytest

from src.config import LaunchConfig
from src.errors import UserError
from src.launch.train_command import DETECT, TRAIN, train_command

CONFIGS = TRAIN.parent / "config"


def test_the_digits_have_their_own_configuration_and_a_new_run():
    command, run_dir = train_command(LaunchConfig(), ["--epochs", "2"])
    assert command[:5] == [str(TRAIN), "--config", str(CONFIGS / "digits.yaml"), "--data_path", "digits"]
    assert command[5:] == ["--epochs", "2", "--run_dir", str(run_dir)]
    assert re.fullmatch(r"runs/digits-\d{8}-\d{6}", str(run_dir))


def test_the_configuration_of_other_images_is_that_of_tinynet_c():
    command, _ = train_command(LaunchConfig(data_path="/data"), [])
    assert command[2] == str(CONFIGS / "tinynet_c.yaml")


def test_a_configuration_of_a_detector_is_trained_by_detect_py(tmp_path):
    (tmp_path / "base.yaml").write_text("detector: ssdlite")
    (tmp_path / "own.yaml").write_text("base: base.yaml")
    command, _ = train_command(LaunchConfig(config=tmp_path / "own.yaml"), [])
    assert command[:3] == [str(DETECT), "train", "--config"]


def test_resume_is_passed_on():
    config = LaunchConfig(config="c.yaml", resume="auto", run_dir="my run")
    command, run_dir = train_command(config, [])
    assert run_dir == Path("my run")
    assert command[-4:] == ["--run_dir", "my run", "--resume", "auto"]


def test_a_checkpoint_names_its_run(tmp_path):
    checkpoint = tmp_path / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir()
    checkpoint.touch()
    assert train_command(LaunchConfig(resume=str(checkpoint)), [])[1] == tmp_path


def test_a_checkpoint_that_does_not_exist_is_a_mistake():
    with pytest.raises(UserError, match="resume: there is no checkpoint nowhere.ckpt"):
        train_command(LaunchConfig(resume="nowhere.ckpt"), [])
