"""The results of an evaluation as CSV: one line for each image, in the order of the data set."""

from __future__ import annotations

import csv
from pathlib import Path

from src.classification.metrics import Scores
from src.images.image_set import ImageSet, name_in_split
from src.runtime.files import atomic_write, check_replaceable

BEST = 5  # classes of a line
IMAGE_COLUMNS = ("path", "class_index", "class")
BEST_COLUMNS = ("top{}_index", "top{}_class", "top{}_probability")


def check_results_path(path: Path) -> None:
    """Check that writing results to `path` replaces nothing but results.

    Raises:
        UserError: there is another file.
    """
    start = ",".join((*IMAGE_COLUMNS, BEST_COLUMNS[0].format(1)))
    check_replaceable(path, start.encode(), "does not hold results of eval.py")


def write_results(scores: Scores, images: ImageSet, path: Path) -> None:
    """Write path, class and the most probable classes of each image.

    Bytes of a path that are not UTF-8 are written as escapes, such as \\udce9, so that every program reads the file.

    Raises:
        UserError: the file cannot be written.
    """
    names, count = images.classes, scores.classes.shape[1]
    best = [column.format(place) for place in range(1, count + 1) for column in BEST_COLUMNS]
    with (
        atomic_write(path) as temporary,
        open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*IMAGE_COLUMNS, *best])
        rows = zip(images.files, images.labels.tolist(), scores.classes.tolist(), scores.probabilities.tolist())
        for image, label, classes, probabilities in rows:
            row = [name_in_split(images, image), label, names[label]]
            for index, probability in zip(classes, probabilities):
                row += [index, names[index], f"{probability:.6g}"]
            writer.writerow(row)
