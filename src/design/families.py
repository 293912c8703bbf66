"""The published networks, as the tables of their papers."""

from __future__ import annotations

from src.design.architecture import Architecture, Stage
from src.design.scaling import tiny_scale

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
