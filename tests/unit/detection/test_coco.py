"""COCO's JSON files: ids of any kind, crowds, empty images, and every fault named."""

import json

import numpy as np
import pytest
from hypothesis import given
from support.coco import content, write_coco
from support.fuzzing import changed, few, in_one_line

from src.detection.coco import CONTENT, read_coco
from src.detection.layout import find_json, open_coco
from src.errors import UserError


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_coco(tmp_path_factory.mktemp("coco"))


def test_images_keep_their_order_and_classes_follow_the_ids(data):
    found = open_coco(data, "train")
    assert [row["id"] for row in found.rows] == [7, 3, 1001, 12]
    assert found.names == ("cat", "dog")
    assert [objects.classes.tolist() for objects in found.objects] == [[1, 2], [2, 1], [1, 1], []]
    assert found.path(1) == str(data / "train2017" / "deep/er/3.jpg")


def test_boxes_are_corners_and_not_rounded(data):
    found = open_coco(data, "val")
    np.testing.assert_array_equal(found.objects[0].boxes[0], [10.5, 5.25, 30.5, 35.75])
    assert found.objects[1].crowd.tolist() == [False, True]
    assert found.objects[3].boxes.shape == (0, 4)


def test_crowds_and_boxes_without_area_are_not_trained(data):
    found = open_coco(data, "train")
    assert [objects.trained.tolist() for objects in found.objects] == [[True, True], [True, False], [False, True], []]
    assert found.with_objects().tolist() == [0, 1, 2]


def remove(kind, key):
    return lambda found: found[kind][0].pop(key)


def put(kind, key, value, row=0):
    return lambda found: found[kind][row].__setitem__(key, value)


FAULTS = [
    (remove("images", "width"), r"images\[0\].width is missing"),
    (put("images", "height", 0), r"images\[0\].height is 0"),
    (put("images", "id", "x"), r"images\[0\].id is 'x'; expected a whole number"),
    (remove("annotations", "bbox"), r"annotations\[0\].bbox is missing"),
    (put("annotations", "bbox", [1, 2, 3]), r"annotations\[0\].bbox"),
    (put("annotations", "bbox", [1, 2, 3, None]), r"annotations\[0\].bbox\[3\] is None; expected a number"),
    (put("images", "id", 3), "1 ids of images stand twice: 3"),
    (put("annotations", "id", 200), "1 ids of annotations stand twice: 200"),
    (put("categories", "id", 5), "1 ids of categories stand twice: 5"),
    (put("categories", "name", "cat"), "1 names of categories stand twice: cat"),
    (put("annotations", "image_id", 99), r"annotations name none of the images: annotation 11 \(image_id 99\)"),
    (put("annotations", "category_id", 6), r"none of the categories: annotation 11 \(category_id 6\)"),
    (lambda found: found.update(images=[], annotations=[]), "holds no images"),
    (lambda found: found.pop("categories"), "categories is missing"),
]


@pytest.mark.parametrize("change, words", FAULTS)
def test_a_fault_of_the_file_is_named(tmp_path, change, words):
    found = content()
    change(found)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(found))
    with pytest.raises(UserError, match=words):
        read_coco(path, tmp_path)


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"images": [{"id": 1}]}'])
def test_what_is_no_such_file_is_refused(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UserError, match="is not in COCO's format"):
        read_coco(path, tmp_path)


@given(changed(content()))
@few
def test_whatever_the_file_holds_a_fault_is_one_line(tmp_path_factory, found):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(found))
    in_one_line(lambda: read_coco(path, path.parent))


def test_sides_and_crowds_are_read_as_other_programs_write_them(tmp_path):
    found = content()
    found["images"][0]["width"] = 60.0
    found["annotations"][3]["iscrowd"] = True
    for row in found["annotations"]:
        row.pop("area")
    found["annotations"][0].pop("iscrowd")
    (tmp_path / "a.json").write_text(json.dumps(found))
    read = read_coco(tmp_path / "a.json", tmp_path)
    assert read.rows[0]["width"] == 60 and read.objects[1].crowd.tolist() == [False, True]


def test_other_keys_are_ignored():
    found = content()
    found["annotations"][0]["segmentation"] = [[1, 2, 3, 4, 5, 6]]
    assert "segmentation" not in CONTENT.validate_json(json.dumps(found))["annotations"][0]


@pytest.mark.parametrize(
    "name, images",
    [
        ("annotations/instances_train.json", "train"),
        ("annotations/instances_train2017.json", "train2017"),
        ("annotations/train.json", "images/train"),
        ("train.json", "images"),
        ("train/_annotations.coco.json", "train"),
        ("train.json", ""),
    ],
)
def test_common_layouts_are_found(tmp_path, name, images):
    found = content()
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found))
    (tmp_path / images).mkdir(parents=True, exist_ok=True)
    (tmp_path / images / "7.jpg").touch()
    opened = open_coco(tmp_path, "train")
    assert (opened.json, opened.folder) == (path, tmp_path / images)


def test_a_split_may_be_called_valid(tmp_path):
    (tmp_path / "valid").mkdir()
    (tmp_path / "valid" / "_annotations.coco.json").touch()
    assert find_json(tmp_path, "val") == tmp_path / "valid" / "_annotations.coco.json"


def test_flags_name_other_places(data, tmp_path):
    opened = open_coco(tmp_path, "val", data / "annotations" / "instances_train2017.json", data / "train2017")
    assert opened.folder == data / "train2017"


def test_what_cannot_be_found_is_said(data, tmp_path):
    with pytest.raises(UserError, match="holds no annotations of train"):
        open_coco(tmp_path, "train")
    with pytest.raises(UserError, match="there is no such folder"):
        open_coco(tmp_path / "no", "train")
    with pytest.raises(UserError, match="val_json: there is no file"):
        open_coco(tmp_path, "val", tmp_path / "no.json")
    with pytest.raises(UserError, match="names the image 7.jpg, which is in none of .*; give --val_images"):
        open_coco(tmp_path, "val", data / "annotations" / "instances_val2017.json")
    for year in (2014, 2017):
        (tmp_path / f"instances_val{year}.json").touch()
    with pytest.raises(UserError, match="2 files may be the annotations of val"):
        find_json(tmp_path, "val")
