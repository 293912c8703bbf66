"""Find the objects of a data set, and score them. Each image is looked at exactly once, on any number of ranks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import mindspore as ms
import numpy as np
from tqdm import tqdm

from src.detection.boxes import coco_boxes
from src.detection.coco import CocoSet
from src.detection.coco_scores import CocoScores, score_detections
from src.detection.faults import HOW_TO_LIST
from src.detection.network import BoxesAndScores
from src.detection.pipeline import eval_batches
from src.detection.postprocess import Detections, Rule, detect
from src.images.faults import explain_bad_files
from src.images.preprocess import Preprocess
from src.runtime import collectives, distributed
from src.runtime.files import atomic_write

COLUMNS = 6  # of a detection between ranks: x1, y1, x2, y2, score, class; class 0: there is none


def find_objects(
    network: BoxesAndScores, images: CocoSet, preprocess: Preprocess, batch_size: int, rule: Rule, *, workers: int
) -> list[Detections]:
    """Return the objects of each image in its own pixels; each rank looks at its share, and all return all.

    Raises:
        UserError: an image cannot be read.
    """
    ranks, count = distributed.ranks(), len(images)
    mine = range(distributed.rank(), count, ranks)
    table = np.zeros((-(-count // ranks), rule.detections, COLUMNS), np.float32)
    files = [images.path(index) for index in mine]
    with tqdm(desc="evaluate", total=len(files), unit="img", leave=False, disable=None) as bar:
        predictions = predict_anchors(network, files, preprocess, batch_size, workers=workers)
        for place, (index, (boxes, scores)) in enumerate(zip(mine, predictions, strict=True)):
            row = images.rows[index]
            found = detect(boxes, scores, rule).scaled(preprocess.size, row["width"], row["height"])
            table[place, : len(found.scores)] = np.column_stack([found.boxes, found.scores, found.classes])
            bar.update()
    # Rank r has looked at the images r, r + ranks, r + 2 * ranks ...
    every = collectives.all_gather(table).swapaxes(0, 1).reshape(-1, *table.shape[1:])[:count]
    return [_from_table(rows) for rows in every]


def predict_anchors(
    network: BoxesAndScores, files: list[str], preprocess: Preprocess, batch_size: int, *, workers: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give boxes and scores of all anchors of one image after the other.

    The last batch is padded with zeros, because the network is compiled for one shape.

    Raises:
        UserError: an image cannot be read.
    """
    if not files:
        return
    batch_size = min(batch_size, len(files))
    batches = iter(
        eval_batches(files, preprocess, batch_size, workers=workers).create_tuple_iterator(
            num_epochs=1, output_numpy=True
        )
    )
    for start in range(0, len(files), batch_size):
        with explain_bad_files(files, workers, HOW_TO_LIST):
            (pixels,) = next(batches)
        missing = batch_size - len(pixels)
        padded = np.pad(pixels, ((0, missing), (0, 0), (0, 0), (0, 0))) if missing else pixels
        boxes, scores = (value.asnumpy() for value in network(ms.Tensor(padded)))
        yield from zip(boxes[: len(files) - start], scores[: len(files) - start])


def score_objects(images: CocoSet, found: list[Detections]) -> CocoScores:
    """Return COCO's numbers of the objects of each image. The first rank computes them for all.

    Raises:
        UserError: faster-coco-eval is not installed.
    """
    scores = score_detections(images, as_table(images, found)) if distributed.is_first() else None
    text = json.dumps(asdict(scores)) if scores else ""
    return CocoScores(**json.loads(collectives.broadcast_from_first(text.encode())))


def as_table(images: CocoSet, found: list[Detections]) -> np.ndarray:
    """Return all objects as COCO counts them, float64 (n, 7): image id, x, y, width, height, score, category id."""
    ids = np.array([category["id"] for category in images.categories], np.float64)
    tables = [np.zeros((0, 7))]
    for row, (boxes, scores, classes) in zip(images.rows, found, strict=True):
        image_ids = np.full(len(scores), row["id"])
        tables.append(np.column_stack([image_ids, coco_boxes(boxes), scores, ids[classes - 1]]))
    return np.concatenate(tables)


def write_results(path: Path, images: CocoSet, found: list[Detections]) -> None:
    """Write all objects as JSON in COCO's result format.

    Raises:
        UserError: the file cannot be written.
    """
    rows = [
        {"image_id": int(image), "category_id": int(category), "bbox": [x, y, width, height], "score": score}
        for image, x, y, width, height, score, category in as_table(images, found).tolist()
    ]
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(rows), encoding="utf-8")


def _from_table(rows: np.ndarray) -> Detections:
    found = rows[rows[:, 5] > 0]
    return Detections(found[:, :4], found[:, 4], found[:, 5].astype(np.int64))
