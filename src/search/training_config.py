"""A configuration for train.py beside an architecture file: the recipe of the network's family."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from src.design.architecture import Architecture
from src.design.cost import total_cost
from src.runtime.files import atomic_write

CONFIG = Path(__file__).resolve().parent.parent.parent / "config"


def save_training_config(
    network: Architecture, base: Architecture, rule: Literal["tiny", "giant"], architecture_file: Path
) -> Path:
    """Write NAME_train.yaml beside NAME.yaml, which holds `network`; its path.

    Raises:
        UserError: the folder cannot be written to.
    """
    path = architecture_file.with_name(f"{architecture_file.stem}_train.yaml")
    folder = architecture_file.absolute().parent
    parameters, macs, _ = total_cost(network)
    text = f"""# {network.name}: {network.resolution} px, {parameters / 1e6:.2f} M parameters, {macs / 1e6:.1f} M MACs.
#   python train.py --config {path} --data_path IMAGENET
# The {rule} formula made it from {base.name}; nobody has published an accuracy. Paths are seen from this file.
base: {os.path.relpath(CONFIG / recipe_of(base, rule), folder)}
model: {architecture_file.name}
"""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def recipe_of(base: Architecture, rule: Literal["tiny", "giant"]) -> str:
    """The file of config/ that networks like `base` are trained by."""
    if base.stages[0].block == "ghost":
        return "ghostnet.yaml"
    return "imagenet.yaml" if rule == "tiny" else "efficientnet.yaml"
