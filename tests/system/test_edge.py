"""From the quick start's checkpoint to scored results of the C++ program, by the launchers that users run."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.coco import write_squares
from support.exporting import NAMES, export_detection, trained_checkpoint, trained_detector
from support.identity_model import write_identity
from support.pictures import save_all_kinds
from support.project import PROJECT, photograph
from support.small_network import ONE_BLOCK, SMALL

from src.classification.metrics import predict_logits
from src.config import DetectEvalConfig, PredictConfig
from src.detection.coco_scores import score_detections
from src.detection.coco_text import describe_scores
from src.detection.evaluate import evaluate_detector
from src.detection.layout import open_coco
from src.images.preprocess import Preprocess
from src.models import load_model

BEST = "runs/quickstart/checkpoints/best.ckpt"
MODEL = "runs/quickstart/tinynet_e_digits.onnx"
PROGRAM = "ascend310_infer/build/tinynet_infer"


@pytest.fixture(scope="module")
def edge(quickstart, compiler_or_skip):
    """The quick start's workspace with the program, which the launcher has built, and what the launcher printed."""
    workspace, _ = quickstart
    with compiler_or_skip():
        return workspace, workspace.run("bash", "scripts/run_infer_310.sh")


@pytest.fixture(scope="module")
def evaluated(edge):
    """Return the result of eval.py for the checkpoint."""
    return json.loads((edge[0].folder / "runs/quickstart/eval.json").read_text())


def sentence(score):
    return f"{score['images']} images, top-1 {score['top1']:.3f} %, top-5 {score['top5']:.3f} %, 0 without result\n"


def results_of(done):
    """The folder of results and timing that the launcher names last."""
    return Path(done.stdout.splitlines()[-1].partition(": ")[2])


def test_the_launcher_says_where_it_runs_and_how_fast(edge):
    _, done = edge
    assert "no NPU found: running" in done.stderr and "images/s" in done.stderr and "latency" in done.stderr


def test_the_launcher_scores_as_evaluation_does(edge, evaluated):
    assert sentence(evaluated) in edge[1].stdout


@pytest.fixture(scope="module")
def again(edge, tmp_path_factory):
    """A second start, from another folder, on copies whose names have spaces.

    With it come the times at which the program was built, before and after that start.
    """
    workspace, _ = edge
    folder = tmp_path_factory.mktemp("again")
    model = folder / "my models" / "net.mindir"
    model.parent.mkdir()
    for suffix in (".mindir", ".onnx", ".json"):
        shutil.copy((workspace.folder / MODEL).with_suffix(suffix), model.with_suffix(suffix))
    (folder / "my data").symlink_to(workspace.folder / "data/digits")
    script, program = workspace.folder / "scripts/run_infer_310.sh", workspace.folder / PROGRAM
    built = [program.stat().st_mtime_ns]
    done = workspace.run("bash", script, "my models/net.mindir", "my data", 0, cwd=folder)
    return done, [*built, program.stat().st_mtime_ns]


def test_the_launcher_takes_paths_with_spaces_from_any_folder(again, evaluated):
    done, _ = again
    assert sentence(evaluated) in done.stdout and "running my models/net.onnx on the CPU" in done.stderr


def test_a_program_that_is_up_to_date_is_not_built_again(again):
    before, after = again[1]
    assert before == after


def test_each_start_keeps_its_results_in_a_folder_of_its_own(edge, again):
    folders = [results_of(done) for done in (edge[1], again[0])]
    assert folders[0] != folders[1]
    for folder in folders:
        assert json.loads((folder / "timing.json").read_text())["images"] == 360
        assert len(json.loads((folder / "results.json").read_text())) == 360


@pytest.fixture(scope="module")
def pictures(edge, tmp_path_factory):
    """A folder of digits, photographs and files of every kind, and the logits that eval.py computes for them."""
    workspace, _ = edge
    folder = tmp_path_factory.mktemp("pictures") / "images"
    save_all_kinds(folder, [(500, 375), (120, 260)])
    digits = (workspace.folder / "data/digits/val").glob("*/*.png")
    for image in (*(PROJECT / "assets/samples").glob("*.jpg"), *digits):
        (folder / image.name).symlink_to(image)
    model = load_model(PredictConfig(ckpt=workspace.folder / BEST), None)
    paths = [str(file) for file in sorted(folder.iterdir())]
    return folder, np.concatenate(list(predict_logits(model.network, paths, model.preprocess, 32, workers=1)))


@pytest.mark.parametrize("batch", [1, 8])
def test_logits_are_those_of_eval(edge, pictures, tmp_path, batch):
    workspace, _ = edge
    folder, expected = pictures
    flags = ("--dataset_path", folder, "--format", "bin", "--output", tmp_path / "out", "--batch_size", batch)
    workspace.run(PROGRAM, "--model_path", MODEL, *flags)
    files = [tmp_path / "out" / f"{file.stem}_0.bin" for file in sorted(folder.iterdir())]
    logits = np.stack([np.fromfile(file, np.float32) for file in files])
    assert np.abs(logits - expected).max() <= 1e-4
    assert np.array_equal(logits.argmax(axis=1), expected.argmax(axis=1))


