"""Faults of a data set in COCO's format are named by file and id before a training begins."""

import logging

import pytest
from PIL import Image
from support.coco import write_coco

from src.detection.faults import check_categories, check_coco
from src.detection.layout import open_coco
from src.errors import UserError


def check(folder, how="auto", split="train"):
    check_coco([open_coco(folder, split)], how, 1)


def box(row, values):
    return lambda found: found["annotations"][row].update(bbox=values)


def test_a_sound_set_passes_and_says_which_boxes_are_not_trained(tmp_path, caplog):
    check(write_coco(tmp_path), "full")
    assert "1 boxes have no area and are not trained: annotation 5 of 1001.jpg (id 1001)" in caplog.text


@pytest.mark.parametrize("how", ["full", "quick"])
@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda path: path.unlink(), "train2017/12.jpg: id 12: No such file"),
        (lambda path: path.write_bytes(b""), "train2017/12.jpg: id 12: empty file"),
        (lambda path: path.write_bytes(b"abc"), "train2017/12.jpg: id 12: not an image"),
        (lambda path: path.write_bytes(path.read_bytes()[:-300]), "id 12: .*the file ends before the image does"),
        (lambda path: Image.new("RGB", (48, 64)).save(path), "id 12: 48 x 64 pixels, 64 x 48 in the JSON"),
    ],
)
def test_a_bad_file_is_named(tmp_path, how, damage, words):
    folder = write_coco(tmp_path)
    damage(folder / "train2017" / "12.jpg")
    with pytest.raises(UserError, match=f"1 bad image: .*{words}"):
        check(folder, how)
    check(folder, "off")


def test_an_image_that_exif_turns_is_refused_if_the_json_has_the_turned_size(tmp_path):
    folder = write_coco(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (48, 64)).save(folder / "train2017" / "12.jpg", exif=exif)
    with pytest.raises(UserError, match="id 12: EXIF orientation 6 turns it"):
        check(folder)


def test_a_box_beside_its_image_is_refused(tmp_path):
    folder = write_coco(tmp_path, box(0, [70, 5, 10, 10]))
    with pytest.raises(UserError, match=r"1 boxes are outside .*annotation 11 of 7.jpg \(id 7\).*image 60 x 40"):
        check(folder)


def test_a_box_that_reaches_out_is_cut_off(tmp_path, caplog):
    folder = write_coco(tmp_path, box(0, [50, 5, 30, 10]))
    check(folder)
    assert "1 boxes have a part outside of the image, cut off: annotation 11 of 7.jpg (id 7)" in caplog.text
    assert open_coco(folder, "train").objects[0].boxes[0].tolist() == [50, 5, 60, 15]


def test_a_box_that_is_rounded_outwards_needs_no_word(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    check(write_coco(tmp_path, box(0, [50, 5, 10.9, 10])))
    assert "cut off" not in caplog.text


def test_categories_of_both_splits_must_agree(tmp_path):
    folder = write_coco(tmp_path)
    train = open_coco(folder, "train")
    check_categories(train, open_coco(folder, "val"))
    write_coco(folder, lambda found: found["categories"][0].update(name="wolf"), splits=["val"])
    with pytest.raises(UserError, match="categories differ: id 90 is 'dog' in .*train.* and 'wolf' in .*val"):
        check_categories(train, open_coco(folder, "val"))
    write_coco(folder, lambda found: found["categories"].append({"id": 6, "name": "cow"}), splits=["val"])
    with pytest.raises(UserError, match="id 6 is 'missing' in .*train.* and 'cow' in"):
        check_categories(train, open_coco(folder, "val"))
