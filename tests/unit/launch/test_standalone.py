"""The training on one device is that of the configuration: a classifier, or a detector."""

import pytest
from support.project import PROJECT

from src.launch.standalone import main, standalone_command
from src.launch.train_command import DETECT, TRAIN

CONFIGS = PROJECT / "config"


@pytest.mark.parametrize(
    "config, program",
    [("", [str(TRAIN)]), ("tinynet_c.yaml", [str(TRAIN)]), ("ssdlite_tinynet_d.yaml", [str(DETECT), "train"])],
)
def test_the_configuration_chooses_the_program(config, program):
    path = str(CONFIGS / config) if config else ""
    command = standalone_command("digits", path, "")
    assert command == [*program, "--data_path", "digits", "--config", path or str(CONFIGS / "digits.yaml")]


def test_a_checkpoint_to_resume_from_is_passed_on():
    assert standalone_command("/data", "", "last.ckpt")[-2:] == ["--resume", "last.ckpt"]


def test_a_configuration_that_cannot_be_read_is_one_line(tmp_path, capsys):
    (tmp_path / "own.yaml").write_text("colour: 1")
    assert main("digits", str(tmp_path / "own.yaml"), "") == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path}/own.yaml: unknown key 'colour'")
