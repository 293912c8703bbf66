"""Differences between two architectures."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from src.design.architecture import Architecture


def differences(first: Architecture, second: Architecture) -> list[str]:
    """What `first` has where `second` has something else, a fact each; empty when they differ in name alone."""
    found = _facts(first, second, "", skip=("name", "stages", "style")) + _facts(first.style, second.style, "style ")
    for index, (ours, theirs) in enumerate(zip(first.stages, second.stages, strict=False)):
        found += _facts(ours, theirs, f"stage {index} ")
    if len(first.stages) != len(second.stages):
        found.append(f"stages {len(first.stages)} (not {len(second.stages)})")
    return found


def _facts(first: Any, second: Any, where: str, skip: tuple[str, ...] = ()) -> list[str]:
    """Fields of two dataclasses of one kind that differ."""
    names = [field.name for field in fields(first) if field.name not in skip]
    pairs = [(name, getattr(first, name), getattr(second, name)) for name in names]
    return [f"{where}{name} {ours} (not {theirs})" for name, ours, theirs in pairs if ours != theirs]
