"""The task of classification: the numbers of its classes where a run starts from weights or is resumed."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from src.classification.task import numbered_as_before
from src.config import TrainConfig
from src.images.folder import ImageFolder

TEXT, NATURAL = ("1", "10", "2"), ("1", "2", "10")
WEIGHTS = Path("w.safetensors")


def split():
    files = tuple(f"/data/{name}/0.jpg" for name in TEXT)
    return ImageFolder(Path("/data"), TEXT, files, np.arange(3, dtype=np.int32))


def classes(classes=(), *, resumes=False, weights=SimpleNamespace(path=WEIGHTS), **options):
    """Return the order of the classes of training and validation data, for a run from weights with given `classes`."""
    origin = SimpleNamespace(weights=weights, meta={"classes": list(classes)} if classes else {}, resumes=resumes)
    train, val = numbered_as_before(split(), split(), TrainConfig(**options), origin)
    assert train.classes == val.classes
    return tuple(train.classes)


def test_a_resumed_run_keeps_its_order():
    assert classes(NATURAL, resumes=True) == NATURAL
    assert classes(NATURAL, resumes=True, replace_head=True) == NATURAL


def test_the_weights_whose_classifier_is_trained_further_settle_the_order():
    assert classes(NATURAL) == NATURAL


@pytest.mark.parametrize("options", [{"weights": None}, {"replace_head": True}])
def test_a_new_classifier_numbers_classes_as_folders_sort(options, caplog):
    assert classes(NATURAL, **options) == TEXT
    assert classes((), **options) == TEXT
    assert caplog.text == ""


def test_weights_of_other_classes_do_not_number_these():
    assert classes(("cat", "dog", "bird")) == TEXT


def test_a_guess_is_said(caplog):
    assert classes(()) == TEXT
    assert "w.safetensors names no classes, so folders are numbered as they are sorted here: 1, 10, 2" in caplog.text
