"""A network of one's own, from its budget to a verified file, as a user does it."""

import json
from dataclasses import replace

from src.design.architecture import Stage
from src.design.architecture_file import load_architecture, save_architecture
from src.design.families import ARCHITECTURES


def test_from_a_budget_to_an_exported_network(workspace, image_folder, tmp_path):
    stages = (Stage("ghost", 3, 2, 3, 24, 1, 0.25), Stage("ghost", 3, 2, 3, 32, 2, 0))
    base = replace(ARCHITECTURES["ghostnet_050"], name="mine", resolution=64, stages=stages, head=64, head_conv=64)
    save_architecture(base, tmp_path / "base.yaml")
    command = ("python", "search.py", "formula", "--base", tmp_path / "base.yaml", "--macs", "1M", "--output")
    done = workspace.run(*command, tmp_path / "net.yaml", "--benchmark")
    assert " ms an image; measured here" in done.stdout and "train it by" in done.stdout
    network = load_architecture(tmp_path / "net.yaml")

    flags = ("--data_path", image_folder, "--epochs", 1, "--warmup_epochs", 0, "--warmup_lr", 0, "--batch_size", 4)
    run = tmp_path / "run"
    workspace.run("python", "train.py", "--config", tmp_path / "net_train.yaml", *flags, "--lr", 0.1, "--run_dir", run)
    (tmp_path / "net.yaml").unlink()  # the checkpoint says what it holds
    ckpt = ("--ckpt", run / "checkpoints/best.ckpt")
    done = workspace.run("python", "eval.py", *ckpt, "--data_path", image_folder, "--json")
    score = json.loads(done.stdout.splitlines()[-1])
    assert (score["model"], score["images"]) == (network.name, 6)
    done = workspace.run("python", "export.py", *ckpt, "--file_format", "ONNX", "--file_name", tmp_path / "net")
    assert "verified on 2 images" in done.stderr
    described = json.loads((tmp_path / "net.json").read_text())
    assert described["model"] == network.name and described["input"]["size"] == network.resolution

    save_architecture(replace(base, name=network.name), tmp_path / "net.yaml")
    words = "is of another run: architecture has changed: resolution "
    resume = ("--run_dir", run, "--resume", "auto", "--lr", 0.1)
    workspace.fails("python", "train.py", "--config", tmp_path / "net_train.yaml", *flags, *resume, words=words)
