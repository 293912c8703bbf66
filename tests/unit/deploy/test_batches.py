"""Batches for exported files: all images, none of a smaller size."""

import numpy as np

from src.deploy.batches import batches, full_batches

IMAGES = np.arange(5)


def test_the_last_batch_is_filled_from_the_front():
    assert [batch.tolist() for batch in batches(IMAGES, 2)] == [[0, 1], [2, 3], [4, 0]]


def test_a_batch_larger_than_the_images_repeats_them():
    assert [batch.tolist() for batch in batches(IMAGES, 8)] == [[0, 1, 2, 3, 4, 0, 1, 2]]


def test_any_batch_is_tried_with_all_images_and_with_one():
    assert [batch.tolist() for batch in batches(IMAGES, 0)] == [[0, 1, 2, 3, 4], [0]]


def test_full_batches_are_indices():
    assert [index.tolist() for index in full_batches(3, 2)] == [[0, 1], [2, 0]]
