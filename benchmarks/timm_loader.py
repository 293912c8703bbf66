"""Build timm's training loader for comparison: PyTorch's DataLoader with the same transforms. Needs torch and timm."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

_libraries: list[object] = []  # kept, because PyTorch removes the operators of a library that is deleted


def timm_loader(folder: Path, size: int, batch: int, workers: int) -> Callable[[], Iterable[np.ndarray]] | None:
    """Return a function that starts an epoch of float32 batches, or None if torch or timm is not installed."""
    try:
        declare_torchvision_operators()
        from timm.data import ImageDataset, create_transform
        from torch.utils.data import DataLoader
    except (ImportError, RuntimeError):
        return None
    transform = create_transform(
        size,
        is_training=True,
        scale=(0.08, 1),
        ratio=(3 / 4, 4 / 3),
        hflip=0.5,
        color_jitter=0.4,
        interpolation="bicubic",
    )
    images = ImageDataset(str(folder), transform=transform)

    def epoch() -> Iterable[np.ndarray]:
        loader = DataLoader(images, batch, shuffle=True, num_workers=workers, drop_last=True)
        return (pixels.numpy() for pixels, _ in loader)

    return epoch


def declare_torchvision_operators() -> None:
    """Declare two operators, because builds of torchvision without compiled operators cannot be imported otherwise."""
    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _libraries.append(library)
