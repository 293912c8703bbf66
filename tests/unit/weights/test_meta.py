"""The description of a network in a checkpoint is checked when it is read."""

from pathlib import Path

import pytest

from src.errors import UserError
from src.images.preprocess import Preprocess
from src.weights.meta import check_meta

META = {
    "model": "tinynet_e",
    "architecture": {"name": "tinynet_e"},
    "classes": ["cat", "dog"],
    "preprocess": Preprocess(106).as_dict(),
    "bn_epsilon": 1e-5,
    "better": "ema",
    "step": 7,
}


def test_a_description_is_returned_unchanged():
    assert check_meta(META, Path("w.ckpt")) is META
    assert check_meta({}, Path("w.ckpt")) == {}


@pytest.mark.parametrize(
    "key, value, words",
    [
        ("model", 7, "model is 7; expected a text"),
        ("architecture", [], r"architecture is \[\]; expected a mapping"),
        ("classes", "cat", "classes is 'cat'; expected a list"),
        ("classes", ["cat", None], r"classes\[1\] is None; expected a text"),
        ("preprocess", {"crop_pct": 1}, "preprocess.size is missing"),
        ("preprocess", {"size": 32, "std": [1, 1, 0]}, r"preprocess.std\[2\] is 0; expected greater than 0"),
        ("preprocess", {"size": 32, "zoom": 2}, "preprocess.zoom is 2; expected no such key"),
        ("bn_epsilon", float("nan"), "bn_epsilon is nan; expected a finite number"),
        ("better", "best", "better is 'best'; expected one of raw, ema"),
    ],
)
def test_a_value_of_another_kind_is_named(key, value, words):
    with pytest.raises(UserError, match=f"^w.ckpt does not describe its network: {words}.*; take another copy$"):
        check_meta(META | {key: value}, Path("w.ckpt"))


def test_a_description_that_is_no_mapping_is_refused():
    with pytest.raises(UserError, match="its description is None; expected a mapping"):
        check_meta(None, Path("w.ckpt"))
