"""Networks of few blocks, for tests of how networks are trained: compiling takes most of their time."""

from src.design.architecture import Architecture, Stage
from src.design.architecture_file import load_architecture
from src.tinynet import TinyNet
from support.project import SUPPORT

SMALL_FILE = SUPPORT / "small_network.yaml"  # what commands take as --model
SMALL = load_architecture(SMALL_FILE)

# One block with everything that a training step meets: BatchNorm, squeeze-excite, drop path over a shortcut.
ONE_BLOCK = Architecture("one_block", "tinynet", 32, 8, (Stage("ds", 3, 1, 1, 8, 1, 0.25),), head=16)


def small(**options) -> TinyNet:
    """Build the network of three blocks; `options` are those of `TinyNet`."""
    return TinyNet(SMALL, **options)


def one_block(**options) -> TinyNet:
    """Build the network of one block; `options` are those of `TinyNet`."""
    return TinyNet(ONE_BLOCK, **options)
