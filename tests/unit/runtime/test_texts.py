"""Texts that users edit: encodings, YAML by its version 1.2, keys that stand twice, names for any output."""

import json
import math
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from src.errors import UserError
from src.runtime.texts import (
    Dumper,
    printable,
    printable_lines,
    read_json,
    read_lines,
    read_text,
    read_yaml,
    shortened,
    utf8_name,
)


def yaml_of(tmp_path, text):
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path)


@pytest.mark.parametrize("read", [read_text, read_lines, read_yaml, read_json])
def test_a_device_is_refused_because_it_may_have_no_end(read):
    with pytest.raises(UserError, match="/dev/zero is a device; give a file or a pipe"):
        read(Path("/dev/zero"))


def test_a_pipe_is_read():
    read, write = os.pipe()
    os.write(write, b"epochs: 3\n")
    os.close(write)
    assert read_yaml(Path(f"/dev/fd/{read}")) == {"epochs": 3}
    os.close(read)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_text_is_the_same_from_every_system(tmp_path, mark, end):
    (tmp_path / "a").write_bytes(mark + end.join(["Katze", "Vögel", "鱼", ""]).encode())
    assert read_text(tmp_path / "a") == "Katze\nVögel\n鱼\n"


@pytest.mark.parametrize(
    "content, lines",
    [
        ("a\nb", ["a", "b"]),
        ("a \t\r\nb\r\n", ["a", "b"]),
        ("\n\n", ["", ""]),
        ("", []),
        (" a\x0b\u2028b\n", [" a\x0b\u2028b"]),
    ],
)
def test_lines_have_no_blanks_at_their_ends(tmp_path, content, lines):
    (tmp_path / "a").write_text(content, encoding="utf-8", newline="")
    assert read_lines(tmp_path / "a") == lines


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_utf_16_is_named(tmp_path, encoding):
    (tmp_path / "a").write_bytes("cat\n".encode(encoding))
    with pytest.raises(UserError, match="a is in UTF-16; save it as UTF-8"):
        read_text(tmp_path / "a")


