"""What predict.py does: the best classes of images, as text, JSON or a picture sheet."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np

from src.classification.metrics import predict_logits
from src.classification.sheet import draw_sheet
from src.config import PredictConfig
from src.errors import UserError
from src.images.faults import decode_fault
from src.images.folder import list_images
from src.models import LoadedModel, load_model
from src.runtime import device
from src.runtime.logs import log_to
from src.runtime.workers import usable_workers

logger = logging.getLogger(__name__)


def predict_images(config: PredictConfig) -> list[dict[str, Any]]:
    """Predict and print: of each image `{"image": path, "top": [{"class", "index", "probability"}, ...]}`.

    Raises:
        UserError: no images, missing or unfit weights; and, when the others are done, files that are no images.
    """
    log_to()
    files = gather(config.images)
    faults = {path: fault for path in files if (fault := decode_fault(path))}
    good = [path for path in files if path not in faults]
    results: list[dict[str, Any]] = []
    if good:
        device.setup(config.device_target, config.device_id)
        model = load_model(config, config.crop_pct)
        names = class_names(model, config.labels)
        workers = usable_workers(config.workers)
        for logits in predict_logits(model.network, good, model.preprocess, config.batch_size, workers=workers):
            for row in logits:
                results.append({"image": good[len(results)], "top": top_classes(row, names, config.top_k)})
        if config.as_json:
            print(json.dumps(results, ensure_ascii=False))
        else:
            for result in results:
                best = ", ".join(f"{entry['class']} {entry['probability']:.1%}" for entry in result["top"])
                print(f"{result['image']}: {best}")
        if config.sheet:
            draw_sheet(results, names, config.sheet)
    if faults:
        named = "; ".join(f"{path}: {fault}" for path, fault in list(faults.items())[:5])
        raise UserError(f"{len(faults)} of {len(files)} images cannot be read: {named}")
    return results


def gather(paths: tuple[Path, ...]) -> list[str]:
    """Files as given, folders with all images below them.

    Raises:
        UserError: no paths, a path that is not there, a folder without images.
    """
    if not paths:
        raise UserError("no images: name some, or folders of them, such as `predict.py --ckpt FILE photo.jpg`")
    files: list[str] = []
    for path in paths:
        if not path.exists():
            raise UserError(f"there is no image or folder {path}")
        found = list_images(path)[0] if path.is_dir() else [str(path)]
        if not found:
            raise UserError(f"folder {path} holds no images")
        files += found
    return files


def class_names(model: LoadedModel, labels: Path | None) -> list[str]:
    """Names from the file, else from the checkpoint, else the numbers.

    Raises:
        UserError: the file cannot be read or has another number of lines than there are classes.
    """
    count = model.network.num_classes
    if labels is None:
        return list(model.classes) or [str(index) for index in range(count)]
    try:
        names = labels.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the labels {labels}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    if len(names) != count:
        raise UserError(f"{labels} names {len(names)} classes, the weights know {count}; expected one name a line")
    return names


def top_classes(logits: np.ndarray, names: list[str], count: int) -> list[dict[str, Any]]:
    """The `count` likeliest classes of one image, best first."""
    odds = np.exp(logits - logits.max(), dtype=np.float64)
    odds /= odds.sum()
    best = np.argsort(-odds, kind="stable")[:count]
    return [{"class": names[index], "index": int(index), "probability": float(odds[index])} for index in best]
