"""Cached images are read from the disk once and are equal to those of the cached set."""

import os

import numpy as np
import pytest

from src.config import AugmentOptions, ConvertConfig
from src.dataset import train_dataset
from src.images import cache
from src.images.cache import CachedImages, cached
from src.images.convert import convert
from src.images.data_path import open_split
from src.images.preprocess import Preprocess


@pytest.fixture
def folder(image_folder):
    return open_split(image_folder, "train")


def epoch_images(images, epoch):
    data = train_dataset(images, Preprocess(32), AugmentOptions(), 4, epoch=epoch, seed=1, workers=1)
    return np.concatenate([batch for batch, _ in data.create_tuple_iterator(num_epochs=1, output_numpy=True)])


def test_on_and_off_do_as_they_say(folder):
    assert isinstance(cached(folder, "on"), CachedImages)
    assert cached(folder, "off") is folder


@pytest.mark.parametrize("spare, kind", [(1, "cached"), (0, "plain")])
def test_auto_caches_sets_below_the_limit(folder, monkeypatch, spare, kind):
    monkeypatch.setattr(cache, "CACHE_LIMIT", sum(map(os.path.getsize, folder.files)) + spare)
    assert isinstance(cached(folder), CachedImages) == (kind == "cached")


@pytest.mark.parametrize("spare, kind", [(1, "cached"), (0, "plain")])
def test_the_size_of_records_is_that_of_their_images(image_folder, tmp_path, monkeypatch, spare, kind):
    convert(ConvertConfig(data_path=str(image_folder), output=tmp_path / "out", workers=1))
    records = open_split(tmp_path / "out", "train")
    monkeypatch.setattr(cache, "CACHE_LIMIT", sum(records.read(i).size for i in range(len(records))) + spare)
    assert isinstance(cached(records), CachedImages) == (kind == "cached")


def test_batches_are_those_of_the_set_behind(folder):
    np.testing.assert_array_equal(epoch_images(cached(folder, "on"), 0), epoch_images(folder, 0))


def test_a_second_epoch_reads_no_files(folder):
    images, expected = cached(folder, "on"), epoch_images(folder, 1)
    epoch_images(images, 0)
    for path in folder.files:
        os.remove(path)
    np.testing.assert_array_equal(epoch_images(images, 1), expected)


def test_properties_are_those_of_the_set_behind(folder):
    images = cached(folder, "on")
    assert (len(images), images.root, images.classes, images.files) == (12, folder.root, folder.classes, folder.files)


def test_faults_are_those_of_the_set_behind(image_folder, folder):
    (image_folder / "train/cat/0.jpg").write_bytes(b"")
    assert cached(folder, "on").faults("full") == folder.faults("full") != []
