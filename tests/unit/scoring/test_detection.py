"""postprocess.py on the results of a detector: the AP of evaluation, from JSON and CSV, and mistakes in one line."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from support.project import PROJECT

from src.config import ScoreConfig
from src.detection.coco import read_coco
from src.detection.coco_scores import score_detections
from src.detection.finding import as_table
from src.detection.postprocess import Detections
from src.errors import UserError
from src.scoring.detection import match_images
from src.scoring.objects import COLUMNS, FoundObjects, read_objects
from src.scoring.score import score_results

NAMES = ["b/1.jpg", "1.jpg", "a/2.jpg", "a/empty.jpg"]  # of images; ids 7, 10, 13, 16
CLASSES = ["cat", "dog"]  # ids 30, 40
SIZE = 200, 100


@pytest.fixture
def data(tmp_path):
    """A data set of four images in COCO's layout, without image files but the first: scoring never opens them."""
    folder = tmp_path / "coco"
    (folder / "annotations").mkdir(parents=True)
    (folder / "val/b").mkdir(parents=True)
    (folder / "val/b/1.jpg").touch()
    rng = np.random.default_rng(2)
    images = [
        {"id": 7 + 3 * index, "file_name": name, "width": SIZE[0], "height": SIZE[1]}
        for index, name in enumerate(NAMES)
    ]
    boxes = [
        {
            "id": number,
            "image_id": 7 + 3 * (number % 3),
            "category_id": (30, 40)[number % 2],
            "bbox": [*rng.uniform(0, 60, 2), *rng.uniform(20, 40, 2)],
            "iscrowd": int(number == 4),
        }
        for number in range(9)
    ]
    categories = [{"id": 40, "name": "dog"}, {"id": 30, "name": "cat"}]
    content = {"images": images, "annotations": boxes, "categories": categories}
    (folder / "annotations/instances_val.json").write_text(json.dumps(content))
    return folder


def truth(data):
    return read_coco(data / "annotations/instances_val.json", data / "val")


def detections(data):
    """Return objects of each image: the truth, moved a little, and a false one."""
    rng = np.random.default_rng(4)
    found = []
    for objects in truth(data).objects:
        boxes = np.concatenate([objects.boxes + rng.uniform(-3, 3, objects.boxes.shape), [[5, 5, 40, 30]]])
        scores = np.sort(rng.uniform(0.1, 1, len(boxes)))[::-1]
        classes = np.append(objects.classes, 1)
        found.append(Detections(boxes.astype(np.float32), scores.astype(np.float32), classes))
    return found


def entries(data, names=NAMES):
    """Return what tinynet_infer writes for these objects."""
    results = []
    for name, (boxes, scores, classes) in zip(names, detections(data), strict=True):
        corners = boxes.astype(float)
        rows = zip(np.column_stack([corners[:, :2], corners[:, 2:] - corners[:, :2]]), scores, classes, strict=True)
        objects = [
            {"class": int(label) - 1, "name": CLASSES[label - 1], "score": float(score), "bbox": box.tolist()}
            for box, score, label in rows
        ]
        results.append({"image": f"/elsewhere/val/{name}", "width": SIZE[0], "height": SIZE[1], "objects": objects})
    return results


def write_json(path, results):
    path.write_text(json.dumps(results))
    return path


def write_csv(path, results):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for result in results:
            head = [result["image"], result.get("width", ""), result.get("height", "")]
            for rank, each in enumerate(result.get("objects", ()), 1):
                writer.writerow([*head, rank, each["class"], each["name"], each["score"], *each["bbox"], ""])
            if not result.get("objects"):
                writer.writerow([*head, *[""] * 8, result.get("error", "")])
    return path


def score(**flags):
    return score_results(ScoreConfig(**{key: str(value) for key, value in flags.items()}))


def refused(words, **flags):
    with pytest.raises(UserError, match=words) as error:
        score(**flags)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("write, name", [(write_json, "r.json"), (write_csv, "r.csv")])
def test_the_scores_are_those_of_evaluation(data, tmp_path, capsys, write, name):
    expected = score_detections(truth(data), as_table(truth(data), detections(data)))
    found = score(results=write(tmp_path / name, entries(data)[::-1]), data_path=data)  # in another order
    assert found == expected and 0 < found.numbers["ap"] < 100
    assert f"4 images, AP, AP50, AP75: {found.numbers['ap']:.2f} %" in capsys.readouterr().out


