"""Compare an 8-bit file with the float file of the same network: results, size and speed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from src.deploy.deployed_network import INPUT
from src.deploy.output import Differences, Output
from src.deploy.timing import onnx_seconds
from src.deploy.verification import onnx_session

ROUNDS = 50  # of the speed measurement


class Score(NamedTuple):
    """A score of both files in %: its key in the description, its name for people, and the values."""

    key: str
    label: str
    value: float
    float_value: float


class Judge(ABC):
    """Looks at the outputs of both files, batch by batch, and says how well they agree.

    `result` is what an image has in common if both files agree on it.
    """

    result: ClassVar[str]

    @abstractmethod
    def add(self, found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> None:
        """Take the outputs of the 8-bit and of the float file for the next images."""

    @abstractmethod
    def agreement(self) -> float:
        """Return the share of images on which both files agree, in %."""

    @abstractmethod
    def scores(self) -> tuple[Score, ...]:
        """Return scores of all images; none if there are no labels."""


@dataclass(frozen=True)
class Comparison:
    """An 8-bit file compared with the float file, on the same images.

    Args:
        images: how many images were compared.
        result: what `agreement` is about, such as `class`.
        agreement: images for which both files give the same result, in %.
        differences: of the outputs.
        slowdown: time of a batch divided by that of the float file, with one thread; above 1, the 8-bit file is slower.
        bytes: size of the 8-bit file.
        float_bytes: size of the float file.
        scores: of both files, if there are labels.
    """

    images: int
    result: str
    agreement: float
    differences: Differences
    slowdown: float
    bytes: int
    float_bytes: int
    scores: tuple[Score, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "images": self.images,
            "agreement": self.agreement,
            "largest_difference": self.differences.entry(),
            "slowdown": self.slowdown,
            "bytes": self.bytes,
            "float_bytes": self.float_bytes,
            **{score.key: score.value for score in self.scores},
            **{f"float_{score.key}": score.float_value for score in self.scores},
        }

    def __str__(self) -> str:
        speed = f"{self.slowdown:.2f} x the time: slower" if self.slowdown > 1 else f"{1 / self.slowdown:.2f} x as fast"
        scores = "".join(
            f"{label} {value:.2f} % instead of {before:.2f} % ({value - before:+.2f}), "
            for _, label, value, before in self.scores
        )
        return (
            f"{scores}same {self.result} for {self.agreement:.2f} % of {self.images} images, largest difference "
            f"{self.differences}, {self.bytes / 1e6:.2f} MB instead of {self.float_bytes / 1e6:.2f} MB, {speed} on "
            "this machine's CPU"
        )


def compare(
    path: Path, source: Path, outputs: Sequence[Output], batches: Iterable[np.ndarray], count: int, judge: Judge
) -> Comparison:
    """Compare the 8-bit file at `path` with the float file `source` on the first `count` images of `batches`.

    Args:
        path: the 8-bit file.
        source: the float file.
        outputs: of both.
        batches: inputs of the files, at least one. The speed is measured on the first.
        count: images that count; the last batch may have more.
        judge: sees the outputs of these images.
    """
    sessions, differences = (onnx_session(path), onnx_session(source)), Differences(outputs)
    remaining, left = iter(batches), count
    first = next(remaining)
    for batch in chain([first], remaining):
        found, expected = ([value[:left] for value in session.run(None, {INPUT: batch})] for session in sessions)
        differences.add(found, expected)
        judge.add(found, expected)
        left -= len(found[0])
    seconds, float_seconds = onnx_seconds((path, source), first, threads=1, rounds=ROUNDS)
    return Comparison(
        images=count,
        result=judge.result,
        agreement=judge.agreement(),
        differences=differences,
        slowdown=seconds / float_seconds,
        bytes=path.stat().st_size,
        float_bytes=source.stat().st_size,
        scores=judge.scores(),
    )
