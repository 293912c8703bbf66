"""The published networks by name: EfficientNet and TinyNet as the tables of their papers, and the GhostNets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from src.design.architecture import Architecture, Stage, Style
from src.design.architecture_file import SUFFIXES, load_architecture
from src.design.ghostnets import GHOSTNETS
from src.design.scaling import compound_scale, giant_scale, tiny_scale
from src.errors import UserError, did_you_mean

# EfficientNet (ICML 2019), Table 1.
EFFICIENTNET_B0 = Architecture(
    name="efficientnet_b0",
    family="efficientnet",
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
    """A released EfficientNet: factors of B0's width and depth, input size in pixels, and dropout in training."""

    width: float
    depth: float
    resolution: int
    dropout: float


# As the authors released them (efficientnet_builder.py). They are rounded by hand, so that no phi gives exactly these.
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

# EfficientNet as its authors trained it: TensorFlow's padding, and a `batch_norm_epsilon` of 1e-3 (their
# efficientnet_builder.py). The networks above are timm's: PyTorch's padding and epsilon, and the same tensors.
TENSORFLOW_STYLE = Style(padding="same", bn_epsilon=1e-3)

TF_EFFICIENTNETS = {
    f"tf_{name}": replace(network, name=f"tf_{name}", style=TENSORFLOW_STYLE) for name, network in EFFICIENTNETS.items()
}

# The TinyNet paper compares with EfficientNet-B^-1 to B^-4, which the inverse giant formula makes for 387 / 2^k million
# MACs. Its coefficients are not known to us, and phi = -k misses these budgets. So `phi_for_macs` solved each phi here.
INVERSE_GIANT_PHI = {
    #                         phi      budget, M MACs
    "efficientnet_b_minus_1": -1.24,  # 193.5
    "efficientnet_b_minus_2": -2.55,  # 96.75
    "efficientnet_b_minus_3": -3.94,  # 48.375
    "efficientnet_b_minus_4": -5.85,  # 24.1875
}

INVERSE_GIANTS = {name: compound_scale(EFFICIENTNET_B0, phi, name=name) for name, phi in INVERSE_GIANT_PHI.items()}


class Coefficients(NamedTuple):
    """Coefficients of the tiny formula, as factors of EfficientNet-B0's resolution, width and depth."""

    resolution: float
    width: float
    depth: float


# Model Rubik's Cube (NeurIPS 2020): the coefficients that its authors released.
TINYNET_COEFFICIENTS = {
    #                    resolution, width, depth
    "tinynet_a": Coefficients(0.86,  1.00,  1.20),
    "tinynet_b": Coefficients(0.84,  0.75,  1.10),
    "tinynet_c": Coefficients(0.825, 0.54,  0.85),
    "tinynet_d": Coefficients(0.68,  0.54,  0.695),
    "tinynet_e": Coefficients(0.475, 0.51,  0.60),
}  # fmt: skip

TINYNETS = {name: tiny_scale(EFFICIENTNET_B0, *factors, name=name) for name, factors in TINYNET_COEFFICIENTS.items()}

ARCHITECTURES = TINYNETS | EFFICIENTNETS | TF_EFFICIENTNETS | INVERSE_GIANTS | GHOSTNETS


def find_architecture(name: str) -> Architecture:
    """Return a published network by its name, or the network that a .yaml, .yml or .json file describes.

    Raises:
        UserError: no network has this name, or as for `load_architecture`.
    """
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    if Path(name).suffix in SUFFIXES:
        return load_architecture(name)
    raise UserError(
        f"there is no network {name!r}{did_you_mean(name, ARCHITECTURES)}; `search.py cost --all` lists all, and an "
        f"architecture file ends in {', '.join(SUFFIXES)}"
    )


def label(architecture: Architecture) -> str:
    """Return the name of a network; if it computes otherwise than the published network of its name, also how."""
    published, style = ARCHITECTURES.get(architecture.name), architecture.style
    if published is None or published.style == style:
        return architecture.name
    digits, exponent = f"{style.bn_epsilon:e}".split("e")
    return f"{architecture.name} ({style.padding} padding, epsilon {float(digits):g}e{int(exponent)})"
