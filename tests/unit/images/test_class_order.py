"""The number of each class, by the sorting of folders and by what weights say."""

import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.config import ConvertConfig
from src.errors import UserError
from src.images.class_order import in_order, numbered_as, renumbered
from src.images.convert import convert
from src.images.data_path import open_split
from src.images.folder import ImageFolder

WEIGHTS = Path("w.safetensors")


def images_of(*classes):
    """A data set with two images of each class, sorted as text."""
    names = tuple(sorted(classes))
    files = tuple(f"/data/{name}/{index}.jpg" for name in names for index in range(2))
    return ImageFolder(Path("/data"), names, files, np.repeat(np.arange(len(names), dtype=np.int32), 2))


def class_of_each_file(images):
    return [images.classes[label] for label in images.labels]


NUMBERS = images_of(*map(str, range(12)))


def test_text_is_the_order_of_torchvision():
    assert in_order(NUMBERS, "text").classes == ("0", "1", "10", "11", "2", "3", "4", "5", "6", "7", "8", "9")


def test_natural_is_the_order_of_timm():
    assert in_order(NUMBERS, "natural").classes == tuple(map(str, range(12)))
    mixed = images_of("Zebra", "apple", "a10b2", "a2b10", "a2b9", "007", "7")
    # as sorted(names, key=timm.data.readers.reader_image_folder.natural_key), timm 1.0
    assert in_order(mixed, "natural").classes == ("007", "7", "a2b9", "a2b10", "a10b2", "apple", "Zebra")


def test_auto_leaves_the_order_as_it_is():
    assert in_order(NUMBERS, "auto") is NUMBERS


@given(st.sets(st.text("ab019Z\u0663²", min_size=1), min_size=1).flatmap(lambda names: st.permutations(sorted(names))))
def test_an_image_keeps_its_class_in_any_order(names):
    images = images_of(*names)
    for other in (renumbered(images, names), in_order(images, "natural"), in_order(images, "text")):
        assert class_of_each_file(other) == class_of_each_file(images)
        assert set(other.classes) == set(names) and other.files == images.files
        assert other.labels.dtype == np.int32


def test_weights_that_name_their_classes_settle_the_order(caplog):
    names = [str(number) for number in reversed(range(12))]
    assert numbered_as(NUMBERS, names, 12, WEIGHTS).classes == tuple(names)
    assert caplog.text == ""


def test_a_guess_is_said(caplog):
    assert numbered_as(NUMBERS, (), 12, WEIGHTS).classes == NUMBERS.classes
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message == (
        "w.safetensors names no classes, so folders are numbered as they are sorted here: 0, 1, 10, 11, 2, ...; "
        "timm sorts them by value: 0, 1, 2, 3, 4, ...; choose with --class_order text or natural"
    )


@pytest.mark.parametrize("order", ["text", "natural"])
def test_a_choice_is_no_guess(caplog, order):
    images = in_order(NUMBERS, order)
    assert numbered_as(images, (), 12, WEIGHTS, order) is images
    assert caplog.text == ""


def test_where_both_orders_agree_nothing_is_said(caplog):
    numbered_as(images_of("n01440764", "n01443537", "n15075141"), (), 3, WEIGHTS)
    assert caplog.text == ""


@pytest.mark.parametrize(
    "names, count, words",
    [
        (("a", "c"), 2, "/data has other classes than w.safetensors, such as b, c"),
        ((), 3, "/data holds 2 classes, w.safetensors has 3"),
    ],
)
def test_other_classes_are_refused(names, count, words):
    with pytest.raises(UserError, match=words):
        numbered_as(images_of("a", "b"), names, count, WEIGHTS)


def test_a_name_that_is_not_utf_8_is_known_by_its_description():
    images = images_of("a", "b\udce9")
    assert numbered_as(images, ["b\\udce9", "a"], 2, Path("net.json")).labels.tolist() == [1, 1, 0, 0]


@pytest.fixture
def numbers(image_folder):
    """The folder of images with classes 2 (cats) and 10 (dogs)."""
    for split in ("train", "val"):
        (image_folder / split / "cat").rename(image_folder / split / "2")
        (image_folder / split / "dog").rename(image_folder / split / "10")
    return image_folder


@pytest.mark.parametrize("order, classes", [("auto", ("10", "2")), ("text", ("10", "2")), ("natural", ("2", "10"))])
def test_a_folder_is_opened_in_the_order_that_is_asked_for(numbers, order, classes):
    images = open_split(numbers, "train", order)
    assert images.classes == classes
    assert class_of_each_file(images) == [file.split("/")[-2] for file in images.files]


def test_a_converted_set_keeps_its_order_until_another_is_asked_for(numbers, tmp_path):
    convert(ConvertConfig(data_path=str(numbers), output=tmp_path / "out", workers=1, class_order="natural"))
    for order, classes in {"auto": ("2", "10"), "natural": ("2", "10"), "text": ("10", "2")}.items():
        images = open_split(tmp_path / "out", "val", order)
        assert images.classes == classes
        assert class_of_each_file(images) == [image.name.split("/")[0] for image in images.files]
