"""Two lists of objects that are the same or not, and the AP of both files."""

import numpy as np
import pytest
from support.coco import write_squares

from src.deploy.same_objects import SameObjects, agree
from src.detection.layout import open_coco
from src.detection.postprocess import Detections, Rule

BOXES = np.array([[0, 0, 10, 10], [20, 20, 40, 40]], np.float32)


def objects(boxes=BOXES, scores=(0.9, 0.8), classes=(1, 2)):
    return Detections(np.asarray(boxes, np.float32), np.array(scores, np.float32), np.array(classes))


OTHERS = [
    (objects(), True),
    (objects(BOXES + 1), True),  # IoU 0.68 and 0.82
    (objects(BOXES + 4), False),  # IoU 0.22 and 0.47
    (objects(classes=(1, 1)), False),
    (objects(scores=(0.9, 0.4)), False),
    (objects([*BOXES, [50, 50, 60, 60]], (0.9, 0.8, 0.3), (1, 2, 1)), True),  # the third one is not sure
    (objects([*BOXES, [50, 50, 60, 60]], (0.9, 0.8, 0.7), (1, 2, 1)), False),
    (objects(np.zeros((0, 4)), (), ()), False),
]


@pytest.mark.parametrize("other, same", OTHERS)
def test_sure_objects_must_overlap_one_of_their_class(other, same):
    assert agree(objects(), other) == agree(other, objects()) == same


def test_two_empty_images_have_the_same_objects():
    assert agree(objects(np.zeros((0, 4)), (), ()), objects(scores=(0.1, 0.1)))


def outputs(boxes, classes, sides):
    """Return boxes in a 32 x 32 input of images with these sides, and scores that are sure of each."""
    scale = np.array([[32 / width, 32 / height] * 2 for width, height in sides])
    scores = np.full((len(boxes), 1, 3), 0.05, np.float32)
    scores[np.arange(len(boxes)), 0, classes] = 0.9
    return [(boxes * scale)[:, None].astype(np.float32), scores]


def test_scores_are_the_ap_of_each_file(tmp_path):
    images = open_coco(write_squares(tmp_path, val=4), "val")
    sides = [(row["width"], row["height"]) for row in images.rows]
    truth = np.array([found.boxes[0] if len(found.boxes) else [0, 0, 1, 1] for found in images.objects])
    classes = np.array([found.classes[0] if len(found.boxes) else 0 for found in images.objects])
    judge = SameObjects(Rule(score=0.5), images, 32)
    judge.add(outputs(truth, 3 - classes * (classes > 0) - 3 * (classes == 0), sides), outputs(truth, classes, sides))
    assert {score.key: (score.value, score.float_value) for score in judge.scores()} == {
        "ap": (0, pytest.approx(100)),
        "ap50": (0, pytest.approx(100)),
    }
    assert judge.agreement() == 25  # the image without objects


def test_without_a_truth_there_are_no_scores():
    assert SameObjects(Rule()).scores() == ()
