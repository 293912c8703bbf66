"""The shape of `src/`: rooms that say what belongs in them, and rooms that need no framework.

The order of the rooms (which may import which) is checked by import-linter, see `pyproject.toml`.
"""

import ast
import subprocess
import sys

import pytest
from support.project import PROJECT

SRC = PROJECT / "src"
ROOMS = sorted(folder.name for folder in SRC.iterdir() if (folder / "__init__.py").is_file())
WITHOUT_FRAMEWORK = ("config", "design", "launch", "scoring")


def test_the_top_level_holds_only_what_users_import():
    assert len(list(SRC.glob("*.py"))) <= 8


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_belongs_in_it_and_what_it_may_import(room):
    text = ast.get_docstring(ast.parse((SRC / room / "__init__.py").read_text(encoding="utf-8")))
    assert "May import" in text


@pytest.mark.parametrize("room", WITHOUT_FRAMEWORK)
def test_a_room_needs_no_framework(room):
    modules = [".".join(file.relative_to(PROJECT).with_suffix("").parts) for file in (SRC / room).glob("[!_]*.py")]
    code = f"import sys; import {', '.join(modules)}; sys.exit('mindspore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT).returncode == 0
