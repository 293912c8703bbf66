import os

import numpy as np

from src.config import AugmentOptions, ConvertConfig
from src.dataset import train_dataset
from src.images import cache
from src.images.cache import CachedImages, cached
from src.images.convert import convert
from src.images.folder import open_split
from src.images.preprocess import Preprocess


def test_small_sets_are_cached_unless_told_otherwise(image_folder, monkeypatch):
    folder = open_split(image_folder, "train")
    assert isinstance(cached(folder), CachedImages) and cached(folder, "off") is folder
    size = sum(map(os.path.getsize, folder.files))
    monkeypatch.setattr(cache, "CACHE_LIMIT", size)
    assert cached(folder) is folder and isinstance(cached(folder, "on"), CachedImages)
    monkeypatch.setattr(cache, "CACHE_LIMIT", size + 1)
    assert isinstance(cached(folder), CachedImages)


def test_records_are_measured_by_their_images(image_folder, tmp_path, monkeypatch):
    convert(ConvertConfig(data_path=str(image_folder), output=tmp_path / "out", workers=1))
    records = open_split(tmp_path / "out", "train")
    size = sum(len(records.read(index)) for index in range(len(records)))
    for limit, kind in {size: type(records), size + 1: CachedImages}.items():
        monkeypatch.setattr(cache, "CACHE_LIMIT", limit)
        assert isinstance(cached(records), kind)


def test_batches_are_the_same_and_files_are_read_once(image_folder):
    folder = open_split(image_folder, "train")
    images = cached(folder, "on")

    def epoch(images, number):
        data = train_dataset(images, Preprocess(32), AugmentOptions(), 4, epoch=number, seed=1, workers=1)
        return np.concatenate([batch for batch, _ in data.create_tuple_iterator(num_epochs=1, output_numpy=True)])

    expected = [epoch(folder, number) for number in (0, 1)]
    np.testing.assert_array_equal(epoch(images, 0), expected[0])
    for path in folder.files:
        os.remove(path)
    np.testing.assert_array_equal(epoch(images, 1), expected[1])


def test_everything_else_is_the_folders(image_folder):
    folder = open_split(image_folder, "train")
    images = cached(folder, "on")
    assert (len(images), images.root, images.classes, images.files) == (12, folder.root, folder.classes, folder.files)
    (image_folder / "train/cat/0.jpg").write_bytes(b"")
    assert images.faults("full") == folder.faults("full") != []