def test_images_without_result_are_named_and_count(data, tmp_path, capsys):
    results = entries(data)
    results[1] = {"image": results[1]["image"], "error": "damaged JPEG"}
    kept = [*detections(data)[:1], *[Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int))] * 3]
    expected = score_detections(truth(data), as_table(truth(data), kept))
    for write, name in ((write_json, "r.json"), (write_csv, "r.csv")):
        assert score(results=write(tmp_path / name, results[:2]), data_path=data) == expected
        out = capsys.readouterr().out
        assert "no result for 1.jpg, a/2.jpg, a/empty.jpg\n" in out and "3 images without result" in out


def test_images_that_the_data_set_does_not_name_are_named_and_not_scored(data, tmp_path, capsys):
    other = {"image": "/elsewhere/val/c/3.jpg", "width": 9, "height": 9, "objects": []}
    expected = score(results=write_json(tmp_path / "r.json", entries(data)), data_path=data)
    capsys.readouterr()
    assert score(results=write_json(tmp_path / "r.json", [other, *entries(data)]), data_path=data) == expected
    assert "does not name them: /elsewhere/val/c/3.jpg\n" in capsys.readouterr().out


def test_an_image_is_the_longest_end_of_its_path(data):
    results = [FoundObjects(image=f"x/{name}", width=200, height=100, objects=()) for name in NAMES]
    found, missing, unknown = match_images(truth(data), results)
    assert [found[index].image for index in range(4)] == [f"x/{name}" for name in NAMES]
    assert not missing and not unknown


def test_json_in_the_last_line(data, tmp_path, capsys):
    found = score(results=write_json(tmp_path / "r.json", entries(data)[:3]), data_path=data, json=True)
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed == {"images": 4, **found.numbers, "classes": found.classes, "missing": 1}


def test_results_that_do_not_belong_to_the_data_are_refused(data, tmp_path):
    def fails(words, results, **flags):
        refused(words, results=write_json(tmp_path / "r.json", results), data_path=data, **flags)

    good = entries(data)
    fails("two results for 1.jpg", [*good, good[1]])
    fails("1.jpg has 100 x 200 pixels in the results, .* says 200 x 100", [good[1] | {"width": 100, "height": 200}])
    fails("no image of .* is in .*; name the images", [good[0] | {"image": "x.jpg"}])
    fails(
        "call class 0 'dog', .* calls it 'cat'",
        [good[0] | {"objects": [good[0]["objects"][0] | {"name": "dog", "class": 0}]}],
    )
    fails(
        "have a class 2, .* has 2 classes", [good[0] | {"objects": [good[0]["objects"][0] | {"class": 2, "name": "x"}]}]
    )
    fails("label_file is for classifiers", good, label_file=tmp_path / "labels.txt")
    (tmp_path / "m.json").write_text('{"classes": ["cat", "cow"], "num_classes": 2}')
    fails("has 2 classes .cat, cow, ....*; they must agree", good, description=tmp_path / "m.json")
    refused("data_path is missing", results=write_json(tmp_path / "r.json", good))


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("r.json", '[{"image": "a.jpg", "objects": [{"class": -1}]}]', r"\[0\].objects\[0\].class is -1"),
        ("r.json", '[{"image": "a.jpg", "objects": 5}]', r"\[0\].objects is 5; expected a"),
        ("r.csv", ",".join(COLUMNS) + "\na.jpg,1,1,2,0,cat,0.5,1,1,1,1,\n", "rank 2 of a.jpg does not follow"),
        ("r.csv", ",".join(COLUMNS) + "\na.jpg,1,1\n", "does not have 12 fields"),
        ("r.csv", ",".join(COLUMNS) + "\na.jpg,1,1,1,0,cat,nan,1,1,1,1,\n", "score is 'nan'; expected a finite number"),
    ],
)
def test_damaged_results_are_refused(data, tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    refused(words, results=tmp_path / name, data_path=data)


def test_flags_of_detectors_are_refused_for_classes(tmp_path):
    results = write_json(tmp_path / "r.json", [{"image": "a.jpg", "top": []}])
    refused(
        "val_json and val_images are for detectors", results=results, data_path=tmp_path, val_json=tmp_path / "v.json"
    )


def test_both_formats_hold_the_same(data, tmp_path):
    first, second = (
        read_objects(write(tmp_path / name, entries(data)))
        for write, name in ((write_json, "r.json"), (write_csv, "r.csv"))
    )
    assert first == second


def test_no_framework_is_imported(data, tmp_path):
    results = write_json(tmp_path / "r.json", entries(data))
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from src.config import ScoreConfig\n"
        "from src.scoring.score import score_results\n"
        "score_results(ScoreConfig(results=sys.argv[2], data_path=sys.argv[3]))\n"
        "print('mindspore' in sys.modules, 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", program, PROJECT, results, data]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False False"
