"""The scenes of digits: what is in them, and the data set that they are written as."""

import json

import numpy as np
import pytest
from PIL import Image

from src.detection import digit_scenes
from src.detection.boxes import areas, intersections
from src.detection.digit_scenes import draw_digit_scene, write_digit_scenes
from src.detection.faults import check_categories, check_coco
from src.detection.layout import open_coco


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """The first six training and three validation scenes as a data set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digit_scenes, "SCENES", {"train": 6, "val": 3})
        return write_digit_scenes(tmp_path_factory.mktemp("data") / "digit_scenes")


def test_it_is_a_sound_set_in_cocos_format(few):
    train, val = open_coco(few, "train"), open_coco(few, "val")
    check_coco([train, val], "full", 1)
    check_categories(train, val)
    assert (len(train), len(val)) == (6, 3)
    assert [category["id"] for category in train.categories] == list(range(10, 101, 10))
    assert train.names[:3] == ("zero", "one", "two")


def test_val_has_an_image_without_digits_and_one_with_a_crowd(few):
    empty, crowded, usual = open_coco(few, "val").objects
    assert len(empty.classes) == 0
    assert crowded.crowd.sum() == 1 and not usual.crowd.any()


def test_files_and_boxes_are_those_of_the_scenes(few):
    scene = draw_digit_scene("train", 2)
    train = open_coco(few, "train")
    np.testing.assert_array_equal(train.objects[2].boxes, scene.boxes)
    np.testing.assert_array_equal(train.objects[2].classes, scene.labels + 1)
    stored = np.asarray(Image.open(train.path(2)))
    blocks = (stored.astype(float) - scene.pixels).reshape(20, 16, 20, 16, 3).mean((1, 3))
    assert np.abs(blocks).max() < 4  # JPEG smooths the noise


def test_areas_are_those_of_the_boxes(few):
    rows = json.loads((few / "annotations" / "instances_val.json").read_text())["annotations"]
    assert all(row["area"] == row["bbox"][2] * row["bbox"][3] for row in rows)


def test_a_scene_depends_on_split_number_and_epoch_alone():
    def digest(*key):
        return draw_digit_scene(*key).pixels.tobytes()

    assert digest("train", 3, 1) == digest("train", 3, 1)
    assert len({digest("train", 3, 0), digest("train", 3, 1), digest("train", 4, 0), digest("val", 3, 0)}) == 4


@pytest.mark.parametrize("number", range(5))
def test_digits_lie_in_the_picture_and_hardly_cover_each_other(number):
    scene = draw_digit_scene("train", number)
    assert 1 <= len(scene.boxes) <= 6 and scene.pixels.shape == (320, 320, 3)
    assert scene.boxes.min() >= 0 and scene.boxes.max() <= 320
    shared = intersections(scene.boxes, scene.boxes)
    np.fill_diagonal(shared, 0)
    assert (shared <= 0.05 * areas(scene.boxes)).all()
