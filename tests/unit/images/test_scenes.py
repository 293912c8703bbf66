"""The embedded scenes as an image folder."""

import hashlib
from collections import Counter

import pytest
from PIL import Image

from src.images import scenes
from src.images.digits import read_digits
from src.images.folder import ImageFolder
from src.images.scenes import SCENES_PER_DIGIT, draw_scene, write_scenes

DIGITS = {split: read_digits(split) for split in ("train", "val")}


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """The scenes of the first 20 digits of each split."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scenes, "read_digits", lambda split: DIGITS[split][:20])
        return write_scenes(tmp_path_factory.mktemp("data") / "scenes")


def numbers(folder):
    """Return the numbers of the digits that are shown in a split."""
    return {int(file.rpartition("/")[2].split("_")[0]) for file in ImageFolder.scan(folder).files}


@pytest.mark.parametrize("split, images", [("train", 5748), ("val", 1440)])
def test_a_split_has_four_scenes_of_each_digit(split, images):
    assert len(DIGITS[split]) * SCENES_PER_DIGIT == images


def test_no_digit_is_in_both_splits():
    train, val = ({digit.number for digit in DIGITS[split]} for split in ("train", "val"))
    assert len(train) == 1437 and len(val) == 360 and not train & val


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_split_shows_its_own_digits_in_their_class_folders(few, split):
    expected = Counter(digit.folder for digit in DIGITS[split][:20])
    folder = ImageFolder.scan(few / split)
    found = Counter(folder.classes[label] for label in folder.labels)
    assert found == {name: SCENES_PER_DIGIT * count for name, count in expected.items()}
    assert numbers(few / split) == {digit.number for digit in DIGITS[split][:20]}


def test_the_files_are_the_same_on_every_machine(few):
    digest = hashlib.sha256()
    for file in sorted(few.rglob("*.png")):
        digest.update(file.relative_to(few).as_posix().encode() + file.read_bytes())
    assert digest.hexdigest() == "eb84079863bcb3b0c622552a85ecfabdde956c5c09e86efe226aedb72f913f27"


def test_a_scene_is_in_color_and_has_64_pixels_a_side(few):
    with Image.open(ImageFolder.scan(few / "val").files[0]) as image:
        assert image.mode == "RGB" and image.size == (64, 64)


def test_two_scenes_of_a_digit_differ(few):
    one, other = (draw_scene(DIGITS["val"][0], DIGITS["val"], copy) for copy in (0, 1))
    assert (one != other).mean() > 0.5
