"""Data sets of 1, 2 and 20,000 classes go through every program, and all count alike."""

import json

import numpy as np
import pytest
from PIL import Image
from support.small_network import SMALL_FILE


def save_noise(folder, classes, images):
    """Save a data set whose splits have `images` pictures of each class, 8 x 8 pixels each."""
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for number in range(classes):
            target = folder / split / f"class {number:05d}"
            target.mkdir(parents=True)
            for image in range(images):
                Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(target / f"{image}.png")
    return folder


@pytest.fixture(scope="module")
def program(workspace, compiler_or_skip, tmp_path_factory):
    """The C++ program, optimized."""
    with compiler_or_skip():
        done = workspace.run("bash", "ascend310_infer/build.sh", tmp_path_factory.mktemp("infer"), "-DLITE_HOME=")
    return done.stdout.splitlines()[-1]


@pytest.mark.long
@pytest.mark.parametrize("classes, images, batch", [(1, 24, 6), (2, 12, 6), (20_000, 1, 2000)])
def test_all_programs_count_alike(workspace, door, program, tmp_path, classes, images, batch):
    data = save_noise(tmp_path / "data", classes, images)
    run, records = tmp_path / "run", tmp_path / "records"
    flags = ("--model", SMALL_FILE, "--batch_size", batch, "--epochs", 1, "--warmup_epochs", 0, "--lr_batch", 0)
    mixing = ("--mixup", 0.2, "--cutmix", 1, "--label_smoothing", 0.1)
    done = door("train.py", *flags, *mixing, "--input_size", 32, "--lr", 0.01, "--data_path", data, "--run_dir", run)
    assert ("a single class" in done.stderr) == (classes == 1)
    ckpt = ("--ckpt", run / "checkpoints/last.ckpt")
    door("export.py", *ckpt, "--file_format", "ONNX", "--batch_size", 0, "--file_name", tmp_path / "net")
    door("convert_dataset.py", "--data_path", data, "--output", records)
    flags = ("--model_path", tmp_path / "net.onnx", "--format", "json", "--output", tmp_path / "results.json")
    workspace.run(program, data / "val", *flags)
    commands = (
        ("eval.py", *ckpt, "--data_path", data, "--json"),
        ("eval.py", *ckpt, "--data_path", records, "--json"),
        ("postprocess.py", "--results", tmp_path / "results.json", "--data_path", data, "--json"),
    )
    scores = [json.loads(door(*command).stdout.splitlines()[-1]) for command in commands]
    counts = [(score["images"], score["top1"], score["top5"]) for score in scores]
    assert len(set(counts)) == 1 and counts[0][0] == classes * images
    print(f"\n{classes} classes: {counts[0]}")
