"""The configuration file for train.py that search.py writes beside an architecture file."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

import yaml

from src.design.architecture import Architecture, Family
from src.design.cost import total_cost
from src.errors import UserError
from src.runtime.files import write_text
from src.runtime.texts import Dumper, printable, read_text

CONFIG = Path(__file__).resolve().parent.parent.parent / "config"

OWN = "Paths are relative to this file."  # words of the header that tell these files from those of users
RECIPES: dict[Family, str] = {
    "efficientnet": "efficientnet.yaml",
    "tinynet": "imagenet.yaml",
    "ghostnet": "ghostnet.yaml",
    "s_ghostnet": "s_ghostnet.yaml",
}


def save_training_config(network: Architecture, origin: str, architecture_file: Path, num_classes: int = 1000) -> Path:
    """Write NAME_train.yaml, with the recipe of the network's family, beside NAME.yaml, and return its path.

    Args:
        network: the network to train.
        origin: what made it, and what is known of its accuracy, in sentences.
        architecture_file: NAME.yaml, which holds `network`.
        num_classes: classes of the classifier, for the cost in the header.

    Raises:
        UserError: the folder cannot be written to.
    """
    path = training_config_path(architecture_file)
    folder = architecture_file.absolute().parent
    cost = total_cost(network, num_classes)
    size = f"{network.resolution} px, {cost.parameters / 1e6:.2f} M parameters, {cost.macs / 1e6:.1f} M MACs"
    header = f"""# {printable(network.name)}: {size}.
#   python train.py --config {printable(quote(str(path)))} --data_path IMAGENET
# {printable(origin)} {OWN}
"""
    keys = {"base": os.path.relpath(CONFIG / RECIPES[network.family], folder), "model": architecture_file.name}
    write_text(path, header + yaml.dump(keys, Dumper=Dumper, sort_keys=False, width=float("inf")))
    return path


def training_config_path(architecture_file: Path) -> Path:
    """Return NAME_train.yaml beside NAME.yaml."""
    return architecture_file.with_name(f"{architecture_file.stem}_train.yaml")


def is_training_config(path: Path) -> bool:
    """Return whether a file is one that `save_training_config` has written."""
    try:
        return OWN in read_text(path)
    except (OSError, UserError):
        return False
