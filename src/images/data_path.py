"""From `--data_path` to image sets: a folder, a converted data set, or embedded data."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from src.config.options import ClassOrder
from src.errors import UserError
from src.images.class_order import in_order
from src.images.digits import write_digits
from src.images.folder import LAYOUT, ImageFolder
from src.images.image_set import ImageSet
from src.images.record_files import is_converted
from src.images.records import open_records
from src.images.scenes import write_scenes

HOW_TO_GET_DATA = (
    "give images with --data_path DIR, a folder with train/CLASS/ and val/CLASS/ (ImageNet's layout, "
    "https://image-net.org), or `--data_path digits` for the embedded digits"
)


def resolve_data_path(data_path: str | None) -> Path:
    """Return the folder that `--data_path` names; embedded data, `digits` or `scenes`, is written at its first use.

    Raises:
        UserError: the path is missing, or scikit-learn is, which embedded data needs.
    """
    if data_path is None:
        raise UserError(f"data_path is missing: {HOW_TO_GET_DATA}")
    writers = {"digits": write_digits, "scenes": write_scenes}
    return writers[data_path]() if data_path in writers else Path(data_path)


def open_split(data_path: str | Path, split: Literal["train", "val"], order: ClassOrder = "auto") -> ImageSet:
    """Open DATA_PATH/train or DATA_PATH/val, a folder of images or a converted data set.

    Args:
        order: how the classes are numbered; `auto`: as the folders sort as text, or as they were converted.

    Raises:
        UserError: as `ImageFolder.scan` or `open_records`.
    """
    root = Path(data_path)
    if not root.is_dir():
        raise UserError(f"data_path {root}: there is no such folder; {LAYOUT}")
    return in_order(open_records(root, split) if is_converted(root) else ImageFolder.scan(root / split), order)
