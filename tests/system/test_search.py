"""search.py as a user runs it, from a foreign folder, on a machine without MindSpore."""

import json
import os
import subprocess
import sys

import pytest
from support.project import PROJECT


@pytest.fixture
def search(tmp_path):
    """Runs search.py where importing MindSpore or PyTorch fails; gives status, output and error."""
    for name in ("mindspore", "torch"):
        (tmp_path / "without" / name).mkdir(parents=True)
        (tmp_path / "without" / name / "__init__.py").write_text("raise SystemExit('imported')")

    def run(*words):
        command = [sys.executable, str(PROJECT / "search.py"), *words]
        environment = os.environ | {"PYTHONPATH": str(tmp_path / "without")}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
        return done.returncode, done.stdout, done.stderr

    return run


def test_a_network_for_a_budget_becomes_a_file_that_all_commands_read(search, tmp_path):
    status, out, err = search("formula", "--macs", "60M", "--output", "mine.yaml", "--plot", "mine.png")
    assert (status, err) == (0, "") and "written to mine.yaml" in out
    assert (tmp_path / "mine.png").read_bytes().startswith(b"\x89PNG")
    status, out, err = search("cost", "mine.yaml", "--json")
    assert (status, err) == (0, "") and json.loads(out)["macs"] == pytest.approx(6e7, rel=0.01)
    status, out, err = search("compare", "tinynet_d", "mine.yaml")
    assert (status, err) == (0, "") and "efficientnet_b0_tiny_60m" in out


@pytest.mark.parametrize(
    "words, text",
    [
        (["--help"], "\n    formula   "),
        (["cost", "--all"], "\ntinynet_c "),
        (["formula", "--macs", "1G", "--rule", "giant"], "giant formula, efficientnet_b0 scaled by phi"),
        (["table"], "\n| `tinynet_c` | 184 | 2,457,234 | 99.5 M | 71.2 |"),
    ],
)
def test_commands_print(search, words, text):
    status, out, err = search(*words)
    assert (status, err) == (0, "") and text in out


@pytest.mark.parametrize(
    "words, text",
    [
        (["fromula"], "unknown command 'fromula'; did you mean 'formula'?; expected cost, "),
        (["formula", "--macs", "50M", "--points", "nowhere.csv"], "cannot read the points nowhere.csv"),
        (["formula", "--macs", "50M", "--rule", "giant", "--output", "/proc/x.yaml"], "cannot write /proc/x.yaml"),
        (["compare", "tinynet_a"], "name two"),
        (["table", "--write", "nowhere.md"], "cannot read nowhere.md"),
    ],
)
def test_mistakes_end_with_one_line(search, words, text):
    status, out, err = search(*words)
    assert (status, out, err.count("\n")) == (2, "", 1) and err.startswith("error: ") and text in err
