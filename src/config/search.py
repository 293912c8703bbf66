"""Options of the commands of search.py."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import ValidationInfo, field_validator, model_validator
from typing_extensions import Self

from src.config.common import ProgramOptions
from src.config.detect import DetectorOptions
from src.config.options import (
    AnyPath,
    Name,
    OptionalName,
    OptionalPath,
    OutputPath,
    PicturePath,
    conflict,
    option,
    same_option,
)
from src.design.detector import LastMap

UNITS = {  # field -> factors of the units that its value may have, and an example
    "macs": ({"": 1, "k": 1e3, "m": 1e6, "g": 1e9}, "100M"),
    "latency": ({"ms": 1e-3, "s": 1}, "5ms"),
}


class PlotOptions(ProgramOptions):
    """A picture of the result."""

    title: ClassVar[str] = "Picture"

    plot: PicturePath = option(None, "draw a picture to this file (.png, .pdf)")


class CostConfig(PlotOptions):
    """All options of search.py cost."""

    title: ClassVar[str] = "Networks"

    models: tuple[Name, ...] = option((), "names such as tinynet_c, or architecture files", title="MODEL_OR_FILE")
    every: bool = option(False, "all networks of this project, one line each", alias="all")
    num_classes: int = option(
        0, "number of classes; 0: the 1000 of ImageNet, with detect the 80 of COCO", ge=0, le=1_000_000
    )
    input_size: int = option(
        0, "side of the input image, pixels; 0: the network's own, with detect 320", ge=0, le=1_000_000
    )
    detect: bool = option(False, "count SSDLite detectors on these networks")
    last_map: LastMap = same_option(DetectorOptions, "last_map")
    as_json: bool = option(False, "print one line of JSON per network instead", alias="json")

    @model_validator(mode="after")
    def _pictures_are_of_classifiers(self) -> Self:
        if self.plot and self.detect:
            raise conflict("plot", "pictures show classifiers; leave plot or detect out", "detect")
        return self


class FormulaConfig(PlotOptions):
    """All options of search.py formula."""

    title: ClassVar[str] = "Network for a budget"

    macs: float | None = option(None, "budget: MACs of one image, such as 100M or 0.6G", title="MACS", ge=1, le=1e18)
    base: OptionalName = option(
        None,
        "network to scale: a name or an architecture file; default that of the formula, else efficientnet_b0; "
        "only a flag, because `base:` in YAML names another YAML",
        title="MODEL_OR_FILE",
    )
    num_classes: int = option(
        0,
        "number of classes, whose MACs count; 0: those of the formula's study, else 1000",
        ge=0,
        le=1_000_000,
    )
    rule: Literal["tiny", "giant"] = option(
        "tiny",
        "tiny: the TinyNet paper's formula, makes networks smaller; "
        "giant: EfficientNet's compound scaling, smaller or larger",
    )
    points: OptionalPath = option(
        None, "tiny: fit it on the points of this .csv or .json file (c, r, d) instead of the published TinyNets"
    )
    formula: OptionalPath = option(
        None, "tiny: use the formula.json of a study, with its base and classes, instead of the published formula"
    )
    pixels: int = option(4, "tiny: largest change of the resolution to meet the budget, pixels", ge=0, le=64)
    latency: float | None = option(
        None,
        "budget instead of macs: time per image on this machine, such as 5ms; the largest network within it is chosen",
        title="TIME",
        gt=0,
        le=3600,
    )
    benchmark: bool = option(False, "time the network on this machine, as an ONNX file in ONNX Runtime")
    threads: int = option(1, "benchmark, latency: threads per image", ge=1, le=1024)
    output: OutputPath = option(
        None, "write the network to an architecture file (.yaml, .yml, .json), and NAME_train.yaml for train.py"
    )

    @field_validator("macs", "latency", mode="before")
    @classmethod
    def _number_with_unit(cls, text: Any, field: ValidationInfo) -> Any:
        factors, example = UNITS[str(field.field_name)]
        if not isinstance(text, str):
            return text
        unit = text.lstrip("0123456789.eE+-")
        number = text.removesuffix(unit)
        try:
            return float(number) * factors[unit.strip().lower()]
        except (ValueError, KeyError):
            raise ValueError(f"expected a number with a unit, such as {example}") from None


class CompareConfig(ProgramOptions):
    """All options of search.py compare."""

    title: ClassVar[str] = "Networks"

    models: tuple[Name, ...] = option((), "two names or architecture files", title="MODEL_OR_FILE")


class TableConfig(ProgramOptions):
    """All options of search.py table."""

    title: ClassVar[str] = "Output"

    write: bool = option(False, "write the table into the given files, between their two marker comments")
    files: tuple[AnyPath, ...] = option((), "with --write: Markdown files; *_CN.md are Chinese", title="FILE")
