import json
import shutil
from pathlib import Path

import pytest

BEST = "runs/quickstart/checkpoints/best.ckpt"
MODEL = "runs/quickstart/tinynet_e_digits.onnx"
PROGRAM = "ascend310_infer/build/tinynet_infer"


@pytest.fixture(scope="module")
def edge(quickstart, classifier):
    """The quick start's workspace with the program built anew, by the launcher; and what that said."""
    workspace, _ = quickstart
    (workspace.folder / "ascend310_infer/src/half.cc").touch()
    return workspace, workspace.run("bash", "scripts/run_infer_310.sh")


@pytest.fixture(scope="module")
def evaluated(edge):
    """What eval.py scores the checkpoint with."""
    return json.loads((edge[0].folder / "runs/quickstart/eval.json").read_text())


def sentence(score):
    return f"{score['images']} images, top-1 {score['top1']:.3f} %, top-5 {score['top5']:.3f} %, 0 without result\n"


def test_the_launcher_builds_says_where_it_runs_and_scores_as_evaluation(edge, evaluated, tmp_path):
    workspace, done = edge
    assert "no NPU found: running" in done.stderr and "images/s" in done.stderr and "latency" in done.stderr
    assert sentence(evaluated) in done.stdout
    built = (workspace.folder / PROGRAM).stat().st_mtime_ns
    model, data = tmp_path / "my models" / "net.mindir", tmp_path / "my data"
    model.parent.mkdir()
    for suffix in (".mindir", ".onnx", ".json"):
        shutil.copy((workspace.folder / MODEL).with_suffix(suffix), model.with_suffix(suffix))
    data.symlink_to(workspace.folder / "data/digits")
    again = workspace.run(
        "bash", workspace.folder / "scripts/run_infer_310.sh", "my models/net.mindir", "my data", 0, cwd=tmp_path
    )
    assert sentence(evaluated) in again.stdout and "running my models/net.onnx on the CPU" in again.stderr
    assert (workspace.folder / PROGRAM).stat().st_mtime_ns == built
    folders = [text.stdout.splitlines()[-1].partition(": ")[2] for text in (done, again)]
    assert folders[0] != folders[1]
    for folder in folders:
        assert json.loads((Path(folder) / "timing.json").read_text())["images"] == 360
        assert len(json.loads((Path(folder) / "results.json").read_text())) == 360


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


def test_export_launcher_writes_both_formats_and_takes_a_name(quickstart, tmp_path):
    workspace, _ = quickstart
    shutil.copy(workspace.folder / BEST, tmp_path / "my best.ckpt")
    workspace.run("bash", workspace.folder / "scripts/run_export.sh", "my best.ckpt", cwd=tmp_path)
    files = json.loads((tmp_path / "my best.json").read_text())["files"]
    assert {name: it["batch_size"] for name, it in files.items()} == {"my best.mindir": "any", "my best.onnx": "any"}
    assert all((tmp_path / name).exists() for name in files)
    workspace.run("bash", "scripts/run_export.sh", "", tmp_path / "net", "ONNX")
    assert (tmp_path / "net.onnx").exists() and not (tmp_path / "net.mindir").exists()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("run_infer_310.sh", "nowhere.onnx"), "there is no model nowhere.onnx; scripts/run_export.sh writes one"),
        (("run_infer_310.sh", "README.md"), "MODEL is README.md; expected a .mindir or .onnx file"),
        (("run_infer_310.sh", MODEL, "nowhere"), "DATA_PATH is nowhere: there is no such folder"),
        (("run_infer_310.sh", MODEL, "config"), "holds no images"),
        (("run_infer_310.sh", MODEL, "digits", "first"), "--device_id"),
        (("run_infer_310.sh", "{tmp}/alone.mindir"), "alone.onnx; write it with scripts/run_export.sh CKPT"),
        (("run_infer_310.sh", 1, 2, 3, 4), "usage: run_infer_310.sh [MODEL] [DATA_PATH] [DEVICE_ID]"),
        (("run_export.sh", "nowhere.ckpt"), "there is no weight file nowhere.ckpt"),
        (("run_export.sh", BEST, "{tmp}/net", "ONNXX"), "expected 'MINDIR', 'ONNX'"),
    ],
)
def test_mistakes_end_with_one_line(edge, tmp_path, arguments, words):
    (tmp_path / "alone.mindir").touch()
    script, *rest = (str(word).format(tmp=tmp_path) for word in arguments)
    edge[0].fails("bash", f"scripts/{script}", *rest, words=words)


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
