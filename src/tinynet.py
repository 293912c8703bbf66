"""TinyNet: the Cells of Model Rubik's Cube (NeurIPS 2020, https://arxiv.org/abs/2010.14819).

The five published networks are rows of `TINYNET_COEFFICIENTS` in `src/design/families.py`. `create_model` in
`src/models.py` builds every network by name, of this and all other families.
"""

from __future__ import annotations

from typing import Any

from src.design.families import EFFICIENTNET_B0, TINYNETS
from src.design.scaling import tiny_scale
from src.networks.efficientnet import EfficientNet

__all__ = ["TinyNet", "tinynet", "tinynet_a", "tinynet_b", "tinynet_c", "tinynet_d", "tinynet_e"]


class TinyNet(EfficientNet):
    """An EfficientNet that the tiny formula has shrunk. The Cells are the same; for the arguments see `Network`."""


def tinynet(resolution: float, width: float, depth: float, **options: Any) -> TinyNet:
    """Return EfficientNet-B0, shrunk by the three factors of the tiny formula.

    Args:
        resolution: factor of the 224 pixels.
        width: factor of the channels.
        depth: factor of the blocks in each stage.
        options: keyword arguments of `Network`.
    """
    return TinyNet(tiny_scale(EFFICIENTNET_B0, resolution, width, depth), **options)


def tinynet_a(**options: Any) -> TinyNet:
    """Return TinyNet-A: 192 px, 6.19 M parameters, 337 M MACs. `options` are keyword arguments of `Network`."""
    return TinyNet(TINYNETS["tinynet_a"], **options)


def tinynet_b(**options: Any) -> TinyNet:
    """Return TinyNet-B: 188 px, 3.73 M parameters, 201 M MACs. `options` are keyword arguments of `Network`."""
    return TinyNet(TINYNETS["tinynet_b"], **options)


def tinynet_c(**options: Any) -> TinyNet:
    """Return TinyNet-C: 184 px, 2.46 M parameters, 100 M MACs. `options` are keyword arguments of `Network`."""
    return TinyNet(TINYNETS["tinynet_c"], **options)


def tinynet_d(**options: Any) -> TinyNet:
    """Return TinyNet-D: 152 px, 2.34 M parameters, 52 M MACs. `options` are keyword arguments of `Network`."""
    return TinyNet(TINYNETS["tinynet_d"], **options)


def tinynet_e(**options: Any) -> TinyNet:
    """Return TinyNet-E: 106 px, 2.04 M parameters, 24 M MACs. `options` are keyword arguments of `Network`."""
    return TinyNet(TINYNETS["tinynet_e"], **options)
