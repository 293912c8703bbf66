"""A network of one's own, from its budget to a verified file, as a user does it."""

import json
from dataclasses import replace

import pytest

from src.design.architecture import Stage
from src.design.architecture_file import load_architecture, save_architecture
from src.design.families import ARCHITECTURES

STAGES = (Stage("ghost", 3, 2, 3, 24, 1, 0.25), Stage("ghost", 3, 2, 3, 32, 2, 0))
BASE = replace(ARCHITECTURES["ghostnet_050"], name="mine", resolution=64, stages=STAGES, head=64, head_conv=64)


@pytest.fixture
def train_flags(image_folder, tmp_path):
    flags = ("--config", tmp_path / "net_train.yaml", "--data_path", image_folder, "--run_dir", tmp_path / "run")
    return (*flags, "--epochs", 1, "--warmup_epochs", 0, "--warmup_lr", 0, "--batch_size", 4, "--lr", 0.1)


def test_from_a_budget_to_an_exported_network(door, refused, image_folder, train_flags, tmp_path):
    save_architecture(BASE, tmp_path / "base.yaml")
    budget = ("--base", tmp_path / "base.yaml", "--macs", "1M", "--output", tmp_path / "net.yaml", "--benchmark")
    done = door("search.py", "formula", *budget)
    assert " ms per image; measured here" in done.stdout and "train it by" in done.stdout
    network = load_architecture(tmp_path / "net.yaml")

    door("train.py", *train_flags)
    (tmp_path / "net.yaml").unlink()  # the checkpoint describes its network
    ckpt = ("--ckpt", tmp_path / "run/checkpoints/best.ckpt")
    done = door("eval.py", *ckpt, "--data_path", image_folder, "--json")
    score = json.loads(done.stdout.splitlines()[-1])
    assert (score["model"], score["images"]) == (network.name, 6)

    done = door("export.py", *ckpt, "--file_format", "ONNX", "--file_name", tmp_path / "net")
    assert "verified on 2 images" in done.stderr
    described = json.loads((tmp_path / "net.json").read_text())
    assert described["model"] == network.name and described["input"]["size"] == network.resolution

    save_architecture(replace(BASE, name=network.name), tmp_path / "net.yaml")
    words = "is of another run: architecture has changed: resolution "
    refused("train.py", *train_flags, "--resume", "auto", words=words)
