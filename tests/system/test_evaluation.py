"""Files of eval.py: results of each image, a confusion matrix, and a table of several weights."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from support.small_network import SMALL, small

from src.classification.evaluate import evaluate_weights
from src.classification.model_table import each_weights, source_of
from src.config import EvalConfig
from src.design.architecture_file import to_dict
from src.design.cost import total_cost
from src.images.preprocess import Preprocess
from src.weights.ckpt import save_ckpt
from src.weights.names import weights_of
from src.weights.pretrained import REPOSITORIES

COST = total_cost(SMALL, 10)


@pytest.fixture(scope="module")
def folder(few_digits, tmp_path_factory):
    """A folder with a.ckpt and b.ckpt, other weights of one network; c.ckpt, which is damaged; and a text."""
    folder = tmp_path_factory.mktemp("weights")
    classes = sorted(path.name for path in (few_digits / "val").iterdir())
    meta = {"model": SMALL.name, "architecture": to_dict(SMALL), "classes": classes}
    for name in "ab":
        weights = {name: parameter.asnumpy() for name, parameter in weights_of(small(num_classes=10)).items()}
        save_ckpt(weights, folder / f"{name}.ckpt", meta | {"preprocess": Preprocess(32).as_dict()})
    (folder / "c.ckpt").write_bytes((folder / "a.ckpt").read_bytes()[:-1])
    (folder / "notes.txt").write_text("a is better")
    return folder


def read_csv(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def one(folder, few_digits):
    """The row of a.ckpt, whose evaluation wrote r.csv, confusion.png and one.csv."""
    files = {"results": folder / "r.csv", "confusion": folder / "confusion.png", "table": folder / "one.csv"}
    (row,) = evaluate_weights(EvalConfig(ckpt=folder / "a.ckpt", data_path=str(few_digits), batch_size=7, **files))
    return row


def test_each_image_has_one_line_in_order(one, folder, few_digits):
    paths = sorted(str(path.relative_to(few_digits / "val")) for path in (few_digits / "val").glob("*/*"))
    lines = read_csv(folder / "r.csv")
    assert [line["path"] for line in lines] == paths
    assert [line["class"] for line in lines] == [path.split("/")[0] for path in paths]
    assert one.top1 == pytest.approx(100 * np.mean([line["class_index"] == line["top1_index"] for line in lines]))
    places = range(1, 6)
    assert one.top5 == pytest.approx(
        100 * np.mean([line["class"] in [line[f"top{n}_class"] for n in places] for line in lines])
    )


def test_the_lines_have_the_classes_and_probabilities_of_predict(one, door, folder, few_digits):
    line = read_csv(folder / "r.csv")[11]
    image = few_digits / "val" / line["path"]
    (result,) = json.loads(door("predict.py", "--ckpt", folder / "a.ckpt", image, "--json").stdout.splitlines()[-1])
    for place, entry in enumerate(result["top"], 1):
        assert line[f"top{place}_class"] == entry["class"] and int(line[f"top{place}_index"]) == entry["index"]
        assert float(line[f"top{place}_probability"]) == pytest.approx(entry["probability"], rel=1e-4)


def test_the_confusion_matrix_is_a_picture(one, folder):
    with Image.open(folder / "confusion.png") as image:
        assert image.format == "PNG" and min(image.size) > 300


def test_the_table_has_the_cost_and_the_source(one, folder):
    (line,) = read_csv(folder / "one.csv")
    assert (line["model"], line["source"], line["weights"]) == ("small", str(folder / "a.ckpt"), "raw")
    assert (int(line["parameters"]), int(line["macs"])) == (COST.parameters, COST.macs)
    assert float(line["top1"]) == one.top1 and int(line["images"]) == 40
    assert (line["input_size"], line["crop_pct"]) == ("32", "0.875")


def test_a_folder_of_weights_becomes_a_table_sorted_by_accuracy(one, refused, folder, few_digits):
    flags = ("--data_path", few_digits, "--batch_size", 7, "--table", folder / "all.csv", "--json")
    words = f"1 of 3 weights could not be evaluated: {folder}/c.ckpt is damaged"
    done = refused("eval.py", "--ckpt", folder, *flags, words=words)
    lines, rows = read_csv(folder / "all.csv"), json.loads(done.stdout.splitlines()[-1])
    assert {line["source"] for line in lines} == {f"{folder}/a.ckpt", f"{folder}/b.ckpt"}
    assert float(lines[0]["top1"]) >= float(lines[1]["top1"])
    assert [row["source"] for row in rows] == [line["source"] for line in lines]
    assert {"top1": one.top1, "loss": one.loss}.items() <= next(
        row for row in rows if row["source"] == one.source
    ).items()
    assert [line.split()[0] for line in done.stdout.splitlines()[:3]] == ["model", "small", "small"]


def test_a_pattern_of_paths_names_weights(folder):
    chosen = each_weights(EvalConfig(ckpt=folder / "[ab].ckpt"))
    assert [config.ckpt.name for config in chosen] == ["a.ckpt", "b.ckpt"]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path):
    (tmp_path / "w[1].ckpt").write_bytes(b"x")
    assert len(each_weights(EvalConfig(ckpt=tmp_path / "w[1].ckpt"))) == 1


@pytest.mark.parametrize(
    "pattern, names",
    [
        ("tinynet_*", [f"tinynet_{letter}" for letter in "abcde"]),
        ("all", list(REPOSITORIES)),
        ("tinynet_e", ["tinynet_e"]),
    ],
)
def test_a_pattern_of_names_names_published_weights(pattern, names):
    chosen = each_weights(EvalConfig(model=pattern, pretrained=True))
    assert [config.model for config in chosen] == names
    assert [source_of(config) for config in chosen] == [REPOSITORIES[name] for name in names]


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--ckpt", "."], "folder . holds no weights (.ckpt .safetensors .pth .pt .pth.tar .bin)"),
        (["--ckpt", "nothing/*.ckpt"], "no file matches nothing/*.ckpt; give a file, a folder of them, or a pattern"),
        (
            ["--model", "tinynet_?", "--ckpt", "x.ckpt"],
            "several networks need their published weights; add --pretrained",
        ),
        (["--model", "vgg*", "--pretrained"], "model is vgg*, but published weights have other names: tinynet_a"),
        (["--model", "all", "--pretrained", "--results", "r.csv"], "results is r.csv, but 19 weights are named"),
        (["--ckpt", "x.ckpt", "--table", "notes.csv"], "notes.csv exists and is not a table of eval.py"),
        (["--ckpt", "x.ckpt", "--results", "notes.csv"], "notes.csv exists and does not hold results of eval.py"),
        (["--ckpt", "x.ckpt", "--confusion", "notes.png"], "notes.png exists and was not drawn by this project"),
    ],
)
def test_a_mistake_is_one_line(refused, few_digits, tmp_path, flags, words):
    for name in ("notes.csv", "notes.png"):
        (tmp_path / name).write_text("model,price\n")
    refused("eval.py", *flags, "--data_path", few_digits, cwd=tmp_path, words=words)
