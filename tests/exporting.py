"""What the tests of export share: a checkpoint that lets a picture through, and the command."""

import json

import numpy as np
from helpers import GOLDEN
from safetensors.numpy import save_file
from seeded_weights import seeded_state

from src.ckpt import save_ckpt
from src.cli import parse
from src.config import ExportConfig
from src.deploy.exporter import export_checkpoint
from src.models import create_model
from src.preprocess import Preprocess
from src.weights import load_weights, read_weights, weights_of

NAMES = ["cat", "dog", "fish", "großer Vogel"]


def trained_checkpoint(folder):
    """A network whose logits depend on the image, as training writes it to FOLDER/w.ckpt: 4 classes, 64 pixels."""
    info = json.loads((GOLDEN / "tinynet_e.json").read_text())["parameters"]
    shapes = info | {"classifier.weight": [4, 1280], "classifier.bias": [4]}
    save_file(seeded_state(shapes, 7, np.load(GOLDEN / "tinynet_e_seed7.npz")), folder / "w.safetensors")
    network = create_model("tinynet_e", num_classes=4)
    load_weights(network, read_weights(folder / "w.safetensors"))
    meta = {"model": "tinynet_e", "classes": NAMES, "preprocess": Preprocess(64).as_dict()}
    save_ckpt({name: p.asnumpy() for name, p in weights_of(network).items()}, folder / "w.ckpt", meta)
    return network.set_train(False)


def export(folder, *flags):
    """export.py of FOLDER/w.ckpt, in this process."""
    words = ["--ckpt", folder / "w.ckpt", "--device_target", "CPU", *flags]
    return export_checkpoint(parse(ExportConfig, [str(word) for word in words]))
