"""Does an exported file compute what the network computes? Loaded again and run on real images."""

from __future__ import annotations

from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn

from src.errors import UserError
from src.image_faults import decode_fault
from src.image_folder import list_images
from src.preprocess import Preprocess

TOLERANCE = {"MINDIR": 1e-5, "ONNX": 1e-4}  # of the largest logit; other formats cannot be loaded again
SAMPLES = Path(__file__).resolve().parent.parent.parent / "assets" / "samples"
IMAGES = 8  # of a folder: enough to differ, few enough to be quick


def verification_images(preprocess: Preprocess, source: Path | None = None) -> np.ndarray:
    """Network input (n, 3, size, size) from an image, the first images of a folder, or the project's photographs.

    Raises:
        UserError: no such path, no image in it, or one that cannot be decoded.
    """
    source = source or SAMPLES
    files = [str(source)] if source.is_file() else list_images(source)[0][:IMAGES]
    if not files:
        raise UserError(f"images: {source} is no image and no folder of images")
    for path in files:
        if fault := decode_fault(path):
            raise UserError(f"images: {path}: {fault}")
    return np.stack([preprocess.normalize(preprocess.pixels(path)) for path in files])


def difference(path: Path, images: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference between the file's logits and the expected ones, as a share of the largest logit."""
    logits = {".mindir": run_mindir, ".onnx": run_onnx}[path.suffix](path, images)
    if logits.shape != expected.shape:
        return float("inf")
    return float(np.abs(logits - expected).max() / np.abs(expected).max())


def run_mindir(path: Path, images: np.ndarray) -> np.ndarray:
    """Logits of a MINDIR file, in MindSpore."""
    return nn.GraphCell(ms.load(str(path)))(ms.Tensor(images)).asnumpy()


def run_onnx(path: Path, images: np.ndarray) -> np.ndarray:
    """Logits of an ONNX file, in ONNX Runtime.

    Raises:
        UserError: ONNX Runtime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise UserError("verifying an ONNX file needs ONNX Runtime; `pip install onnxruntime`") from None
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]
