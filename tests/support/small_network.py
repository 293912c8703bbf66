"""Networks of few blocks, for tests of how networks are trained: compiling takes most of their time."""

from src.design.architecture_file import load_architecture
from src.tinynet import TinyNet
from support.project import SUPPORT

SMALL_FILE = SUPPORT / "small_network.yaml"  # what commands take as --model
SMALL = load_architecture(SMALL_FILE)
ONE_BLOCK_FILE = SUPPORT / "one_block.yaml"
ONE_BLOCK = load_architecture(ONE_BLOCK_FILE)


def small(**options) -> TinyNet:
    """Build the network of three blocks; `options` are those of `TinyNet`."""
    return TinyNet(SMALL, **options)


def one_block(**options) -> TinyNet:
    """Build the network of one block; `options` are those of `TinyNet`."""
    return TinyNet(ONE_BLOCK, **options)
