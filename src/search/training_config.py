"""The configuration file for train.py that search.py writes beside an architecture file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from src.design.architecture import Architecture, Family
from src.design.cost import total_cost
from src.runtime.files import atomic_write

CONFIG = Path(__file__).resolve().parent.parent.parent / "config"

RECIPES: dict[Family, str] = {
    "efficientnet": "efficientnet.yaml",
    "tinynet": "imagenet.yaml",
    "ghostnet": "ghostnet.yaml",
    "s_ghostnet": "s_ghostnet.yaml",
}


def save_training_config(
    network: Architecture, base: Architecture, rule: Literal["tiny", "giant"], architecture_file: Path
) -> Path:
    """Write NAME_train.yaml, with the recipe of the network's family, beside NAME.yaml, and return its path.

    Args:
        network: the network to train.
        base: the network that it was scaled from.
        rule: the rule that scaled it.
        architecture_file: NAME.yaml, which holds `network`.

    Raises:
        UserError: the folder cannot be written to.
    """
    path = architecture_file.with_name(f"{architecture_file.stem}_train.yaml")
    folder = architecture_file.absolute().parent
    cost = total_cost(network)
    size = f"{network.resolution} px, {cost.parameters / 1e6:.2f} M parameters, {cost.macs / 1e6:.1f} M MACs"
    text = f"""# {network.name}: {size}.
#   python train.py --config {path} --data_path IMAGENET
# The {rule} formula made it from {base.name}. Its accuracy is not known. Paths are relative to this file.
base: {os.path.relpath(CONFIG / RECIPES[network.family], folder)}
model: {architecture_file.name}
"""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path
