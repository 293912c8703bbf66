"""EfficientNet (ICML 2019, https://arxiv.org/abs/1905.11946): the network that TinyNets are shrunk from.

Both have the same Cells; B0 to B7 and the inverse giants B^-1 to B^-4 are rows in `src/design/families.py`.
"""

from __future__ import annotations

from src.design.families import EFFICIENTNET_B0
from src.design.scaling import compound_scale
from src.tinynet import TinyNet


class EfficientNet(TinyNet):
    """As `TinyNet`, with EfficientNet's numbers."""


def efficientnet(phi: float, **options) -> EfficientNet:
    """B0 scaled by the compound coefficient: above 0 the giant formula, below 0 its inverse; `options` as `Network`'s.

    The released B1 to B7 are rounded by hand and not among these; `create_model("efficientnet_b1")` builds them.
    """
    return EfficientNet(compound_scale(EFFICIENTNET_B0, phi), **options)
