"""A network of few blocks, for tests of how networks are trained: compiling takes most of their time."""

from src.design.architecture import Architecture, Stage
from src.tinynet import TinyNet

# Every kind of block that a TinyNet has: without and with expansion, with and without an input that is added.
SMALL = Architecture(
    "small",
    resolution=32,
    stem=8,
    stages=(Stage("ds", 3, 2, 1, 8, 1), Stage("ir", 5, 2, 2, 16, 2)),
    head=1280,
)


def small(**options) -> TinyNet:
    """`options` as for `TinyNet`."""
    return TinyNet(SMALL, **options)
