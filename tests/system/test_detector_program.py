"""The C++ program with a detector: Pillow's pixels, the objects of Python, pictures, mistakes, and scores.

All of it runs under AddressSanitizer and UndefinedBehaviorSanitizer.
"""

import json

import numpy as np
import pytest
from PIL import Image
from support.detector_model import write_detector_json, write_lookup, write_pixels
from support.identity_model import write_identity
from support.project import photograph

from src.detection.boxes import coco_boxes
from src.detection.pipeline import stretched
from src.detection.postprocess import Detections, Rule, detect
from src.images.preprocess import Preprocess

SIZES = [(64, 48), (48, 64), (16, 16), (16, 90), (1, 90), (90, 1), (17, 15), (8, 50), (30, 70), (3, 2), (50, 37)]
SIZE, ANCHORS, CLASSES, IMAGES = 32, 90, 4, 24


@pytest.fixture(scope="module")
def program(sanitized_classifier):
    return sanitized_classifier


def find(workspace, program, model, *arguments):
    """Run the program, and return what it wrote as JSON."""
    output = model.with_suffix(".results.json")
    flags = ("--format", "json", "--output", output, "--batch_size", 7)
    done = workspace.run(program, "--model_path", model, *arguments, *flags)
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr
    results = json.loads(output.read_text())
    output.unlink()
    return results


@pytest.mark.parametrize("input_type", ["float32", "uint8"])
def test_the_network_sees_the_pixels_of_evaluation(workspace, program, tmp_path, input_type):
    rng, preprocess = np.random.default_rng(1), Preprocess(16)
    rule = write_pixels(tmp_path / "pixels.onnx", preprocess, input_type)
    (tmp_path / "images").mkdir()
    pictures = [Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)) for width, height in SIZES]
    for number, picture in enumerate(pictures):
        picture.save(tmp_path / "images" / f"{number:02d}.png")
    results = find(workspace, program, tmp_path / "pixels.onnx", tmp_path / "images")
    for result, picture in zip(results, pictures, strict=True):
        seen = stretched(picture, preprocess.size)
        values = preprocess.normalize(seen) if input_type == "float32" else seen.astype(np.float32)
        expected = Detections(values.reshape(-1, 4), np.zeros(0), np.zeros(0)).scaled(16, *picture.size)
        assert len(result["objects"]) == rule.detections
        assert [each["bbox"] for each in result["objects"]] == coco_boxes(expected.boxes).tolist(), picture.size


def draw_arrays(rng):
    """Return random boxes and scores of all images, with equal boxes, equal scores and scores on the threshold."""
    corners = rng.uniform(-2, SIZE + 2, (IMAGES, ANCHORS, 2, 2))
    corners.sort(2)
    boxes = corners.reshape(IMAGES, ANCHORS, 4).clip(0, SIZE).astype(np.float32)
    boxes[::5] = boxes[::5].round()
    boxes[:, 1::9] = boxes[:, ::9]
    boxes[:, 2::9] = boxes[:, ::9] + np.float32(0.5)
    scores = rng.exponential(1, (IMAGES, ANCHORS, CLASSES + 1)) ** 3
    scores = (scores / scores.sum(2, keepdims=True)).astype(np.float32)
    scores[::3] = (scores[::3] * 16).round() / 16
    return boxes, scores


@pytest.fixture(scope="module")
def lookup(tmp_path_factory):
    """A detector with random boxes and scores for gray images of random sizes: its model, the images and the arrays."""
    rng, folder = np.random.default_rng(3), tmp_path_factory.mktemp("lookup")
    boxes, scores = draw_arrays(rng)
    write_lookup(folder / "m.onnx", boxes, scores, SIZE)
    (folder / "images").mkdir()
    sizes = [tuple(rng.integers(2, 90, 2).tolist()) for _ in range(IMAGES)]
    for number, size in enumerate(sizes):
        Image.new("RGB", size, (number,) * 3).save(folder / "images" / f"{number:03d}.png")
    return folder, sizes, boxes, scores


