"""Verify that an exported file computes the logits of the network: load it again and run it on real images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import mindspore as ms
import numpy as np
from mindspore import nn

from src.errors import UserError
from src.images.decoding import decode_error
from src.images.folder import list_images
from src.images.preprocess import Preprocess

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# Allowed difference between logits, as a share of the largest logit. Other files cannot be loaded again.
TOLERANCE = {
    (
        "MINDIR",
        "fp32",
    ): 1e-4,  # measured: 2e-6 for a trained network, 2e-5 for deep random networks (folding rounds)
    ("ONNX", "fp32"): 1e-4,
    ("MINDIR", "fp16"): 2e-2,  # measured: 1e-3 for a trained network, 9e-3 for random networks
    ("ONNX", "fp16"): 2e-2,
    ("ONNX", "int8"): 0.25,  # measured: 0.04 for a trained network
}
SAMPLES = Path(__file__).resolve().parent.parent.parent / "assets" / "samples"
MAX_IMAGES = 8  # of a folder: enough to differ, few enough to be quick


def verification_pixels(preprocess: Preprocess, source: Path | None = None) -> np.ndarray:
    """Return crops, uint8 (n, size, size, 3), of an image, up to 8 images of a folder, or the project's photographs.

    Raises:
        UserError: as `crops_of`.
    """
    return crops_of(source or SAMPLES, MAX_IMAGES, preprocess, "images")


def crops_of(source: Path, limit: int, preprocess: Preprocess, option: str) -> np.ndarray:
    """Return crops, uint8 (n, size, size, 3), of an image, or of up to `limit` images spread evenly over a folder.

    Raises:
        UserError: the path is missing, holds no images, or an image cannot be decoded. The error names the `option`.
    """
    files = [str(source)] if source.is_file() else list_images(source).images
    if not files:
        raise UserError(f"{option}: {source} is neither an image nor a folder of images")
    count = min(limit, len(files))
    chosen = [files[index * len(files) // count] for index in range(count)]
    for path in chosen:
        if reason := decode_error(path):
            raise UserError(f"{option}: {path}: {reason}")
    return np.stack([preprocess.pixels(path) for path in chosen])


def difference(path: Path, images: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference between the file's logits and the expected logits, as a share of the largest logit.

    Args:
        images: a batch of the file's input.
        expected: logits (n, classes). If the file's have another shape, the difference is infinite.
    """
    logits = {".mindir": run_mindir, ".onnx": run_onnx}[path.suffix](path, images)
    if logits.shape != expected.shape:
        return float("inf")
    return float(np.abs(logits - expected).max() / np.abs(expected).max())


def check_difference(largest: float, allowed: float, path: Path) -> None:
    """Compare a difference of logits with the largest that is allowed.

    Raises:
        UserError: it is larger, or is not a number.
    """
    if not largest <= allowed:
        raise UserError(f"{path.name} was not written: its logits differ by {largest:.1e}, more than {allowed:g}")


def run_mindir(path: Path, images: np.ndarray) -> np.ndarray:
    """Return the logits of a MINDIR file, computed by MindSpore."""
    return nn.GraphCell(ms.load(str(path)))(ms.Tensor(images)).asnumpy()


def run_onnx(path: Path, images: np.ndarray) -> np.ndarray:
    """Return the logits of an ONNX file, computed by ONNX Runtime.

    Raises:
        UserError: ONNX Runtime is not installed.
    """
    session = onnx_session(path)
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def onnx_session(path: Path, threads: int = 0) -> InferenceSession:
    """Open an ONNX file in ONNX Runtime on the CPU; 0 threads: one for each core.

    Raises:
        UserError: ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise UserError("verifying an ONNX file needs ONNX Runtime; `pip install onnxruntime`") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
