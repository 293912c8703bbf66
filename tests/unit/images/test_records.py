"""Converted data sets give the images of the folder that they were made from, and name damage."""

import numpy as np
import pytest
from mindspore import nn, ops

from src.classification.metrics import score_images
from src.config import AugmentOptions, ConvertConfig
from src.dataset import eval_dataset, train_dataset
from src.errors import UserError
from src.images.check import check_classes, check_images
from src.images.convert import convert
from src.images.data_path import open_split
from src.images.faults import explain_bad_files
from src.images.preprocess import Preprocess
from src.runtime.workers import usable_cores

RULE = Preprocess(32)


class Means(nn.Cell):
    """Two logits of an image: its red and its blue."""

    def construct(self, images):
        return ops.stack((images[:, 0].mean((1, 2)), images[:, 2].mean((1, 2))), 1)


@pytest.fixture
def records(image_folder, tmp_path):
    """The folder, converted to two shards a split."""
    output = tmp_path / "records"
    convert(ConvertConfig(data_path=str(image_folder), output=output, shards=2, workers=1))
    return output


@pytest.mark.parametrize("workers", range(1, usable_cores() + 1))
def test_training_batches_are_those_of_the_folder_to_the_bit(image_folder, records, workers):
    def batches(path, rank):
        augment = AugmentOptions(randaugment=5, random_erasing=0.5)
        options = {"epoch": 1, "seed": 2, "workers": workers, "rank": rank, "ranks": 2, "skip": 1}
        data = train_dataset(open_split(path, "train"), RULE, augment, 2, **options)
        return list(data.create_tuple_iterator(num_epochs=1, output_numpy=True))

    for rank in (0, 1):
        expected, found = batches(image_folder, rank), batches(records, rank)
        assert len(expected) == 2
        for expected_batch, found_batch in zip(expected, found, strict=True):
            for expected_column, found_column in zip(expected_batch, found_batch, strict=True):
                np.testing.assert_array_equal(expected_column, found_column)


def test_evaluation_is_that_of_the_folder(image_folder, records):
    here, there = open_split(image_folder, "val"), open_split(records, "val")
    results = [
        score_images(Means(), split.files, split.labels, RULE, 4, workers=1).metrics() for split in (here, there)
    ]
    assert results[0] == results[1]


def test_slices_and_lists_of_files_can_be_read(records):
    files = open_split(records, "train").files
    for part in (files[3:11:2], [files[index] for index in range(3, 11, 2)]):
        data = eval_dataset(part, RULE, 100, workers=1)
        ((images,),) = data.create_tuple_iterator(num_epochs=1, output_numpy=True)
        assert len(images) == len(part) == 4
        np.testing.assert_allclose(images[-1], RULE.normalize(RULE.pixels(files[9])), atol=1e-5)


def test_damage_met_in_an_epoch_is_named(records):
    train = open_split(records, "train")
    damaged = train.files[2]
    with open(damaged.container, "r+b") as file:
        file.seek(damaged.offset + 30)
        file.write(bytes(damaged.length - 30))
    with (
        pytest.raises(UserError, match="1 bad file: .*train/00000.mindrecord/cat/2.jpg"),
        explain_bad_files(train.files),
    ):
        raise RuntimeError("as MindData does")


def test_an_undamaged_set_passes_the_full_check(records):
    train, val = open_split(records, "train"), open_split(records, "val")
    check_classes(train, val)
    check_images((train, val), "full")
