"""Augmentation moves boxes with their pixels, and keeps objects as torchvision's rules say."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from src.detection.augment import FILL, View, distort_colors, draw_view, render, to_input, turn_hue
from src.detection.boxes import overlaps

SIZE = 64
OFF = SimpleNamespace(zoom_out=0.0, iou_crop=False, hflip=0.0, photometric=0.0)


def options(**changes):
    return SimpleNamespace(**(vars(OFF) | changes))


def rng(seed=0):
    return np.random.default_rng(seed)


def scene(boxes, width=120, height=90):
    """Return a gray image in which each box is filled by a color of its own."""
    pixels = np.full((height, width, 3), 100, np.uint8)
    for index, (x1, y1, x2, y2) in enumerate(np.asarray(boxes).astype(int)):
        pixels[y1:y2, x1:x2] = COLORS[index]
    return Image.fromarray(pixels)


BOXES = np.array([[10.0, 20, 50, 60], [60, 10, 110, 80]])
CLASSES = np.array([3, 4])
COLORS = ((255, 0, 0), (0, 255, 0))


def seen_extent(pixels, index):
    """Return the box of the pixels with the color of an object."""
    near = np.abs(pixels.astype(int) - COLORS[index]).sum(-1) < 150
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def test_without_changes_both_axes_are_scaled_on_their_own():
    view = draw_view(rng(), 120, 90, BOXES, CLASSES, SIZE, OFF)
    np.testing.assert_allclose(view.boxes, BOXES * np.array([64 / 120, 64 / 90] * 2))
    assert view.classes.tolist() == [3, 4] and not view.flipped
    np.testing.assert_array_equal(
        render(scene(BOXES), view, SIZE, rng(), 0), np.asarray(scene(BOXES).resize((64, 64), Image.Resampling.BILINEAR))
    )


def test_a_flip_mirrors_boxes_and_pixels():
    view = draw_view(rng(), 120, 90, BOXES, CLASSES, SIZE, options(hflip=1.0))
    assert view.flipped
    np.testing.assert_allclose(view.boxes[0], [64 - 50 * 64 / 120, 20 * 64 / 90, 64 - 10 * 64 / 120, 60 * 64 / 90])


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("how", [{"iou_crop": True}, {"zoom_out": 1.0}, {"zoom_out": 1.0, "iou_crop": True}])
def test_boxes_are_where_the_pixels_are(seed, how):
    view = draw_view(rng(seed), 120, 90, BOXES, CLASSES, SIZE, options(hflip=0.5, **how))
    pixels = render(scene(BOXES), view, SIZE, rng(), 0)
    for box, label in zip(view.boxes, view.classes):
        if min(box[2:] - box[:2]) > 6:
            np.testing.assert_allclose(seen_extent(pixels, label - 3), box, atol=2)


def test_zoom_out_fills_what_is_not_the_image():
    view = View(np.array([-120.0, -90, 240, 180]), False, BOXES, CLASSES)
    pixels = render(Image.new("RGB", (120, 90)), view, 60, rng(), 0)
    assert tuple(pixels[0, 0]) == FILL and not pixels[20:40, 20:40].any()


sides = st.floats(5, 60)
places = st.lists(st.tuples(st.floats(0, 60), st.floats(0, 30), sides, sides), min_size=1, max_size=4)


@given(places, st.integers(0, 2**32))
@settings(max_examples=30)
def test_a_crop_keeps_objects_whose_center_it_holds(drawn, seed):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in drawn])
    view = draw_view(rng(seed), 120, 90, boxes, np.arange(len(boxes)), SIZE, options(iou_crop=True))
    x1, y1, x2, y2 = view.region
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = ((centers > [x1, y1]) & (centers < [x2, y2])).all(1)
    assert view.classes.tolist() == np.flatnonzero(inside).tolist() != []
    assert view.boxes.min() >= 0 and view.boxes.max() <= SIZE
    np.testing.assert_allclose(view.boxes, to_input(boxes[inside], view.region, SIZE))
    assert 0 <= x1 < x2 <= 120 and 0 <= y1 < y2 <= 90
    if (x1, y1, x2, y2) != (0, 0, 120, 90):
        assert x2 - x1 >= 0.3 * 120 - 1e-9 and 0.5 <= (x2 - x1) / (y2 - y1) <= 2


def plain_iou_crop(rng, extent, boxes):
    """The rule of torchvision, with arrays of two numbers; return the crop and which objects it keeps."""
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    while True:
        least = (0, 0.1, 0.3, 0.5, 0.7, 0.9, 1)[rng.integers(7)]
        if least == 1:
            return np.concatenate([[0, 0], extent]), np.ones(len(boxes), bool)
        for _ in range(40):
            sides = extent * rng.uniform(0.3, 1, 2)
            start = (extent - sides) * rng.random(2)
            crop = np.concatenate([start, start + sides])
            inside = ((centers > crop[:2]) & (centers < crop[2:])).all(1)
            if not 0.5 <= sides[0] / sides[1] <= 2 or not inside.any():
                continue
            if overlaps(boxes[inside], crop[None]).max() >= least:
                return crop, inside


@pytest.mark.parametrize("seed", range(40))
def test_a_crop_is_that_of_the_plain_rule(seed):
    corners = np.random.RandomState(seed).uniform(0, 60, (5, 2))
    boxes = np.concatenate([corners, corners + np.random.RandomState(seed).uniform(5, 60, (5, 2))], 1)
    plain, ours = rng(seed), rng(seed)
    plain.random()  # zoom out
    expected, kept = plain_iou_crop(plain, np.array([120.0, 90.0]), boxes)
    view = draw_view(ours, 120, 90, boxes, np.arange(5), SIZE, options(iou_crop=True))
    np.testing.assert_array_equal(view.region, expected)
    assert view.classes.tolist() == np.flatnonzero(kept).tolist()


def test_an_image_without_objects_is_not_cropped():
    view = draw_view(rng(), 120, 90, np.zeros((0, 4)), np.zeros(0, int), SIZE, options(iou_crop=True))
    assert view.region.tolist() == [0, 0, 120, 90] and view.boxes.shape == (0, 4)


def test_colors_change_with_the_seed_alone():
    image = scene(BOXES)
    same = [np.asarray(distort_colors(image, rng(seed))) for seed in (5, 5, 6)]
    assert (same[0] == same[1]).all() and (same[0] != same[2]).any()


def test_the_hue_is_turned():
    red = Image.new("RGB", (2, 2), (255, 0, 0))
    np.testing.assert_array_equal(np.asarray(turn_hue(red, 0.0)), np.asarray(red))
    assert np.asarray(turn_hue(red, 1 / 3))[0, 0] == pytest.approx((0, 255, 0), abs=6)
