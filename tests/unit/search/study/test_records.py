"""The results file: whole lines, whatever happens to its writer."""

import json
import resource
from dataclasses import replace

import pytest
from support.studies import result

from src.errors import UserError
from src.search.study.records import NAME, Records, read_results


@pytest.fixture
def two(tmp_path):
    """The records of a study with two results."""
    records = Records(tmp_path)
    records.append(result(2, status="failed", top1=None, loss=None, reason="status 1: \u00fc \udcff"))
    records.append(result(1))
    return records


def test_results_come_back_as_they_were_in_the_order_of_their_numbers(two, tmp_path):
    assert read_results(tmp_path) == [two.results[1], two.results[2]]
    assert two.results[1].trial == result(1).trial


def test_a_line_is_readable_json(two):
    lines = two.path.read_text("utf-8", errors="surrogateescape").splitlines()
    keys = list(json.loads(lines[1]))
    assert keys[:5] == ["format", "number", "status", "top1", "loss"] and keys[-1] == "architecture"


def test_a_torn_last_line_is_cut_off_before_the_next_one(two, tmp_path, caplog):
    whole = two.path.read_bytes()
    for size in (1, 40, len(whole.splitlines()[1])):
        two.path.write_bytes(whole + whole.splitlines()[1][:size])
        assert [found.number for found in read_results(tmp_path)] == [1, 2]  # of a study that still runs
        records = Records(tmp_path)
        assert two.path.read_bytes() == whole and f"cut off {size} bytes" in caplog.text
        records.close()


def test_a_later_line_replaces_an_earlier_one(two, tmp_path):
    two.append(replace(result(2), attempts=3))
    assert read_results(tmp_path)[1].attempts == 3


@pytest.mark.parametrize(
    "change, words",
    [
        ("{", "line 1 is not JSON"),
        ("[]", "line 1 is no trial of format 1"),
        ({"format": 2}, "line 1 is no trial of format 1"),
        ({"number": "x"}, "line 1: number is 'x'"),
        ({"status": "dead"}, "line 1: status is 'dead'"),
        ({"notes": 5}, "line 1: trial.notes is 5"),
        ({"notes": {"w": [1]}}, "line 1: trial.notes.w"),
        ({"seed": "x"}, "line 1: trial.seed is 'x'"),
        ({"top1": float("nan")}, "line 1 is not JSON .NaN is no number"),
        ({"host": None}, "line 1: host is None"),
        ({"architecture": {}}, "line 1"),
        ({"macs": ...}, "line 1 has no macs; remove the line, and its trial runs again"),
        ({"group": ...}, "line 1 has no group; remove the line, and its trial runs again"),
    ],
)
def test_a_line_that_somebody_changed_is_refused_with_its_number(change, words, two, tmp_path):
    line = change
    if isinstance(change, dict):
        content = json.loads(two.path.read_bytes().splitlines()[1]) | change
        line = json.dumps({key: value for key, value in content.items() if value is not ...})
    two.path.write_text(line + "\n")
    with pytest.raises(UserError, match=words) as error:
        read_results(tmp_path)
    assert "\n" not in str(error.value) and str(two.path) in str(error.value)


def test_a_full_disk_keeps_the_lines_before(two, tmp_path):
    before = two.path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, hard))
        with pytest.raises(OSError, match="File too large") as error:
            two.append(result(3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.filename == str(two.path)
    assert two.path.read_bytes() == before and 3 not in two.results
    two.append(result(3))
    assert [found.number for found in read_results(tmp_path)] == [1, 2, 3]


def test_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(UserError, match="cannot read .*trials.jsonl: Is a directory"):
        read_results(tmp_path)


def test_a_study_without_results_has_none(tmp_path):
    assert read_results(tmp_path) == []
