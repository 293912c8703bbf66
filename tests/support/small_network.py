"""A network of three blocks, for tests of how networks are trained: compiling takes most of their time."""

from src.design.architecture_file import load_architecture
from src.tinynet import TinyNet
from support.project import SUPPORT

SMALL_FILE = SUPPORT / "small_network.yaml"  # what commands take as --model
SMALL = load_architecture(SMALL_FILE)


def small(**options) -> TinyNet:
    """Build the network; `options` are those of `TinyNet`."""
    return TinyNet(SMALL, **options)
