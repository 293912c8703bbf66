"""The `meta` of a checkpoint, which describes its network: checked where it is read, so that others can rely on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from src.design.validation import describe
from src.errors import UserError

Share = Annotated[float, Field(gt=0, le=1)]
Pixels = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class PreprocessMeta(BaseModel):
    """How images become the network's input; `Preprocess` in `src/images/preprocess.py` has the meaning."""

    model_config = ConfigDict(extra="forbid")

    size: Pixels
    crop_pct: Share = 1
    mean: tuple[Finite, Finite, Finite] = (0, 0, 0)
    std: tuple[Positive, Positive, Positive] = (1, 1, 1)


class NetworkMeta(BaseModel):
    """The keys that loading needs. Any may be missing, and others may be there: see `src/training/checkpoint.py`."""

    model: str = ""
    architecture: dict[str, Any] = {}  # `from_dict` in `src/design/architecture_file.py` checks it
    classes: tuple[str, ...] = ()
    preprocess: PreprocessMeta | None = None
    bn_epsilon: Positive = 1
    better: Literal["raw", "ema"] = "raw"


def check_meta(meta: Any, path: Path) -> dict[str, Any]:
    """Return the `meta` of the checkpoint at `path`, unchanged.

    Raises:
        UserError: a value has another type, or is out of range.
    """
    try:
        NetworkMeta.model_validate(meta)
    except ValidationError as failure:
        fault = describe(failure.errors()[0], "its description")
        raise UserError(f"{path} does not describe its network: {fault}; take another copy") from None
    return meta
