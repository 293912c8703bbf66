"""A float ONNX file to one of 8-bit integers: ONNX Runtime's static quantization after training.

Weights are signed, with a scale a channel; activations unsigned, with the range that they have on calibration images.
The file needs opset 13, where scales a channel begin. Weights keep 7 of their 8 bits: processors without VNNI add
pairs of products in 16 bits, which full weights overflow (measured on digits: logits 20 % off, 5 % with 7 bits).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from src.deploy.deployed_network import INPUT
from src.deploy.onnx_file import onnx_package
from src.deploy.timing import onnx_seconds
from src.deploy.verification import onnx_session

OPSET = 13
CALIBRATION_IMAGES = 256
ROUNDS = 50  # of the comparison of speeds


@dataclass(frozen=True)
class Comparison:
    """The 8-bit file against the float one, on the same images.

    In % of the images: `agreement`, the same class as the float file's; `top1` and `float_top1`, the right one, where
    there are labels. `largest_difference` is a share of the largest float logit. `slowdown` is the time of a batch by
    the float file's, with one thread: above 1 the 8-bit file is slower.
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
        """Plain values for JSON, without scores where there are no labels."""
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


def quantize(source: Path, target: Path, batches: list[np.ndarray]) -> None:
    """Write `target`, the 8-bit form of the float file `source`, calibrated on `batches` of its input."""
    onnx = onnx_package()
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.batches: Iterator[np.ndarray] = iter(batches)

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(({INPUT: batch} for batch in self.batches), None)

    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / source.name
        onnx.save(onnx.version_converter.convert_version(onnx.load(source), OPSET), prepared)
        quant_pre_process(prepared, prepared, skip_optimization=True, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            Reader(),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    onnx.checker.check_model(onnx.load(target), full_check=True)


def compare(
    path: Path, source: Path, batches: Iterable[np.ndarray], count: int, labels: np.ndarray | None = None
) -> Comparison:
    """Hold the 8-bit file at `path` against the float file `source`, on the first `count` images of `batches`.

    `labels`: class of each image. Speeds are those of the first batch.
    """
    sessions = [onnx_session(file) for file in (path, source)]
    logits: list[list[np.ndarray]] = [[], []]
    example = None
    for batch in batches:
        example = batch if example is None else example
        for session, found in zip(sessions, logits):
            found.append(session.run(None, {INPUT: batch})[0])
    found, expected = (np.concatenate(parts)[:count] for parts in logits)
    seconds, float_seconds = onnx_seconds((path, source), example, threads=1, rounds=ROUNDS)
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


def _percent(right: np.ndarray) -> float:
    return float(100 * np.mean(right))
