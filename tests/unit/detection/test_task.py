"""The task of detection: a training in the common loop, resumed to the bit, and its weights evaluated."""

import csv
import json
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from support.coco import write_squares
from support.project import PROJECT
from support.small_network import SMALL_FILE, small
from support.small_training import assert_same

from src.cli import parse
from src.config import DetectEvalConfig, DetectPredictConfig, DetectTrainConfig
from src.design.detector import Detector
from src.detection import weights
from src.detection.coco_scores import score_detections
from src.detection.evaluate import evaluate_detector
from src.detection.layout import open_coco
from src.detection.predict import predict_objects
from src.detection.task import DetectionTask
from src.detection.weights import load_detector
from src.errors import UserError
from src.training.run import build_run
from src.weights.ckpt import read_ckpt
from src.weights.loading import save_safetensors

FLAGS = {
    "model": SMALL_FILE,
    "input_size": 48,
    "batch_size": 4,
    "epochs": 2,
    "schedule": "constant",
    "optimizer": "sgd",
    "lr": 0.02,
    "lr_batch": 0,
    "warmup_epochs": 0,
    "ema_decay": 0.5,
    "zoom_out": 0.5,
    "photometric": 0.5,
    "device_target": "CPU",
}


def config(schema=DetectTrainConfig, **flags):
    return parse(schema, _words(**flags))


def _words(**flags):
    return [word for key, value in flags.items() for word in (f"--{key}", *str(value).split("|")) if word != "True"]


def build(**flags):
    return build_run(config(**(FLAGS | flags)), DetectionTask)


