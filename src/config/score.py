"""Options of postprocess.py."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from src.config.common import ProgramOptions
from src.config.options import option


class ScoreConfig(ProgramOptions):
    """All options of postprocess.py."""

    title: ClassVar[str] = "Scoring"

    results: Path | None = option(None, "JSON or CSV file of tinynet_infer, or a folder of NAME_0.bin files")
    data_path: str | None = option(None, "images that were run: folder with CLASS/ or val/CLASS/, or `digits`")
    label_file: Path | None = option(
        None, "labels, instead of data_path: text of `NAME LABEL` lines, or JSON {NAME: LABEL}"
    )
    description: Path | None = option(
        None, "JSON file that export.py wrote beside the model; its classes must be those of the labels"
    )
    as_json: bool = option(False, "print the result as JSON in the last line", alias="json")