def test_the_line_with_another_encoding_is_named(tmp_path):
    (tmp_path / "a").write_bytes("cat\r\nVögel\r\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"a: line 2 is not UTF-8 \(byte 0xf6\); save the file as UTF-8"):
        read_text(tmp_path / "a")


@pytest.mark.parametrize(
    "text, value",
    [
        ("1e-3", 0.001),
        ("2e0", 2.0),
        ("-1E+2", -100.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("1.0e-3", 0.001),
        ("010", 10),
        ("+3", 3),
        ("0o10", 8),
        ("0x1F", 31),
        ("on", "on"),
        ("No", "No"),
        ("true", True),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("~", None),
        ("", None),
        ("'1'", "1"),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(tmp_path, text, value):
    found = yaml_of(tmp_path, f"a: {text}")["a"]
    assert found == value and type(found) is type(value)


def test_infinity_and_nan_are_numbers(tmp_path):
    assert yaml_of(tmp_path, "[.inf, -.INF]") == [math.inf, -math.inf]
    assert math.isnan(yaml_of(tmp_path, ".nan"))


@pytest.mark.parametrize("text", ["lr: 0.1\nepochs: 3\nlr: 0.001", "lr: 1\n'lr': 2", "a: {lr: 1, b: 2, lr: 3}"])
def test_a_yaml_key_that_stands_twice_is_named(tmp_path, text):
    with pytest.raises(UserError, match=r"a.yaml is not valid YAML: line \d, column \d+: the key 'lr' stands twice"):
        yaml_of(tmp_path, text)


def test_a_merged_key_may_be_overruled(tmp_path):
    text = "base: &base {lr: 1, epochs: 2}\nx: {y: &y {<<: *base, lr: 3}}\nz: {<<: *y, epochs: 4}"
    assert yaml_of(tmp_path, text)["z"] == {"lr": 3, "epochs": 4}


@pytest.mark.parametrize(
    "text, fault",
    [
        ("\tlr: 1", r"line 1, column 1: found character '\\t' .*; put spaces in the place of the tab"),
        ("a: b: c", "line 1, column 5: mapping values are not allowed here"),
        ("a: &a [*a]", "a list or mapping contains itself by an alias"),
        ("&a {b: 1, c: *a}", "a list or mapping contains itself by an alias"),
        ("lr:\t0.1", r"line 1, column 4: found character '\\t' .*; put spaces in the place of the tab"),
        ("a: !!python/object:os.system {}", "line 1, column 4: unknown tag tag:yaml.org,2002:python/object:os.system"),
        ("a: !!timestamp 9", "unknown tag"),
        ("a: !!int nine", "invalid literal"),
        ("a: !!bool nine", "'nine'"),
        ("a: \0", "special characters are not allowed"),
    ],
)
def test_a_fault_of_yaml_is_one_line(tmp_path, text, fault):
    with pytest.raises(UserError, match=f"a.yaml is not valid YAML: .*{fault}") as raised:
        yaml_of(tmp_path, text)
    assert "\n" not in str(raised.value)


def test_a_number_too_long_to_read_is_one_line(tmp_path):
    with pytest.raises(UserError, match="not valid YAML: .*integer string conversion"):
        yaml_of(tmp_path, "a: " + "9" * 5000)


def test_a_text_that_is_nested_too_deeply_is_refused(tmp_path):
    assert yaml_of(tmp_path, "[" * 100 + "]" * 100) != []
    with pytest.raises(UserError, match="line 1, column 101: nested more than 100 deep"):
        yaml_of(tmp_path, "[" * 3000)


def test_json_that_is_nested_too_deeply_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match="a.json is not valid JSON: it is nested too deeply"):
        read_json(tmp_path / "a.json")


def test_aliases_that_multiply_are_refused_at_once(tmp_path):
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30))]
    with pytest.raises(UserError, match="aliases stand for more than 100,000 values"):
        yaml_of(tmp_path, "\n".join(lines))


@given(st.text() | st.floats(allow_nan=False) | st.integers() | st.booleans() | st.none())
def test_what_is_written_reads_the_same(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("yaml") / "a.yaml"
    path.write_text(yaml.dump({"a": value}, Dumper=Dumper), encoding="utf-8")
    assert read_yaml(path) == {"a": value}


@pytest.mark.parametrize(
    "text, fault",
    [
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' stands twice"),
        ("{", "Expecting property name"),
    ],
)
def test_a_fault_of_json_is_one_line(tmp_path, text, fault):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(UserError, match=f"a.json is not valid JSON: {fault}"):
        read_json(tmp_path / "a.json")


def test_json_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n')
    assert read_json(tmp_path / "a.json") == {"a": 1}


def test_a_name_is_the_same_in_every_locale(monkeypatch):
    seen = "Vögel 鱼".encode()
    assert utf8_name("Vögel 鱼") == "Vögel 鱼"
    monkeypatch.setattr("os.fsencode", lambda name: name.encode("latin-1"))
    assert utf8_name(seen.decode("latin-1")) == "Vögel 鱼"


def test_a_name_is_printed_in_one_line():
    name = os.fsdecode(b"a\nb\x1b[31m b\xe9 \xe9\xb1\xbc")
    assert printable(name) == r"a\nb\x1b[31m b\udce9 鱼"


def test_lines_stay_lines():
    assert printable_lines("a\x1b[31m\n\n  b\tc\n") == "a\\x1b[31m\n\n  b\\tc\n"


@given(st.text())
def test_every_name_can_be_printed_and_written(text):
    line = printable(text)
    assert "\n" not in line and "\r" not in line
    assert json.loads(json.dumps(line).encode()) == line


@given(st.text(max_size=40), st.integers(3, 30))
def test_a_shortened_text_keeps_its_ends(text, longest):
    short = shortened(text, longest)
    assert short == text if len(text) <= longest else len(short) == longest
    assert (short[0], short[-1]) == (text[0], text[-1]) if text else short == ""
