"""The published networks, as the tables of their papers: EfficientNet and what is scaled from it; all by name."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from src.design.architecture import Architecture, Stage
from src.design.architecture_file import SUFFIXES, load_architecture
from src.design.ghostnet import GHOSTNETS
from src.design.scaling import compound_scale, giant_scale, tiny_scale
from src.errors import UserError, did_you_mean

# EfficientNet (ICML 2019), Table 1.
EFFICIENTNET_B0 = Architecture(
    name="efficientnet_b0",
    resolution=224,
    stem=32,
    stages=(
        #     block kernel stride expand channels repeats
        Stage("ds", 3,     1,     1,     16,      1),
        Stage("ir", 3,     2,     6,     24,      2),
        Stage("ir", 5,     2,     6,     40,      2),
        Stage("ir", 3,     2,     6,     80,      3),
        Stage("ir", 5,     1,     6,     112,     3),
        Stage("ir", 5,     2,     6,     192,     4),
        Stage("ir", 3,     1,     6,     320,     1),
    ),
    head=1280,
)  # fmt: skip


class Released(NamedTuple):
    """A released EfficientNet: factors of width and depth, pixels, and the dropout that it is trained with."""

    width: float
    depth: float
    resolution: int
    dropout: float


# As its authors released them (efficientnet_builder.py). They are rounded by hand: no phi gives exactly these.
EFFICIENTNET_COEFFICIENTS = {
    #                          width depth resolution dropout
    "efficientnet_b0": Released(1.0, 1.0,  224,       0.2),
    "efficientnet_b1": Released(1.0, 1.1,  240,       0.2),
    "efficientnet_b2": Released(1.1, 1.2,  260,       0.3),
    "efficientnet_b3": Released(1.2, 1.4,  300,       0.3),
    "efficientnet_b4": Released(1.4, 1.8,  380,       0.4),
    "efficientnet_b5": Released(1.6, 2.2,  456,       0.4),
    "efficientnet_b6": Released(1.8, 2.6,  528,       0.5),
    "efficientnet_b7": Released(2.0, 3.1,  600,       0.5),
}  # fmt: skip

EFFICIENTNETS = {
    name: giant_scale(EFFICIENTNET_B0, 1, row.width, row.depth, name).at(row.resolution)
    for name, row in EFFICIENTNET_COEFFICIENTS.items()
}

# The TinyNet paper compares with EfficientNet-B^-1 to B^-4, the giant formula turned round, at 387 / 2^k million MACs.
# Which coefficients it took is not known to us, and phi = -k misses these budgets: each phi here is the one that
# `phi_for_macs` solves for its budget.
INVERSE_GIANT_PHI = {
    #                         phi      budget, M MACs
    "efficientnet_b_minus_1": -1.24,  # 193.5
    "efficientnet_b_minus_2": -2.55,  # 96.75
    "efficientnet_b_minus_3": -3.94,  # 48.375
    "efficientnet_b_minus_4": -5.85,  # 24.1875
}

INVERSE_GIANTS = {name: compound_scale(EFFICIENTNET_B0, phi, name=name) for name, phi in INVERSE_GIANT_PHI.items()}

# Model Rubik's Cube (NeurIPS 2020): the coefficients released by its authors, B0 = (1, 1, 1).
TINYNET_COEFFICIENTS = {
    #             resolution, width, depth
    "tinynet_a": (0.86,       1.00,  1.20),
    "tinynet_b": (0.84,       0.75,  1.10),
    "tinynet_c": (0.825,      0.54,  0.85),
    "tinynet_d": (0.68,       0.54,  0.695),
    "tinynet_e": (0.475,      0.51,  0.60),
}  # fmt: skip

TINYNETS = {name: tiny_scale(EFFICIENTNET_B0, *rwd, name=name) for name, rwd in TINYNET_COEFFICIENTS.items()}

ARCHITECTURES = TINYNETS | EFFICIENTNETS | INVERSE_GIANTS | GHOSTNETS


def find_architecture(name: str) -> Architecture:
    """A published network by its name, or the one that a .yaml, .yml or .json file describes.

    Raises:
        UserError: there is no such network, or as for `load_architecture`.
    """
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    if Path(name).suffix in SUFFIXES:
        return load_architecture(name)
    raise UserError(
        f"there is no network {name!r}{did_you_mean(name, ARCHITECTURES)}; `search.py cost --all` lists all, and an "
        f"architecture file ends in {', '.join(SUFFIXES)}"
    )
