"""The outputs of an exported file, and how far they may be from those of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from src.errors import UserError

Kind = tuple[str, str]  # format and precision of a file, such as ("ONNX", "fp16")


@dataclass(frozen=True)
class Output:
    """An output of exported files.

    Args:
        name: in the file.
        shape: of one image, without the batch.
        tolerance: allowed difference for each kind of file that can be loaded again, in units.
        unit: of differences, for people.
        scale: the value of one unit; None: the largest value that is expected.
    """

    name: str
    shape: tuple[int, ...]
    tolerance: Mapping[Kind, float]
    unit: str
    scale: float | None = None

    def entry(self) -> dict[str, Any]:
        """Return the description of the output."""
        return {"name": self.name, "shape": ["batch", *self.shape], "type": "float32"}


class Differences:
    """The largest difference of each output between two programs, over all batches that are added."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self.outputs = outputs
        self._gaps, self._largest = np.zeros(len(outputs)), np.zeros(len(outputs))

    def add(self, found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> None:
        """Take the outputs of a batch. Where their number or a shape is another one, the difference is infinite."""
        for index, values in enumerate(expected):
            same_shape = len(found) == len(expected) and found[index].shape == values.shape
            gap = np.abs(found[index] - values).max() if same_shape else np.inf
            self._gaps[index] = np.maximum(self._gaps[index], gap)  # NaN remains NaN
            self._largest[index] = max(self._largest[index], np.abs(values).max())

    @property
    def values(self) -> dict[str, float]:
        """The difference of each output by its name, in units."""
        return {
            output.name: float(gap / (output.scale or largest))
            for output, gap, largest in zip(self.outputs, self._gaps, self._largest, strict=True)
        }

    def entry(self) -> Any:
        """Return the entry of the description: the difference with two digits, by name if there are several outputs."""
        rounded = {name: float(f"{value:.2g}") for name, value in self.values.items()}
        return rounded if len(rounded) > 1 else next(iter(rounded.values()))

    def check(self, kind: Kind, path: Path) -> None:
        """Compare the differences with those that are allowed for a kind of file.

        Raises:
            UserError: one is larger, or is not a number.
        """
        for output in self.outputs:
            value, allowed = self.values[output.name], output.tolerance[kind]
            if not value <= allowed:
                raise UserError(
                    f"{path.name} was not written: its {output.name} differ by {value:.1e}, more than {allowed:g}"
                )

    def __str__(self) -> str:
        return ", ".join(f"{self.values[output.name]:.2g} {output.unit}" for output in self.outputs)
