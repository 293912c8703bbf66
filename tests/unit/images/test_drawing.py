"""Shapes painted on a canvas, and their places."""

import io

import numpy as np
import pytest
from PIL import Image

from src.images.drawing import Box, clouds, lighter_color, mean_level, paint_ink, paint_line, random_box, with_noise
from src.images.png import stored_png

RED = np.array([255, 0, 0])


def gray(level=100, height=12, width=20):
    return np.full((height, width, 3), float(level))


def test_a_random_box_is_anywhere_within_the_canvas():
    rng = np.random.RandomState(0)
    boxes = [random_box(rng, gray(), 10, 20) for _ in range(50)]
    assert {(box.top, box.left) for box in boxes} == {(0, 0), (1, 0), (2, 0)}


def test_full_ink_fills_its_box_and_no_other_pixel():
    canvas = gray()
    paint_ink(canvas, Box(2, 3, 4, 5), np.full((8, 8), 255, np.uint8), RED)
    painted = (canvas == RED).all(axis=-1)
    assert painted[2:6, 3:8].all() and painted.sum() == 4 * 5
    assert (canvas[~painted] == 100).all()


def test_half_ink_gives_the_mean_of_both_colors():
    canvas = gray(0)
    paint_ink(canvas, Box(0, 0, 12, 20), np.full((8, 8), 51, np.uint8), RED)
    assert canvas[0, 0] == pytest.approx([51, 0, 0])


def test_a_line_covers_what_is_nearer_than_its_radius():
    canvas = gray(0, 9, 9)
    paint_line(canvas, np.array([[4, 2], [4, 6]]), 1.0, RED)
    assert (canvas[..., 0] == 255).nonzero()[0].tolist() == [4] * 5
    assert canvas[3, 4, 0] == canvas[5, 4, 0] == pytest.approx(127.5)
    assert canvas[2].max() == canvas[6].max() == 0


def test_a_line_of_no_length_is_a_dot():
    canvas = gray(0, 5, 5)
    paint_line(canvas, np.array([[2, 2], [2, 2]]), 0.5, RED)
    assert np.argwhere(canvas[..., 0] == 255).tolist() == [[2, 2]]


def test_a_lighter_color_is_lighter_by_the_gap():
    color = lighter_color(np.random.RandomState(0), gray(60), Box(0, 0, 5, 5), 50)
    assert color.mean() == pytest.approx(110)


def test_no_color_is_lighter_than_white():
    assert lighter_color(np.random.RandomState(0), gray(200), Box(0, 0, 5, 5), 150).max() == 255


def test_the_level_is_that_of_the_box_alone():
    canvas = gray(10)
    canvas[:, 10:] = 200
    assert mean_level(canvas, Box(0, 10, 12, 10)) == 200


def test_clouds_lie_around_their_level():
    canvas = clouds(np.random.RandomState(0), 32, cells=6, level=80, percent=20)
    assert canvas.shape == (32, 32, 3)
    assert abs(canvas - 80).max() <= 0.2 * 127.5


def test_noise_changes_each_pixel_by_its_strength_at_most_and_stays_in_range():
    assert abs(with_noise(np.random.RandomState(0), gray(100), 7).astype(int) - 100).max() == 7
    assert with_noise(np.random.RandomState(0), gray(254), 7).max() == 255


@pytest.mark.parametrize("height, width", [(1, 1), (64, 64), (151, 150)])  # the last has two blocks of 65,535 bytes
def test_a_png_without_compression_holds_its_pixels(height, width):
    pixels = np.random.RandomState(0).randint(0, 256, (height, width, 3), np.uint8)
    with Image.open(io.BytesIO(stored_png(pixels))) as image:
        assert (np.asarray(image) == pixels).all()
