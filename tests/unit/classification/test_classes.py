"""Class names: of a file of labels, of the weights, else numbers."""

from types import SimpleNamespace

import pytest

from src.classification.classes import class_names
from src.errors import UserError


def model(*classes, count=3):
    return SimpleNamespace(classes=classes, network=SimpleNamespace(num_classes=count))


def test_without_names_classes_have_numbers():
    assert class_names(model(), None) == ["0", "1", "2"]


def test_the_weights_name_their_classes():
    assert class_names(model("cat", "dog", "bird"), None) == ["cat", "dog", "bird"]


@pytest.mark.parametrize("text", ["Katze\nHund\nVögel\n", "Katze\nHund\nVögel", "\ufeffKatze\r\nHund  \r\nVögel\r\n"])
def test_labels_are_the_same_from_every_system(tmp_path, text):
    (tmp_path / "labels.txt").write_text(text, encoding="utf-8", newline="")
    assert class_names(model("cat", "dog", "bird"), tmp_path / "labels.txt") == ["Katze", "Hund", "Vögel"]


@pytest.mark.parametrize(
    "content, words",
    [
        (b"a\nb\n", "names 2 classes, the weights have 3; expected one name a line"),
        (b"a\nV\xf6gel\nc\n", r"labels.txt: line 2 is not UTF-8 \(byte 0xf6\); save the file as UTF-8"),
        (b"dog\ncat\nbird\n", "names the classes of the weights in another order; leave --labels out"),
    ],
)
def test_unfit_labels_are_refused(tmp_path, content, words):
    (tmp_path / "labels.txt").write_bytes(content)
    with pytest.raises(UserError, match=words):
        class_names(model("cat", "dog", "bird"), tmp_path / "labels.txt")


def test_missing_labels_are_named(tmp_path):
    with pytest.raises(UserError, match="cannot read the labels .*none.txt: No such file"):
        class_names(model(), tmp_path / "none.txt")
