"""Differences between two architectures."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from src.design.architecture import Architecture


def differences(first: Architecture, second: Architecture) -> list[str]:
    """Return a text for each value that differs, such as `resolution 184 (not 152)`, where `first` has the 184.

    Name and family do not count: networks that differ in nothing else have the same Cells. The list is then empty.
    """
    labels = ("name", "family")
    found = _facts(first, second, "", skip=(*labels, "stages", "style")) + _facts(first.style, second.style, "style ")
    for index, (ours, theirs) in enumerate(zip(first.stages, second.stages, strict=False)):
        found += _facts(ours, theirs, f"stage {index} ")
    if len(first.stages) != len(second.stages):
        found.append(f"stages {len(first.stages)} (not {len(second.stages)})")
    return found


def _facts(first: Any, second: Any, where: str, skip: tuple[str, ...] = ()) -> list[str]:
    """Return a text for each field in which two dataclasses of one type differ."""
    names = [field.name for field in fields(first) if field.name not in skip]
    pairs = [(name, getattr(first, name), getattr(second, name)) for name in names]
    return [f"{where}{name} {ours} (not {theirs})" for name, ours, theirs in pairs if ours != theirs]
