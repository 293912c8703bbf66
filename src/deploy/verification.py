"""Verify that an exported file computes what the network computes: load it again and run it on real images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import mindspore as ms
import numpy as np
from mindspore import nn

from src.errors import UserError
from src.images.decoding import decode_error
from src.images.folder import list_images

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SAMPLES = Path(__file__).resolve().parent.parent.parent / "assets" / "samples"
MAX_IMAGES = 8  # of a folder: enough to differ, few enough to be quick


def pixels_of(source: Path, limit: int, read: Callable[[str], np.ndarray], option: str) -> np.ndarray:
    """Return the pixels, uint8 (n, size, size, 3), of an image, or of up to `limit` images spread evenly over a folder.

    Args:
        source: the image or the folder.
        limit: most images of a folder.
        read: returns the pixels of an image that the network sees, uint8 (size, size, 3).
        option: what named the path, for errors.

    Raises:
        UserError: the path is missing, holds no images, or an image cannot be decoded.
    """
    files = [str(source)] if source.is_file() else list_images(source).images
    if not files:
        raise UserError(f"{option}: {source} is neither an image nor a folder of images")
    count = min(limit, len(files))
    chosen = [files[index * len(files) // count] for index in range(count)]
    for path in chosen:
        if reason := decode_error(path):
            raise UserError(f"{option}: {path}: {reason}")
    return np.stack([read(path) for path in chosen])


def run_file(path: Path, images: np.ndarray) -> list[np.ndarray]:
    """Return the outputs of a .mindir or .onnx file for a batch of its input.

    Raises:
        UserError: ONNX Runtime is not installed.
    """
    return {".mindir": run_mindir, ".onnx": run_onnx}[path.suffix](path, images)


def run_mindir(path: Path, images: np.ndarray) -> list[np.ndarray]:
    """Return the outputs of a MINDIR file, computed by MindSpore."""
    return as_arrays(nn.GraphCell(ms.load(str(path)))(ms.Tensor(images)))


def as_arrays(results: ms.Tensor | tuple[ms.Tensor, ...]) -> list[np.ndarray]:
    """Return what a Cell has computed, one tensor or several, as arrays."""
    return [result.asnumpy() for result in (results if isinstance(results, tuple) else (results,))]


def run_onnx(path: Path, images: np.ndarray) -> list[np.ndarray]:
    """Return the outputs of an ONNX file, computed by ONNX Runtime.

    Raises:
        UserError: ONNX Runtime is not installed.
    """
    session = onnx_session(path)
    return session.run(None, {session.get_inputs()[0].name: images})


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
