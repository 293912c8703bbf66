"""Batches of detection: their shapes, and that they depend on seed, epoch and image alone."""

from types import SimpleNamespace

import numpy as np
import PIL
import pytest
from PIL import Image
from support.coco import write_coco
from support.project import photograph
from support.small_network import SMALL

from src.dataset import to_network_input
from src.design.detector import Detector
from src.detection.anchors import anchor_boxes
from src.detection.layout import open_coco
from src.detection.pipeline import eval_batches, input_converter, stretched, train_batches
from src.detection.samples import CocoSamples, DrawnScenes, Sample
from src.images.preprocess import Preprocess

ANCHORS = anchor_boxes(Detector(SMALL, 2))
OPTIONS = SimpleNamespace(zoom_out=0.5, iou_crop=True, hflip=0.5, photometric=0.5)
PREPROCESS = Preprocess(32, 1.0)


class Squares:
    """Twelve images with a square each."""

    def __len__(self):
        return 12

    def sample(self, index, epoch):
        pixels = np.zeros((40, 50, 3), np.uint8)
        pixels[5:25, 10:30] = 20 * index
        box = np.array([[10.0, 5, 30, 25]])
        return Sample(50, 40, box, np.array([1 + index % 2]), lambda: Image.fromarray(pixels))


def batches(size=2, samples=None, **settings):
    settings = {"epoch": 1, "seed": 3, "workers": 1} | settings
    data = train_batches(samples or Squares(), PREPROCESS, ANCHORS, OPTIONS, size, **settings)
    return list(data.create_tuple_iterator(num_epochs=1, output_numpy=True))


def same(first, second):
    return len(first) == len(second) and all((a == b).all() for x, y in zip(first, second) for a, b in zip(x, y))


@pytest.fixture(scope="module")
def whole():
    return batches()


def test_the_input_has_the_bits_of_the_operators_of_minddata():
    pixels = expected = np.random.RandomState(0).randint(0, 256, (40, 30, 3)).astype(np.uint8)
    for operator in to_network_input(PREPROCESS):
        expected = operator(expected)
    found = input_converter(PREPROCESS)(pixels)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_batches_have_fixed_shapes(whole):
    assert len(whole) == 6
    for image, labels, codes in whole:
        assert image.shape == (2, 3, 32, 32) and image.dtype == np.float32
        assert labels.shape == (2, len(ANCHORS)) and labels.dtype == np.int32
        assert codes.shape == (2, len(ANCHORS), 4) and codes.dtype == np.float32
        assert (labels.max(1) > 0).all()


def test_batches_do_not_depend_on_workers_and_can_be_skipped(whole):
    assert same(batches(workers=2), whole)
    assert same(batches(skip=4), whole[4:])
    assert not same(batches(epoch=2), whole) and not same(batches(seed=4), whole)


def test_ranks_together_see_the_batches_of_one_process(whole):
    parts = [batches(size=1, rank=rank, ranks=2) for rank in (0, 1)]
    joined = [tuple(np.concatenate(pair) for pair in zip(*rows)) for rows in zip(*parts)]
    assert same(joined, whole)


def test_samples_of_a_data_set_have_objects(tmp_path):
    samples = CocoSamples(open_coco(write_coco(tmp_path), "train"))
    assert len(samples) == 3
    sample = samples.sample(1, 0)
    assert (sample.width, sample.height) == sample.decode().size == (40, 60)
    assert sample.boxes.tolist() == [[5, 5, 35, 55]] and sample.classes.tolist() == [2]


def test_drawn_scenes_are_others_in_each_epoch():
    first, second = (DrawnScenes().sample(0, epoch) for epoch in (0, 1))
    assert np.asarray(first.decode()).tobytes() != np.asarray(second.decode()).tobytes()
    assert first.classes.min() >= 1


def test_evaluation_sees_every_image_once_and_whole(tmp_path):
    images = open_coco(write_coco(tmp_path), "val")
    files = [images.path(index) for index in range(4)]
    data = eval_batches(files, PREPROCESS, 3, workers=2)
    found = np.concatenate([batch for (batch,) in data.create_tuple_iterator(num_epochs=1, output_numpy=True)])
    expected = np.stack([PREPROCESS.normalize(stretched(Image.open(file), 32)) for file in files])
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "size, columns_first", [((18, 27), True), ((45, 64), True), ((70, 64), False), ((40, 30), False)]
)
def test_every_pillow_stretches_as_pillow_13_does(size, columns_first):
    image, side, bilinear = photograph(*size), 32 if max(size) > 32 else 16, Image.Resampling.BILINEAR
    steps = image.resize((size[0], side) if columns_first else (side, size[1]), bilinear).resize((side, side), bilinear)
    assert np.array_equal(stretched(image, side), steps)
    if int(PIL.__version__.split(".")[0]) >= 13:
        assert np.array_equal(stretched(image, side), image.resize((side, side), bilinear))
