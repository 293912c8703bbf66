"""Does an exported file compute what the network computes? Loaded again and run on real images."""

from __future__ import annotations

from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn

from src.errors import UserError
from src.images.faults import decode_fault
from src.images.folder import list_images
from src.images.preprocess import Preprocess

# Allowed difference between logits, as a share of the largest one; what is not here cannot be loaded again.
TOLERANCE = {
    ("MINDIR", "fp32"): 1e-4,  # measured: 2e-6 of a trained network, 2e-5 of deep random ones, whose folding rounds
    ("ONNX", "fp32"): 1e-4,
    ("MINDIR", "fp16"): 2e-2,  # measured: 1e-3 of a trained network, 9e-3 of random ones
    ("ONNX", "fp16"): 2e-2,
    ("ONNX", "int8"): 0.25,  # measured: 0.04 of a trained network
}
SAMPLES = Path(__file__).resolve().parent.parent.parent / "assets" / "samples"
IMAGES = 8  # of a folder: enough to differ, few enough to be quick


def verification_pixels(preprocess: Preprocess, source: Path | None = None) -> np.ndarray:
    """Crops, uint8 (n, size, size, 3), of an image, of some images of a folder, or of the project's photographs.

    Raises:
        UserError: as `crops_of`.
    """
    return crops_of(source or SAMPLES, IMAGES, preprocess, "images")


def crops_of(source: Path, limit: int, preprocess: Preprocess, option: str) -> np.ndarray:
    """Crops, uint8 (n, size, size, 3), of an image, or of up to `limit` images spread evenly over a folder.

    Raises:
        UserError: naming the `option`: no such path, no image in it, or one that cannot be decoded.
    """
    files = [str(source)] if source.is_file() else list_images(source)[0]
    if not files:
        raise UserError(f"{option}: {source} is no image and no folder of images")
    chosen = [files[index * len(files) // min(limit, len(files))] for index in range(min(limit, len(files)))]
    for path in chosen:
        if fault := decode_fault(path):
            raise UserError(f"{option}: {path}: {fault}")
    return np.stack([preprocess.pixels(path) for path in chosen])


def difference(path: Path, images: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference between the file's logits and the expected ones, as a share of the largest logit.

    `images` are as the file takes them.
    """
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
    session = onnx_session(path)
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def onnx_session(path: Path, threads: int = 0):
    """An ONNX file in ONNX Runtime, on the CPU; 0 threads: one a core.

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
