"""The log of the project: levels, the file of a run, write errors, and durations as text."""

import logging

import pytest

from src.runtime import logs
from src.runtime.durations import duration
from src.runtime.logs import log_to

LOGGER = logging.getLogger("src.test")


@pytest.fixture
def project_log():
    """Give the project's logger without handlers, and restore it."""
    root = logging.getLogger("src")
    handlers, level = root.handlers, root.level
    root.handlers = []
    yield root
    for handler in root.handlers:
        handler.close()
    root.handlers = handlers
    root.setLevel(level)


def test_lines_appear_on_the_terminal(project_log, capsys):
    log_to()
    LOGGER.info("epoch 1")
    assert capsys.readouterr().err == "epoch 1\n"


def test_names_cannot_color_the_terminal(project_log, tmp_path, capsys):
    log_to(tmp_path / "train.log")
    LOGGER.info("  run  %s\n data  x", "r\x1b[31m")
    assert capsys.readouterr().err == "  run  r\\x1b[31m\n data  x\n"
    assert "\x1b" not in (tmp_path / "train.log").read_text()


def test_a_second_call_does_not_double_the_lines(project_log, capsys):
    log_to()
    log_to()
    LOGGER.info("epoch 1")
    assert capsys.readouterr().err == "epoch 1\n"


def test_lines_of_the_file_begin_with_the_time(project_log, tmp_path):
    log_to(tmp_path / "train.log")
    LOGGER.info("epoch 1")
    (line,) = (tmp_path / "train.log").read_text().splitlines()
    assert line.endswith(" epoch 1")
    assert len(line) == len("2000-01-01 00:00:00 epoch 1")


def test_another_file_replaces_the_file_before(project_log, tmp_path):
    log_to(tmp_path / "first.log")
    log_to(tmp_path / "second.log")
    LOGGER.info("epoch 1")
    assert (tmp_path / "first.log").read_text() == ""
    assert "epoch 1" in (tmp_path / "second.log").read_text()


@pytest.mark.parametrize("is_first, level", [(True, logging.INFO), (False, logging.WARNING)])
def test_ranks_other_than_the_first_log_only_warnings(project_log, monkeypatch, is_first, level):
    monkeypatch.setattr(logs, "is_first", lambda: is_first)
    log_to()
    assert project_log.level == level


def test_a_write_error_of_the_file_gives_one_warning_and_no_exception(project_log, capsys):
    log_to("/dev/full")
    LOGGER.info("epoch 1")
    LOGGER.info("epoch 2")
    warning = "/dev/full cannot be written any more: [Errno 28] No space left on device"
    assert sorted(capsys.readouterr().err.splitlines()) == [warning, "epoch 1", "epoch 2"]


@pytest.mark.parametrize("seconds, text", [(4, "4 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (273600, "3 d 4 h")])
def test_durations_have_their_two_largest_units(seconds, text):
    assert duration(seconds) == text
