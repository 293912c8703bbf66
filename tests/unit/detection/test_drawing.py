"""Copies of images and sheets show boxes where the objects are, and lose no file of the user."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.project import photograph

from src.detection.drawing import copy_paths, draw_copies, draw_sheet

pytest.importorskip("matplotlib", reason="a picture needs matplotlib, an extra")

BOX = [40.0, 30.0, 60.0, 50.0]  # x, y, width, height
BLUE = (0, 0, 99)


@pytest.fixture
def result(tmp_path):
    """The result of an image of odd sides with a sure object and another one."""
    path = tmp_path / "photo.jpg"
    photograph(157, 113).save(path)
    objects = [
        {"class": 0, "name": "$cat$", "score": 0.9, "bbox": BOX},
        {"class": 1, "name": "dog", "score": 0.3, "bbox": [110.0, 80.0, 30.0, 20.0]},
    ]
    return {"image": str(path), "width": 157, "height": 113, "objects": objects}


def changed(result, path):
    """Return which pixels of a copy differ from the image, bool (height, width)."""
    before, after = (np.asarray(Image.open(file).convert("RGB"), int) for file in (result["image"], path))
    return (before != after).any(-1)


def letters(draw, corner, folder):
    """Return how many pixels of letters a box at a corner has on a blue image of 400 x 300 pixels."""
    Image.new("RGB", (400, 300), BLUE).save(folder / "blue.png")
    found = {"class": 3, "name": "a cat", "score": 0.9, "bbox": [*corner, 60, 60]}
    draw([{"image": str(folder / "blue.png"), "objects": [found]}], [folder / "drawn.png"], least=0.5)
    pixels = np.asarray(Image.open(folder / "drawn.png").convert("RGB"), int)
    rows, columns = np.nonzero((pixels == BLUE).all(-1))  # the image, without what surrounds a panel
    image = pixels[rows.min() : rows.max(), columns.min() : columns.max()]
    return int((image.min(-1) > 150).sum())


def test_a_copy_has_the_pixels_of_its_image_but_for_the_box(result, tmp_path):
    draw_copies([result], [tmp_path / "copy.png"], least=0.5)
    found = changed(result, tmp_path / "copy.png")
    assert found[50, 39:41].any() and found[50, 99:101].any() and found[79:81, 60].any()  # its edges
    assert not found[50:76, 45:95].any() and not found[84:].any() and not found[:, 110:].any()


def test_a_lower_least_score_shows_more(result, tmp_path):
    draw_copies([result], [tmp_path / "copy.png"], least=0.3)
    assert changed(result, tmp_path / "copy.png")[90, 109:111].any()


@pytest.mark.parametrize("corner", [(200, 0), (380, 100), (396, -4), (-5, 100)])
def test_a_label_at_the_edge_of_an_image_is_whole(corner, tmp_path):
    assert letters(draw_copies, corner, tmp_path) == pytest.approx(letters(draw_copies, (100, 100), tmp_path), rel=0.1)


def test_a_label_at_the_edge_of_a_panel_is_whole(tmp_path):
    def draw(results, paths, least):
        draw_sheet(results, paths[0], least)

    assert letters(draw, (396, -4), tmp_path) == pytest.approx(letters(draw, (100, 100), tmp_path), rel=0.1)


def test_copies_of_images_with_one_name_have_several():
    files = ["a/x.jpg", "b/x.png", "x-2.jpg", "c/y.jpg"]
    assert copy_paths(files, Path("out")) == [Path("out") / name for name in ("x.png", "x-2.png", "x-2-2.png", "y.png")]


def test_a_sheet_has_a_panel_for_each_image(result, tmp_path):
    draw_sheet([result] * 5, tmp_path / "sheet.png", least=0.5)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (1280, 660)
