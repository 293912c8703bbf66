"""The view that an export has of a network: how images become its input, its outputs, and what describes it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mindspore import nn

from src.deploy.batches import full_batches
from src.deploy.comparison import Comparison
from src.deploy.deployed_network import DeployedNetwork, InputType, as_input
from src.deploy.folding import folded
from src.deploy.output import Output
from src.design.cost import Cost
from src.images.image_file import ImageRef
from src.images.preprocess import Preprocess


class Exportable(ABC):
    """A network to export. Formats, precision, verification and converters are the same for every task.

    Attributes:
        name: of the network, and of its files by default.
        network: in evaluation mode, with float32 weights.
        decode: turns the results of `network` into the outputs, in float32 whatever the precision of the file; None if
            the results are the outputs.
        preprocess: size, mean and deviation of the input.
        outputs: of the files, in order.
        cost: of one image.
    """

    name: str
    network: nn.Cell
    decode: nn.Cell | None = None
    preprocess: Preprocess
    outputs: tuple[Output, ...]
    cost: Cost

    @abstractmethod
    def pixels(self, image: ImageRef) -> np.ndarray:
        """Decode an image and return the part that the network sees: uint8 (size, size, 3).

        Raises:
            ImageError: that fails; the text begins with the file.
        """

    @abstractmethod
    def entries(self) -> dict[str, Any]:
        """Return what only this task has in the description: outputs, preprocessing and classes."""

    @abstractmethod
    def save_weights(self, path: Path) -> None:
        """Write the weights without a graph.

        Raises:
            UserError: the file cannot be written, or the format has no names for this network.
        """

    @abstractmethod
    def compare(self, path: Path, source: Path, calibration: np.ndarray) -> Comparison:
        """Compare an 8-bit file with the float file `source` on the user's data set, else on the calibration images.

        Raises:
            UserError: an image of the data set is missing or bad, or its classes are others.
        """

    def inputs(self, files: Sequence[ImageRef], batch_size: int, input_type: InputType) -> Iterator[np.ndarray]:
        """Give the inputs of images in batches; the last batch is filled with the first images."""
        for positions in full_batches(len(files), batch_size):
            pixels = np.stack([self.pixels(files[position]) for position in positions])
            yield as_input(pixels, self.preprocess, input_type)

    def deployed(self, *, fold: bool = False, pixels: bool = False, half: bool = False) -> DeployedNetwork:
        """Return the graph of a file; for the arguments see `DeployedNetwork`. Only `fold` makes a copy."""
        network = folded(self.network) if fold else self.network
        return DeployedNetwork(network, self.preprocess, pixels=pixels, half=half, decode=self.decode)
