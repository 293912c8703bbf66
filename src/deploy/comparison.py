"""Compare an 8-bit file with the float file of the same network: classes, logits, size and speed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from src.deploy.deployed_network import INPUT
from src.deploy.timing import onnx_seconds
from src.deploy.verification import onnx_session

ROUNDS = 50  # of the speed measurement


@dataclass(frozen=True)
class Comparison:
    """An 8-bit file compared with the float file, on the same images.

    Args:
        images: how many images were compared.
        agreement: images for which both files name the same class, in %.
        largest_difference: largest difference of logits, as a share of the largest float logit.
        slowdown: time of a batch divided by that of the float file, with one thread; above 1, the 8-bit file is slower.
        bytes: size of the 8-bit file.
        float_bytes: size of the float file.
        top1: accuracy of the 8-bit file in %, if there are labels.
        float_top1: accuracy of the float file in %, if there are labels.
    """

    images: int
    agreement: float
    largest_difference: float
    slowdown: float
    bytes: int
    float_bytes: int
    top1: float | None = None
    float_top1: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, without accuracies if there are no labels."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def __str__(self) -> str:
        speed = f"{self.slowdown:.2f} x the time: slower" if self.slowdown > 1 else f"{1 / self.slowdown:.2f} x as fast"
        scores = ""
        if self.top1 is not None and self.float_top1 is not None:
            change = self.top1 - self.float_top1
            scores = f"top-1 {self.top1:.2f} % instead of {self.float_top1:.2f} % ({change:+.2f}), "
        return (
            f"{scores}same class for {self.agreement:.2f} % of {self.images} images, largest difference "
            f"{self.largest_difference:.2g} of the largest logit, {self.bytes / 1e6:.2f} MB instead of "
            f"{self.float_bytes / 1e6:.2f} MB, {speed} on this machine's CPU"
        )


def compare(
    path: Path, source: Path, batches: Iterable[np.ndarray], count: int, labels: np.ndarray | None = None
) -> Comparison:
    """Compare the 8-bit file at `path` with the float file `source` on the first `count` images of `batches`.

    Args:
        batches: inputs of the files, at least one. The speed is measured on the first.
        labels: class index of each image, (count,).
    """
    session, float_session = onnx_session(path), onnx_session(source)
    logits: list[np.ndarray] = []
    float_logits: list[np.ndarray] = []
    remaining = iter(batches)
    first = next(remaining)
    for batch in chain([first], remaining):
        logits.append(session.run(None, {INPUT: batch})[0])
        float_logits.append(float_session.run(None, {INPUT: batch})[0])
    found, expected = np.concatenate(logits)[:count], np.concatenate(float_logits)[:count]
    seconds, float_seconds = onnx_seconds((path, source), first, threads=1, rounds=ROUNDS)
    return Comparison(
        images=count,
        agreement=_percent(found.argmax(1) == expected.argmax(1)),
        largest_difference=float(np.abs(found - expected).max() / np.abs(expected).max()),
        slowdown=seconds / float_seconds,
        bytes=path.stat().st_size,
        float_bytes=source.stat().st_size,
        top1=None if labels is None else _percent(found.argmax(1) == labels),
        float_top1=None if labels is None else _percent(expected.argmax(1) == labels),
    )


def _percent(is_right: np.ndarray) -> float:
    return float(100 * np.mean(is_right))
