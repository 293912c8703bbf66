"""Atomic files: complete or unchanged, whatever happens while they are written."""

import os
import re
import shutil
from pathlib import Path

import pytest

from src.errors import UserError
from src.runtime.files import (
    atomic_write,
    check_output,
    check_working_folder,
    plain_path,
    remove_leftovers,
    require_space,
    write_text,
)


def write(path, text, previous=None):
    with atomic_write(path, previous) as temporary:
        temporary.write_text(text)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def no_links(*_):
    raise OSError(95, "Operation not supported")


def test_a_file_is_replaced_whole_in_folders_that_are_made(tmp_path):
    path = tmp_path / "new/folder/a"
    write(path, "one")
    assert path.read_text() == "one"
    with atomic_write(path) as temporary:
        temporary.write_text("two")
        assert path.read_text() == "one" and temporary.name == path.name
    assert path.read_text() == "two" and names(path.parent) == ["a"]


@pytest.fixture
def umask():
    """Return a function that sets the umask of this process for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize("mask, mode", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
@pytest.mark.parametrize("library", [0o600, 0o400, 0o777])
def test_the_umask_decides_who_may_read_a_file(tmp_path, umask, mask, mode, library):
    umask(mask)
    with atomic_write(tmp_path / "a") as temporary:
        temporary.write_text("one")
        temporary.chmod(library)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt(), SystemExit(1)])
def test_the_old_file_remains_if_writing_fails(tmp_path, error):
    write(tmp_path / "a", "one")
    with pytest.raises(type(error)), atomic_write(tmp_path / "a", tmp_path / "previous-a") as temporary:
        temporary.write_text("half")
        raise error
    assert (tmp_path / "a").read_text() == "one" and names(tmp_path) == ["a"]


@pytest.mark.parametrize("call", ["fsync", "chmod"])
def test_an_error_of_the_file_system_is_one_line_and_changes_nothing(tmp_path, monkeypatch, call):
    def fails(*_, **__):
        raise OSError(5, "Input/output error")

    write(tmp_path / "a", "one")
    monkeypatch.setattr(os, call, fails)
    with pytest.raises(UserError) as raised:
        write(tmp_path / "a", "two", tmp_path / "previous-a")
    monkeypatch.undo()
    assert str(raised.value) == f"cannot write {tmp_path / 'a'}: Input/output error"
    assert (tmp_path / "a").read_text() == "one" and names(tmp_path) == ["a"]


@pytest.mark.parametrize("link", [os.link, no_links])
def test_at_no_moment_are_the_file_and_the_one_before_both_missing(tmp_path, monkeypatch, link):
    path, previous = tmp_path / "a", tmp_path / "previous-a"
    found = []
    replace = Path.replace

    def watched(source, target):
        result = replace(source, target)
        found.append([each.read_text() for each in (path, previous) if each.exists()])
        return result

    monkeypatch.setattr(os, "link", link)
    monkeypatch.setattr(Path, "replace", watched)
    for text in ("one", "two", "three"):
        write(path, text, previous)
    between = [["one"], ["two"]] if link is no_links else [["one", "one"], ["two", "two"]]
    assert found == [["one"], between[0], ["two", "one"], between[1], ["three", "two"]]
    assert names(tmp_path) == ["a", "previous-a"]


@pytest.mark.parametrize("link", [os.link, no_links])
@pytest.mark.parametrize("renames", [0, 1])
def test_an_end_between_two_renames_leaves_a_whole_file_and_is_made_good(tmp_path, monkeypatch, link, renames):
    path, previous = tmp_path / "a", tmp_path / "previous-a"
    write(path, "one")
    write(path, "two", previous)
    replace, done = Path.replace, []

    def killed(source, target):
        if len(done) == renames:
            raise KeyboardInterrupt
        done.append(target)
        return replace(source, target)

    monkeypatch.setattr(os, "link", link)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", killed)
        write(path, "three", previous)
    newest = path if path.exists() else previous
    assert newest.read_text() == "two"
    write(path, "four", previous)
    assert path.read_text() == "four" and previous.read_text() == "two"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "a", Path("/proc/tinynet/a"), Path("/proc/a")):
        with pytest.raises(UserError) as raised:
            write(path, "one")
        assert str(raised.value).startswith(f"cannot write {path}: ") and "\n" not in str(raised.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only folders")
def test_a_read_only_folder_is_named(tmp_path):
    write(tmp_path / "a", "one")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UserError, match=f"cannot write {tmp_path / 'a'}: Permission denied"):
            write(tmp_path / "a", "two")
        assert (tmp_path / "a").read_text() == "one"
    finally:
        tmp_path.chmod(0o700)


def test_what_a_killed_process_has_left_is_removed_and_nothing_else(tmp_path):
    kept = ["last.ckpt", "last.ckpt-1", ".last.ckpt", ".best.ckpt-abc/best.ckpt", "a[1].csv", ".a1.csv-x/a1.csv"]
    for name in [*kept, ".last.ckpt-abc/last.ckpt", ".last.ckpt-xyz/previous-last.ckpt", ".a[1].csv-x/a[1].csv"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    remove_leftovers(tmp_path / "last.ckpt", tmp_path / "a[1].csv", tmp_path / "gone" / "b")
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)


def test_a_text_keeps_the_bytes_of_a_name(tmp_path):
    write_text(tmp_path / "a", os.fsdecode(b"b\xe9\n"))
    assert (tmp_path / "a").read_bytes() == b"b\xe9\n"


def test_a_new_file_may_be_written(tmp_path):
    check_output(tmp_path / "a", lambda _: False, tmp_path / "a", "tinynet_c", None)


def test_an_own_file_may_be_replaced(tmp_path):
    (tmp_path / "a").write_text("mine")
    check_output(tmp_path / "a", lambda _: True, tmp_path / "b")


def test_a_file_of_somebody_else_is_not_replaced(tmp_path):
    (tmp_path / "a").write_text("mine")
    with pytest.raises(UserError, match="a exists and was not made by this program; give another name, or remove it"):
        check_output(tmp_path / "a", lambda _: False)


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_file_that_is_read_is_not_replaced_under_any_name(tmp_path, link):
    (tmp_path / "a").write_text("mine")
    link(tmp_path / "a", tmp_path / "b")
    with pytest.raises(UserError, match="b is read and would be overwritten; give another name"):
        check_output(tmp_path / "b", lambda _: True, None, str(tmp_path / "a"))


def test_a_lack_of_space_is_noticed_before_a_file_is_written(tmp_path):
    require_space(tmp_path, 1 << 20)
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(OSError, match="No space left on device|File too large"):
        require_space(tmp_path, free + (1 << 40))
    assert names(tmp_path) == []


def test_a_folder_has_a_path_that_mindspore_takes(tmp_path):
    folder = tmp_path / "with space, ü and 'quotes'"
    folder.mkdir()
    with plain_path(folder) as plain:
        assert re.fullmatch(r"[0-9a-zA-Z@_\-.:/\\]+", str(plain))
        (plain / "a").write_text("one")
        (plain / "a").replace(folder / "b")
    assert names(folder) == ["b"]


def test_a_working_folder_that_was_removed_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UserError, match="the working folder cannot be used .*; change into another one"):
        check_working_folder()


@pytest.mark.parametrize("place", ["file.jpg/r.csv", "file.jpg/folder/r.csv"])
def test_a_file_that_cannot_be_written_is_named_before_the_work(tmp_path, place):
    (tmp_path / "file.jpg").touch()
    with pytest.raises(UserError, match=f"cannot write .*{place}: Not a directory"):
        check_output(tmp_path / place, lambda _: False)


def test_a_file_in_a_new_folder_can_be_written(tmp_path):
    check_output(tmp_path / "new" / "folder" / "r.csv", lambda _: False)
    assert list(tmp_path.iterdir()) == []
