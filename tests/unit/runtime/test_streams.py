"""Programs print and end alike, whatever stdout is."""

import errno
import io
import os
import sys

import pytest

from src.errors import Diverged, UserError
from src.runtime import streams


@pytest.fixture
def stdout(monkeypatch):
    """Return a function that makes a file with an encoding the standard output."""

    def use(file, encoding="utf-8"):
        stream = io.TextIOWrapper(file, encoding=encoding, write_through=True)
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    return use


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "gbk"])
def test_every_name_can_be_printed(stdout, encoding):
    file = io.BytesIO()
    stdout(file, encoding)
    streams.prepare_streams()
    print(os.fsdecode(b"b\xe9"), "鱼 ö")
    assert file.getvalue().startswith(b"b\\udce9 ")


@pytest.mark.parametrize("name", ["stdin", "stderr"])
def test_a_closed_stream_is_connected_to_nothing(monkeypatch, name):
    monkeypatch.setattr(sys, name, None)
    streams.prepare_streams()
    assert getattr(sys, name).name == os.devnull


def test_a_closed_stdout_cannot_be_written(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    streams.prepare_streams()
    print("x")
    with pytest.raises(UserError, match="^cannot write to standard output: Bad file descriptor$"):
        streams.flush_output()


@pytest.mark.parametrize("length", [1, 100_000])  # kept in the buffer; written at once
def test_a_full_disk_behind_stdout_is_named(stdout, monkeypatch, length):
    monkeypatch.setattr(sys, "__stdout__", stdout(open("/dev/full", "wb")))  # noqa: SIM115 - the stream closes it
    streams.prepare_streams()
    with pytest.raises(UserError, match="^cannot write to standard output: No space left on device$"):
        print("x" * length)
        streams.flush_output()


def test_control_characters_do_not_reach_the_terminal(stdout, monkeypatch):
    reader, writer = os.pipe()
    monkeypatch.setattr(sys, "__stdout__", stdout(open(writer, "wb")))  # noqa: SIM115 - the stream closes it
    streams.prepare_streams()
    print("c\x1b[31mat", "ä\x9b")
    streams.flush_output()
    assert os.read(reader, 100).decode() == "c\\x1b[31mat ä\\x9b\n"
    os.close(reader)


def test_a_closed_pipe_behind_stdout_is_no_error_of_the_user(stdout, monkeypatch):
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setattr(sys, "__stdout__", stdout(open(writer, "wb")))  # noqa: SIM115 - the stream closes it
    streams.prepare_streams()
    print("x")
    with pytest.raises(BrokenPipeError):
        streams.flush_output()


@pytest.mark.parametrize(
    "error, status, line",
    [
        (UserError("no such thing"), 2, "error: no such thing\n"),
        (Diverged("nan"), 3, "error: nan\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (BrokenPipeError(), 0, ""),
        (PermissionError(errno.EACCES, "Permission denied", "/root/a"), 2, "error: /root/a: Permission denied\n"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "a" * 9), 2, "error: aaaaaaaaa: File name too long\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "error: cannot write: No space left on device\n"),
        (OSError(errno.EMFILE, "Too many open files"), 2, "error: Too many open files\n"),
        (UserError("a\nb.jpg: not an image"), 2, "error: a\\nb.jpg: not an image\n"),
    ],
)
def test_what_ended_a_program_is_one_line(capsys, error, status, line):
    assert streams.report(error) == status
    assert capsys.readouterr().err == line


def test_a_long_reason_keeps_its_start_and_its_end(capsys):
    assert streams.report(UserError(f"net.yaml: stem is {'1' * 5000}; expected a number")) == 2
    line = capsys.readouterr().err
    assert line.startswith("error: net.yaml: stem is 111") and line.endswith("111; expected a number\n")
    assert len(line) == len("error: ") + streams.LONGEST_ERROR + 1