def test_memory_is_steady(edge, tmp_path):
    workspace, _ = edge
    write_identity(tmp_path / "identity.onnx", Preprocess(64), "float32")
    peak = {}
    for count in (100, 2000):
        folder = tmp_path / str(count)
        folder.mkdir()
        photograph(500, 375).save(folder / "0.jpg")
        for number in range(1, count):
            os.link(folder / "0.jpg", folder / f"{number}.jpg")
        flags = ("--dataset_path", folder, "--timing", tmp_path / f"{count}.json", "--batch_size", 4, "--threads", 2)
        done = workspace.run(PROGRAM, "--model_path", tmp_path / "identity.onnx", *flags, "--top_k", 1)
        assert len(done.stdout.splitlines()) == count
        peak[count] = json.loads((tmp_path / f"{count}.json").read_text())["peak_megabytes"]
    assert peak[2000] < 1.1 * peak[100], peak


@pytest.mark.parametrize("kind, name", [("json", "r.json"), ("csv", "r.csv"), ("bin", "bins"), ("bin", "result_Files")])
def test_every_format_scores_as_evaluation_does(edge, evaluated, tmp_path, kind, name):
    workspace, _ = edge
    output = tmp_path / name
    workspace.run(PROGRAM, "data/digits/val", "--model_path", MODEL, "--format", kind, "--output", output)
    if name == "result_Files":  # older programs write one folder, whatever the images' folders
        for file in list(output.rglob("*.bin")):
            file.rename(output / file.name)
    done = workspace.run("python", "postprocess.py", "--results", output, "--data_path", "digits", "--json")
    expected = {key: evaluated[key] for key in ("images", "top1", "top5")} | {"missing": 0}
    assert json.loads(done.stdout.splitlines()[-1]) == expected


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """A data set whose objects are some that an exported detector finds, and the numbers that evaluation gives it."""
    folder = tmp_path_factory.mktemp("detector") / "my squares"
    truth = write_squares(folder / "data") / "annotations/instances_val.json"
    content = json.loads(truth.read_text())
    content["categories"] = [{"id": 10 + number, "name": name} for number, name in enumerate(NAMES)]
    content["annotations"] = [content["annotations"][0] | {"category_id": 10}]
    truth.write_text(json.dumps(content))
    trained_detector(folder, SMALL)
    export_detection(folder, "--file_format", "ONNX", "--batch_size", 0, "--file_name", folder / "net")
    flags = {"ckpt": folder / "w.ckpt", "data_path": str(folder / "data"), "results": folder / "found.json"}
    evaluate_detector(DetectEvalConfig(device_target="CPU", **flags))
    found = json.loads((folder / "found.json").read_text())  # by falling score, 100 of each of 5 images
    chosen = [row | {"id": number, "iscrowd": 0} for number, row in enumerate(found) if number % 100 in (1, 4, 7, 10)]
    truth.write_text(json.dumps(content | {"annotations": chosen}))
    table = [(row["image_id"], *row["bbox"], row["score"], row["category_id"]) for row in found]
    return folder, score_detections(open_coco(folder / "data", "val"), np.array(table))


def test_the_launcher_scores_a_detector_as_evaluation_does(edge, squares):
    folder, scores = squares
    done = edge[0].run("bash", "scripts/run_infer_310.sh", folder / "net.onnx", folder / "data")
    assert 0 < scores.numbers["ap"] < 100
    assert describe_scores(scores) in done.stdout and "0 images without result" in done.stdout
    assert "rule: score > 0.01, best 300 pairs" in done.stderr


def test_images_without_annotations_have_no_score(edge, squares):
    done = edge[0].run("bash", "scripts/run_infer_310.sh", squares[0] / "net.onnx", squares[0] / "data/val")
    assert "data/val holds no annotations, so there is no AP" in done.stderr
    assert len(json.loads((results_of(done) / "results.json").read_text())) == 5


@pytest.fixture
def launcher(workspace):
    return workspace.folder / "scripts/run_export.sh"


def test_the_export_launcher_writes_both_formats_beside_the_checkpoint(workspace, launcher, tmp_path):
    trained_checkpoint(tmp_path, ONE_BLOCK)
    (tmp_path / "w.ckpt").rename(tmp_path / "my best.ckpt")
    workspace.run("bash", launcher, "my best.ckpt", cwd=tmp_path)
    files = json.loads((tmp_path / "my best.json").read_text())["files"]
    assert {name: file["batch_size"] for name, file in files.items()} == {
        "my best.mindir": "any",
        "my best.onnx": "any",
    }
    assert all((tmp_path / name).exists() for name in files)


