"""Several weights on the same images: which ones there are, and the table of their results."""

from __future__ import annotations

import csv
import glob
import os
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from fnmatch import fnmatch
from pathlib import Path

from src.classification.metrics import Metrics
from src.config import EvalConfig
from src.config.evaluate import ALL, is_pattern
from src.design.cost import total_cost
from src.errors import UserError
from src.models import LoadedModel
from src.runtime.files import atomic_write, check_replaceable
from src.weights.pretrained import REPOSITORIES
from src.weights.readers import ENDINGS


@dataclass(frozen=True)
class Row:
    """A line of the table.

    `source` is a file or a repository, `weights` is raw or ema. Accuracies are in percent, `macs` are of one image.
    """

    model: str
    source: str
    weights: str
    top1: float
    top5: float
    loss: float
    images: int
    parameters: int
    macs: int
    input_size: int
    crop_pct: float

    @classmethod
    def of(cls, model: LoadedModel, source: str, metrics: Metrics) -> Row:
        """Describe a network and its results, with four decimals of a percent as in timm's tables."""
        size = model.preprocess.size
        cost = total_cost(model.network.architecture.at(size), model.network.num_classes)
        scores = round(metrics.top1, 4), round(metrics.top5, 4), round(metrics.loss, 6), metrics.images
        return cls(
            model.name, source, model.weights.kind, *scores, cost.parameters, cost.macs, size, model.preprocess.crop_pct
        )


COLUMNS = tuple(field.name for field in fields(Row))


def each_weights(config: EvalConfig) -> list[EvalConfig]:
    """Return a configuration for each file that --ckpt names, or each network that --model --pretrained names.

    Raises:
        UserError: a folder or a pattern has no weights.
    """
    if config.pretrained and config.model is not None and is_pattern(config.model):
        return [config.model_copy(update={"model": name}) for name in _published(config.model)]
    if config.ckpt is not None and (os.path.isdir(config.ckpt) or _is_path_pattern(config.ckpt)):
        return [config.model_copy(update={"ckpt": path}) for path in _weight_files(config.ckpt)]
    return [config]


def source_of(config: EvalConfig) -> str:
    """Return the file of the weights, or the repository of published ones."""
    return REPOSITORIES.get(config.model or "", "") if config.pretrained else str(config.ckpt)


def check_table_path(path: Path) -> None:
    """Check that writing a table to `path` replaces nothing but a table.

    Raises:
        UserError: there is another file.
    """
    check_replaceable(path, f"{','.join(COLUMNS)}\n".encode(), "is not a table of eval.py")


def write_table(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as CSV, in their order.

    Raises:
        UserError: the file cannot be written.
    """
    with (
        atomic_write(path) as temporary,
        open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *map(astuple, rows)])


def print_table(rows: Sequence[Row]) -> None:
    """Print the rows in their order."""
    title = ("model", "top-1 %", "top-5 %", "loss", "M params", "M MACs", "px", "crop", "weights")
    lines = [title] + [
        (
            row.model, f"{row.top1:.3f}", f"{row.top5:.3f}", f"{row.loss:.4f}", f"{row.parameters / 1e6:.2f}",
            f"{row.macs / 1e6:.1f}", str(row.input_size), f"{row.crop_pct:.4g}", f"{row.source} ({row.weights})",
        )
        for row in rows
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for model, *numbers, source in lines:
        cells = [cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True)]
        print(model.ljust(widths[0]), *cells, source, sep="  ")


def _published(pattern: str) -> list[str]:
    names = [name for name in REPOSITORIES if pattern == ALL or fnmatch(name, pattern)]
    if not names:
        raise UserError(f"model is {pattern}, but published weights have other names: {', '.join(REPOSITORIES)}")
    return names


def _is_path_pattern(path: Path) -> bool:
    return glob.has_magic(str(path)) and not os.path.exists(path)


def _weight_files(path: Path) -> list[Path]:
    """Return the weights in a folder, without those of its folders, or the files that match a pattern; sorted."""
    if os.path.isdir(path):
        names = [name for name in os.listdir(path) if name.lower().endswith(ENDINGS) and not name.startswith(".")]
        files = [path / name for name in names if os.path.isfile(path / name)]
        missing = f"folder {path} holds no weights ({' '.join(ENDINGS)})"
    else:
        files = [Path(name) for name in glob.glob(str(path), recursive=True) if os.path.isfile(name)]
        missing = f"no file matches {path}"
    if not files:
        raise UserError(
            f"{missing}; give a file, a folder of them, or a pattern such as 'runs/*/checkpoints/best.ckpt'"
        )
    return sorted(files)
