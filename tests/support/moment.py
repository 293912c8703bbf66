"""The environment of a process that something happens to at an exact moment: see moments/sitecustomize.py."""

import os

from support.project import SUPPORT


def at(moment: str, action: str) -> dict[str, str]:
    """Return the environment in which a Python process does `action` at `moment`."""
    paths = f"{SUPPORT / 'moments'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}".rstrip(os.pathsep)
    return os.environ | {"PYTHONPATH": paths, "MOMENT": moment, "ACTION": action}