def test_the_export_launcher_takes_a_name_and_a_format(workspace, launcher, tmp_path):
    trained_checkpoint(tmp_path, ONE_BLOCK)
    workspace.run("bash", launcher, tmp_path / "w.ckpt", tmp_path / "net", "ONNX")
    assert (tmp_path / "net.onnx").exists() and not (tmp_path / "net.mindir").exists()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("run_infer_310.sh", "nowhere.onnx"), "there is no model nowhere.onnx; scripts/run_export.sh writes one"),
        (("run_infer_310.sh", "README.md"), "MODEL is README.md; expected a .mindir or .onnx file"),
        (("run_infer_310.sh", MODEL, "nowhere"), "DATA_PATH is nowhere: there is no such folder"),
        (("run_infer_310.sh", "{tmp}/detector.onnx", "nowhere"), "data_path nowhere: there is no such folder"),
        (("run_infer_310.sh", MODEL, "config"), "holds no images"),
        (("run_infer_310.sh", MODEL, "digits", "first"), "--device_id"),
        (("run_infer_310.sh", "{tmp}/alone.mindir"), "alone.onnx; write it with scripts/run_export.sh CKPT"),
        (("run_infer_310.sh", 1, 2, 3, 4), "usage: run_infer_310.sh [MODEL] [DATA_PATH] [DEVICE_ID]"),
        (("run_export.sh", "{tmp}/detector.json", "", "SAFETENSORS"), "expected 'MINDIR', 'ONNX', 'AIR' or 'CKPT'"),
        (("run_eval.sh", "--modell", "x"), "unknown flag '--modell'; usage: run_eval.sh [DATA_PATH] [CKPT] [CONFIG]"),
        (("run_export.sh", "--ckpt", "x"), "unknown flag '--ckpt'; usage: run_export.sh [CKPT] [FILE_NAME]"),
        (("run_standalone_train.sh", "digits", "-e"), "unknown flag '-e'; usage: run_standalone_train.sh [DATA_PATH]"),
        (("build_docs.sh", "--site"), "unknown flag '--site'; usage: build_docs.sh [FOLDER]"),
        (("run_export.sh", "nowhere.ckpt"), "there is no weight file nowhere.ckpt"),
        (("run_export.sh", BEST, "{tmp}/net", "ONNXX"), "expected 'MINDIR', 'ONNX'"),
    ],
)
def test_mistakes_end_with_one_line(edge, tmp_path, arguments, words):
    for name in ("alone.mindir", "detector.onnx"):
        (tmp_path / name).touch()
    (tmp_path / "detector.json").write_text('{"task": "detection"}')
    script, *rest = (str(word).format(tmp=tmp_path) for word in arguments)
    edge[0].fails("bash", f"scripts/{script}", *rest, words=words)


@pytest.mark.parametrize("script", ["run_eval.sh", "run_export.sh", "run_infer_310.sh", "run_standalone_train.sh"])
def test_a_launcher_shows_its_help(edge, script):
    done = edge[0].run("bash", f"scripts/{script}", "--help")
    assert f"bash scripts/{script} [" in done.stdout and "shellcheck" not in done.stdout


def test_a_program_without_mindspore_lite_says_how_to_build_it(edge, tmp_path):
    (tmp_path / "no.mindir").write_bytes(b"a graph")
    flags = ("--model_path", tmp_path / "no.mindir", "--description", edge[0].folder / Path(MODEL).with_suffix(".json"))
    edge[0].fails(PROGRAM, PROJECT / "assets/samples", *flags, words="LITE_HOME")


def test_results_are_never_overwritten(edge, tmp_path):
    for kind in ("json", "csv"):
        (tmp_path / f"r.{kind}").write_text("mine")
        flags = ("--model_path", MODEL, "--format", kind, "--output", tmp_path / f"r.{kind}")
        edge[0].fails(PROGRAM, "data/digits/val", *flags, words="exists already; give another --output")
        assert (tmp_path / f"r.{kind}").read_text() == "mine"


def test_without_any_checkpoint_the_launchers_say_what_to_run(edge, tmp_path):
    """In a copy that was never trained: links to everything but the runs."""
    for path in edge[0].folder.iterdir():
        if path.name not in ("runs", "scripts"):
            (tmp_path / path.name).symlink_to(path)
    shutil.copytree(edge[0].folder / "scripts", tmp_path / "scripts")
    for script in ("run_infer_310.sh", "run_export.sh", "run_eval.sh"):
        edge[0].fails("bash", tmp_path / "scripts" / script, words="run scripts/quickstart.sh first")


def test_the_benchmark_runs(edge):
    done = edge[0].run(
        "python", "benchmarks/edge.py", "--model", MODEL, "--images", 4, "--rounds", 1, "--batch_size", 2
    )
    assert all(
        name in done.stdout for name in ("program", "Python", "inference", "ideal", "latency", "first result, s")
    )