@pytest.fixture(scope="module", autouse=True)
def _few_levels():
    """Two maps instead of six, which compile in a third of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "Detector", partial(Detector, extra=()))
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_squares(tmp_path_factory.mktemp("squares"))


@pytest.fixture(scope="module")
def classifier():
    """A classifier of three classes."""
    return small(num_classes=3)


@pytest.fixture(scope="module")
def start(classifier, tmp_path_factory):
    """Its weights."""
    path = tmp_path_factory.mktemp("start") / "classifier.safetensors"
    save_safetensors(classifier, path)
    return path


@pytest.fixture(scope="module")
def run(data, start, tmp_path_factory):
    """The folder of a training of two epochs that starts from a classifier."""
    folder = tmp_path_factory.mktemp("run") / "run"
    build(data_path=data, ckpt=start, run_dir=folder).fit()
    return folder


@pytest.fixture(scope="module")
def evaluated(run, data, tmp_path_factory):
    """The scores of the last weights, and the file of detections."""
    results = tmp_path_factory.mktemp("results") / "detections.json"
    flags = {"ckpt": run / "checkpoints" / "last.ckpt", "weights": "ema", "data_path": data, "results": results}
    return evaluate_detector(config(DetectEvalConfig, **flags, batch_size=4, json=True)), results


def rows_of(run):
    with open(run / "metrics.csv") as file:
        return list(csv.DictReader(file))


def test_metrics_are_cocos_numbers_of_both_kinds_of_weights(run):
    rows = rows_of(run)
    assert len(rows) == 2 and all(float(row["train_loss"]) > 0 for row in rows)
    assert {"raw_ap", "raw_ap50", "ema_ap", "ema_ar100"} <= rows[0].keys()


def test_a_checkpoint_describes_its_detector(run):
    _, meta = read_ckpt(run / "checkpoints" / "last.ckpt")
    assert meta["task"] == "detection" and meta["classes"] == ["light", "dark"]
    assert meta["detector"]["num_classes"] == 2 and meta["detector"]["last_map"] == "head"
    assert meta["preprocess"]["size"] == meta["architecture"]["resolution"] == 48


def test_a_resumed_training_ends_with_the_same_bits(run, data, tmp_path):
    checkpoints = tmp_path / "again" / "checkpoints"
    checkpoints.mkdir(parents=True)
    shutil.copy(run / "checkpoints" / "previous-last.ckpt", checkpoints / "last.ckpt")
    build(data_path=data, run_dir=checkpoints.parent, resume="auto").fit()
    (found, meta), (expected, _) = (read_ckpt(path / "last.ckpt") for path in (checkpoints, run / "checkpoints"))
    assert meta["step"] == 4
    assert_same(found, expected)


def test_a_detector_is_not_resumed_with_other_anchors(run, data):
    with pytest.raises(UserError, match="is of another run: detector was .*; start a new one"):
        build(data_path=data, run_dir=run, resume="auto", anchor_scales="0.1|0.9")


def test_the_evaluation_of_a_checkpoint_is_that_of_the_training(run, evaluated):
    found, _ = evaluated
    assert found.images == 5
    last = rows_of(run)[-1]
    assert {name: float(last[f"ema_{name}"]) for name in found.numbers} == pytest.approx(found.numbers, rel=1e-4)


def test_the_file_of_detections_has_the_scores_of_the_evaluation(data, evaluated):
    found, results = evaluated
    rows = json.loads(results.read_text())
    assert {row["category_id"] for row in rows} <= {9, 40} and len(rows) > 0
    table = np.array([[row["image_id"], *row["bbox"], row["score"], row["category_id"]] for row in rows])
    assert score_detections(open_coco(data, "val"), table).numbers == pytest.approx(found.numbers)
    sizes = {row["id"]: (row["width"], row["height"]) for row in open_coco(data, "val").rows}
    for row in rows:
        (x, y, width, height), (right, bottom) = row["bbox"], sizes[row["image_id"]]
        assert x >= 0 and y >= 0 and x + width <= right + 1e-3 and y + height <= bottom + 1e-3


def test_prediction_finds_the_objects_of_the_evaluation(run, data, evaluated, tmp_path, capfd):
    flags = {"ckpt": run / "checkpoints" / "last.ckpt", "weights": "ema", "batch_size": 4, "json": True}
    options = parse(DetectPredictConfig, [str(data / "val"), *_words(**flags, draw=tmp_path / "copies")])
    results = predict_objects(options)
    assert json.loads(capfd.readouterr().out.splitlines()[-1]) == results
    ids, categories = {f"{number}.png": 3 * number + 7 for number in range(5)}, {"light": 9, "dark": 40}
    found = [
        {"image_id": ids[Path(each["image"]).name], "category_id": categories[one["name"]], **_box_and_score(one)}
        for each in results
        for one in each["objects"]
    ]
    assert found == json.loads(evaluated[1].read_text())
    assert sorted(path.name for path in (tmp_path / "copies").iterdir()) == sorted(ids)


def _box_and_score(found):
    return {"bbox": found["bbox"], "score": found["score"]}


def test_a_backbone_starts_from_the_weights_of_a_classifier(data, classifier, start):
    network = build(data_path=data, ckpt=start).task.network
    found = {p.name: p.asnumpy() for p in network.get_parameters()}
    expected = {p.name: p.asnumpy() for p in classifier.get_parameters() if "classifier" not in p.name}
    assert_same({name: found[name] for name in expected}, expected)


def test_other_classes_need_new_predictors(run, data, tmp_path):
    other = write_squares(tmp_path / "other")
    for split in ("train", "val"):
        path = other / "annotations" / f"instances_{split}.json"
        content = json.loads(path.read_text())
        content["categories"].append({"id": 77, "name": "gray"})
        path.write_text(json.dumps(content))
    flags = {"data_path": other, "ckpt": run / "checkpoints" / "last.ckpt"}
    with pytest.raises(UserError, match="last.ckpt has 2 classes, the data 3; .* add --replace_head"):
        build(**flags)
    network = build(**flags, replace_head=True).task.network
    old = read_ckpt(run / "checkpoints" / "last.ckpt")[0]
    new = {p.name: p.asnumpy() for p in network.get_parameters()}
    assert new["class_head.0.conv_pw.weight"].shape == (24, *old["class_head.0.conv_pw.weight"].shape[1:])
    kind = "ema." if read_ckpt(run / "checkpoints" / "last.ckpt")[1]["better"] == "ema" else ""
    np.testing.assert_array_equal(new["box_head.0.conv_pw.weight"], old[f"{kind}box_head.0.conv_pw.weight"])


def test_a_frozen_backbone_trains_what_the_detector_adds(data, start):
    network = build(data_path=data, ckpt=start, freeze_backbone=True).task.network
    trained = {p.name.split(".")[0] for p in network.trainable_params()}
    assert trained == {"class_head", "box_head"}  # this detector has no extra blocks


def test_mistakes_are_named(data, start, run, tmp_path):
    with pytest.raises(UserError, match="data_path is missing: give a data set"):
        build()
    with pytest.raises(
        UserError, match="model and data_path are missing: .*`--config config/ssdlite_digits.yaml` does"
    ):
        build_run(DetectTrainConfig(device_target="CPU"), DetectionTask)
    with pytest.raises(UserError, match="batch_size is 9, but .*instances_train.json holds 8 images"):
        build(data_path=data, batch_size=9)
    with pytest.raises(UserError, match="num_classes is 5, but .* has 2 categories"):
        build(data_path=data, num_classes=5)
    with pytest.raises(UserError, match="classifier.safetensors holds a classifier; train a detector from it"):
        load_detector(config(DetectEvalConfig, ckpt=start, model=SMALL_FILE))
    with pytest.raises(UserError, match="ckpt is missing: give a detector"):
        load_detector(config(DetectEvalConfig))
    with pytest.raises(UserError, match="nobody has published detectors"):
        load_detector(config(DetectEvalConfig, pretrained=True, model="tinynet_e"))
    with pytest.raises(UserError, match="trained on 2 categories .light, dark, ....*instances_val.json has 10"):
        ckpt = run / "checkpoints" / "last.ckpt"
        evaluate_detector(config(DetectEvalConfig, ckpt=ckpt, data_path=_with_ten_classes(tmp_path)))


def test_the_package_that_scores_is_missed_before_any_work(data, start, monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    with pytest.raises(UserError, match="needs faster-coco-eval; "):
        build(data_path=data, ckpt=start)
    with pytest.raises(UserError, match="needs faster-coco-eval; "):
        evaluate_detector(config(DetectEvalConfig, ckpt=start, data_path=data))


def _with_ten_classes(folder):
    write_squares(folder)
    path = folder / "annotations" / "instances_val.json"
    content = json.loads(path.read_text())
    content["categories"] += [{"id": 100 + number, "name": f"other {number}"} for number in range(8)]
    path.write_text(json.dumps(content))
    return folder


def test_the_recipes_of_detectors_are_read():
    for name, model in {"digits": "tinynet_e", "tinynet_d": "tinynet_d"}.items():
        assert config(config=PROJECT / "config" / f"ssdlite_{name}.yaml").model == model
