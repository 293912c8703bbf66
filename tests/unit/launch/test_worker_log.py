"""Logs are read line by line while another process writes them."""

import pytest

from src.launch.worker_log import Log

CHATTER = "[WARNING] ME(12:34,MainProcess):2026 chatter"


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "log")


def test_a_log_that_does_not_exist_yet_is_empty(log):
    assert log.new_lines() == log.tail() == []


def test_only_complete_lines_are_new(log):
    log.path.write_bytes(b"one\ntw")
    assert log.new_lines() == ["one"]
    assert log.new_lines() == []
    with open(log.path, "ab") as file:
        file.write(b"o\n")
    assert log.new_lines() == ["two"]


def test_bytes_that_are_not_utf_8_are_replaced(log):
    log.path.write_bytes(b"[ERROR] \xff\n")
    assert log.new_lines() == log.tail() == ["[ERROR] \ufffd"]


def test_the_tail_leaves_out_the_lines_of_mindspore(log):
    log.path.write_text(f"one\ntwo\n{CHATTER}\nthree\nend")
    assert log.tail(3) == ["two", "three", "end"]
