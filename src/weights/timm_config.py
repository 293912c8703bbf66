"""timm's config.json, which lies beside published weights: how their images are prepared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from src.design.validation import describe
from src.errors import UserError
from src.runtime.texts import read_json
from src.weights.meta import Pixels, Positive, Share

CONFIG = "config.json"
DAMAGED = "is damaged or is not timm's config.json; remove it and start again"


def _check_square(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    if shape[1] != shape[2]:
        raise ValueError("expected a square image")
    return shape


ImageShape = Annotated[tuple[Literal[3], Pixels, Pixels], AfterValidator(_check_square)]


class TimmConfig(BaseModel):
    """How timm prepares images for published weights: `pretrained_cfg` in config.json of their repository.

    timm evaluates with `test_input_size` and `test_crop_pct` where they are given: so were its scores measured.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    input_size: ImageShape
    test_input_size: ImageShape | None = None
    crop_pct: Share
    test_crop_pct: Share | None = None
    interpolation: Literal["bicubic"]
    crop_mode: Literal["center"] | None = None
    mean: tuple[float, float, float]
    std: tuple[Positive, Positive, Positive]

    def preprocess(self, training: bool) -> dict[str, Any]:
        """Return the values as `Preprocess.as_dict` gives them."""
        shape = self.input_size if training else self.test_input_size or self.input_size
        crop_pct = self.crop_pct if training else self.test_crop_pct or self.crop_pct
        return {"size": shape[1], "crop_pct": crop_pct, "mean": list(self.mean), "std": list(self.std)}


def read_timm_config(path: Path) -> TimmConfig:
    """Read timm's config.json.

    Raises:
        UserError: the file is damaged, or asks for a preprocessing that this project does not have.
    """
    try:
        content = read_json(path)
    except (OSError, UserError):
        raise UserError(f"{path} {DAMAGED}") from None
    return parse_timm_config(content, path)


def parse_timm_config(content: Any, path: Path) -> TimmConfig:
    """Return what the content of the config.json at `path` says about images.

    Raises:
        UserError: as for `read_timm_config`.
    """
    try:
        return TimmConfig.model_validate(content.get("pretrained_cfg", content))  # earlier files have no inner level
    except ValidationError as failure:
        fault = describe(failure.errors()[0])
        raise UserError(f"{path}: {fault}; this project cannot prepare such images") from None
    except (AttributeError, TypeError):
        raise UserError(f"{path} {DAMAGED}") from None