@pytest.mark.parametrize(
    "rule, flags",
    [
        (Rule(), ()),
        (Rule(0.25, 60, 0.3, 12), ("--min_score=0.25", "--candidates=60", "--nms_overlap=0.3", "--max_objects=12")),
        (Rule(0, 250, 1, 200), ("--min_score=0", "--candidates=250", "--nms_overlap=1", "--max_objects=200")),
    ],
)
def test_objects_are_those_of_python(workspace, program, lookup, rule, flags):
    folder, sizes, boxes, scores = lookup
    results = find(workspace, program, folder / "m.onnx", folder / "images", *flags)
    for number, (result, size) in enumerate(zip(results, sizes, strict=True)):
        expected = detect(boxes[number], scores[number], rule).scaled(SIZE, *size)
        assert (result["width"], result["height"]) == size
        assert [each["bbox"] for each in result["objects"]] == coco_boxes(expected.boxes).tolist()
        assert [each["score"] for each in result["objects"]] == expected.scores.tolist()
        assert [each["class"] + 1 for each in result["objects"]] == expected.classes.tolist()


def test_pictures_have_boxes_and_are_never_replaced(workspace, program, lookup, tmp_path):
    folder, sizes, *_ = lookup
    flags = ("--model_path", folder / "m.onnx", folder / "images", "--draw", tmp_path / "drawn")
    done = workspace.run(program, *flags, "--show_score", "0.9")
    assert len(done.stdout.splitlines()) == IMAGES and ": class " in done.stdout
    for number, size in enumerate(sizes):
        with Image.open(tmp_path / "drawn" / f"{number:03d}.png") as drawn:
            assert drawn.size == size
            line = done.stdout.splitlines()[number]
            assert (np.asarray(drawn) == number).all() == line.endswith(": no objects")
    workspace.fails(program, *flags, words="drawn exists already; give another --draw or remove it")


def test_mistakes_are_one_line(workspace, program, lookup, tmp_path):
    folder, *_ = lookup
    photograph(50, 40).save(tmp_path / "a.jpg")
    write_identity(tmp_path / "classes.onnx", Preprocess(SIZE), "uint8")

    def fails(words, *flags, model=folder / "m.onnx"):
        workspace.fails(program, "--model_path", model, tmp_path / "a.jpg", *flags, words=words)

    def described(name, **changes):
        content = write_detector_json(tmp_path / "other.onnx", SIZE, ANCHORS, CLASSES)
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({key: value for key, value in (content | changes).items() if value is not None}))
        return "--description", path

    fails("--top_k is for a classifier", "--top_k", 5)
    fails("--format bin is for a classifier", "--format", "bin", "--output", tmp_path / "bins")
    fails("--min_score is for a detector", "--min_score", 0.1, model=tmp_path / "classes.onnx")
    fails("--draw is for a detector", "--draw", tmp_path / "d", model=tmp_path / "classes.onnx")
    fails("--nms_overlap", "--nms_overlap", 0)
    fails("outputs.0.name", *described("no outputs", outputs=None))
    fails("postprocess.min_score", *described("no rule", postprocess=None))
    fails("task is pose; expected detection", *described("task", task="pose"))
    outputs = [{"name": "boxes", "shape": ["batch", 91, 4]}, {"name": "scores", "shape": ["batch", 91, 5]}]
    fails("has 90 anchors, but", *described("anchors", outputs=outputs))
    fails("expected boxes and scores", *described("order", outputs=outputs[::-1]))
    (tmp_path / "one.onnx").write_bytes((tmp_path / "classes.onnx").read_bytes())
    write_detector_json(tmp_path / "one.onnx", SIZE, ANCHORS, CLASSES)
    fails("has one output; a detector has two, boxes and scores", model=tmp_path / "one.onnx")
    assert not (tmp_path / "bins").exists() and not (tmp_path / "d").exists()


def test_a_broken_image_costs_only_itself(workspace, program, lookup, tmp_path):
    folder, *_ = lookup
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.png").write_bytes(b"no image")
    Image.new("RGB", (20, 10)).save(tmp_path / "images/b.png")
    broken, good = find(workspace, program, folder / "m.onnx", tmp_path / "images", "--draw", tmp_path / "drawn")
    assert broken == {"image": f"{tmp_path}/images/a.png", "error": "neither a JPEG nor a PNG"}
    assert good["width"] == 20 and good["objects"]
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["b.png"]
