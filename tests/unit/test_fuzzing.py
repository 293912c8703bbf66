"""Whatever a file or a flag holds: no trace, no hang, and a mistake is one line.

`pytest tests/unit/test_fuzzing.py --hypothesis-profile=long` tries 200 times as many examples.
"""

import contextlib
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save
from support.file_kinds import FILES
from support.fuzzing import JSON, any_bytes, changed, few, in_one_line
from support.project import GOLDEN, PROJECT
from support.small_network import ONE_BLOCK, one_block

from src.classification.classes import class_names
from src.cli import parse, run
from src.config import COMMANDS, EvalConfig, ScoreConfig, TrainConfig, keys
from src.design.architecture_file import load_architecture, to_dict
from src.design.cost import cost_table, total_cost
from src.design.families import ARCHITECTURES
from src.design.points import read_points
from src.launch.rank_table import read_rank_table
from src.models import load_model
from src.scoring.labels import read_description, read_labels
from src.scoring.results import read_results
from src.scoring.score import score_results
from src.weights.ckpt import save_ckpt
from src.weights.names import weights_of
from src.weights.readers import read_weights
from src.weights.timm_config import read_timm_config

META = {  # of a training checkpoint
    "model": "one_block",
    "architecture": to_dict(ONE_BLOCK),
    "classes": ["cat", "dog"],
    "preprocess": {"size": 32, "crop_pct": 0.875, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
    "bn_epsilon": 1e-5,
    "better": "raw",
}
RECIPES = [(PROJECT / "config" / name).read_bytes() for name in ("finetune.yaml", "digits.yaml", "tinynet_e.yaml")]
PTH_FILES = [path.read_bytes() for path in sorted((GOLDEN / "pth").iterdir())]
NETWORK = to_dict(ARCHITECTURES["tinynet_e"])
TENSORS = {"classifier.weight": np.ones((3, 4), np.float32), "bn1.gamma": np.ones(4, np.float32)}
DESCRIPTION = {
    "model": "small",
    "input": {"name": "input", "size": 32, "color": "RGB"},
    "output": {"name": "logits", "shape": ["batch", 3], "type": "float32"},
    "num_classes": 3,
    "classes": ["cat", "dog", "fish"],
    "files": {"small.onnx": {"format": "ONNX", "batch_size": "any", "sha256": "0" * 64}},
}
TOP = [{"class": name, "index": index, "probability": 0.5} for index, name in enumerate(DESCRIPTION["classes"])]
RESULTS = [{"image": "cat/1.jpg", "top": TOP}, {"image": "dog/2.jpg", "error": "not an image"}]
RESULTS_CSV = b"image,rank,index,class,probability,error\ncat/1.jpg,1,0,cat,0.9,\ncat/1.jpg,2,1,dog,0.1,\n"
LABELS = b"cat/1.jpg cat\ndog/2.jpg 1\n"
POINTS = [{"c": 0.25, "r": 0.82, "d": 0.85, "noise": 0.003}, {"c": 0.5, "r": 0.9, "d": 1.1}, {"c": 1, "r": 1, "d": 1}]
POINTS_CSV = b"c,r,d,noise\n0.25,0.82,0.85,0.003\n0.5,0.9,1.1,\n1,1,1,\n"
RANK_TABLE = {"server_list": [{"server_id": "10.0.0.1", "device": [{"device_id": "0"}, {"device_id": "1"}]}]}
HUB_CONFIG = {
    "architecture": "tinynet_e",
    "pretrained_cfg": {
        "input_size": [3, 106, 106],
        "test_input_size": [3, 128, 128],
        "crop_pct": 0.875,
        "test_crop_pct": 1.0,
        "interpolation": "bicubic",
        "crop_mode": "center",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
    },
}


JSON_OR_YAML, JSON_OR_CSV = (st.sampled_from([".json", suffix]) for suffix in (".yaml", ".csv"))


def encoded(content):
    return json.dumps(content, default=str).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Return a function that writes a file of a suffix, over the one before."""
    folder = tmp_path_factory.mktemp("fuzz")

    def write(suffix, content):
        path = folder / f"file{suffix}"
        path.write_bytes(content)
        return path

    return write


@few
@given(content=any_bytes(*RECIPES))
def test_recipes(write, content):
    in_one_line(lambda: parse(TrainConfig, ["--config", str(write(".yaml", content))]))


@few
@given(key=st.sampled_from([*keys(TrainConfig)]), value=JSON)
def test_values_of_a_recipe(write, key, value):
    content = yaml.safe_dump({key: value}).encode()
    in_one_line(lambda: parse(TrainConfig, ["--config", str(write(".yaml", content))]))


@st.composite
def command_lines(draw):
    schema = draw(st.sampled_from(COMMANDS))
    flags = st.sampled_from([f"--{key}" for key in (*keys(schema), "config", "help", "no-debug")])
    values = st.sampled_from(
        ["", "0", "-1", "1", "nan", "inf", "1e999", "1" * 400, "auto", "~", ".", "/", "-", "--", "a=b"]
    )
    words = draw(st.lists(flags | values | st.text(max_size=6), max_size=6))
    joined = draw(st.booleans())
    return schema, [f"{words[0]}={words[1]}", *words[2:]] if joined and len(words) > 1 else words


@few
@given(command_lines())
def test_flags(command):
    schema, words = command
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            status = run(schema, lambda config: None, "What it does.", words)
        except SystemExit as ended:  # --help
            status = ended.code or 0
    assert status in (0, 2)
    if not any(word.startswith("--debug") for word in words):  # which asks for the trace
        assert len(errors.getvalue().splitlines()) == (status == 2), errors.getvalue()


def architecture(path):
    network = load_architecture(path)
    cost_table(network)
    return total_cost(network, 10)


@few
@given(
    content=any_bytes(encoded(NETWORK), yaml.safe_dump(NETWORK).encode()), suffix=st.sampled_from([".json", ".yaml"])
)
def test_architecture_files(write, content, suffix):
    in_one_line(lambda: architecture(write(suffix, content)))


@few
@given(content=changed(NETWORK))
def test_values_of_an_architecture(write, content):
    in_one_line(lambda: architecture(write(".json", encoded(content))))


@few
@given(content=changed(DESCRIPTION).map(encoded) | any_bytes(encoded(DESCRIPTION)))
def test_descriptions(write, content):
    in_one_line(lambda: read_description(write(".json", content)))


@few
@given(content=any_bytes(LABELS) | changed({"cat/1.jpg": "cat", "dog/2.jpg": 1}).map(encoded))
def test_labels(write, content):
    for suffix in (".txt", ".json"):
        in_one_line(lambda suffix=suffix: read_labels(write(suffix, content)))


@few
@given(
    results=changed(RESULTS).map(encoded) | any_bytes(encoded(RESULTS), RESULTS_CSV),
    suffix=JSON_OR_CSV,
)
def test_results(write, results, suffix):
    for classes in (None, 3):
        in_one_line(lambda classes=classes: read_results(write(suffix, results), classes))


@few
@given(results=changed(RESULTS), labels=changed({"cat/1.jpg": "cat", "dog/2.jpg": 1}), description=changed(DESCRIPTION))
def test_scores(write, results, labels, description):
    files = {"results": write(".json", encoded(results))}
    files["label_file"] = write(".labels.json", encoded(labels))
    files["description"] = write(".description.json", encoded(description))
    with contextlib.redirect_stdout(io.StringIO()):
        in_one_line(lambda: score_results(ScoreConfig(**files)))


@few
@given(
    content=changed(POINTS).map(encoded) | any_bytes(encoded(POINTS), POINTS_CSV),
    suffix=JSON_OR_CSV,
)
def test_points(write, content, suffix):
    in_one_line(lambda: read_points(write(suffix, content)))


@few
@given(content=changed(RANK_TABLE).map(encoded) | any_bytes(encoded(RANK_TABLE)))
def test_rank_tables(write, content):
    in_one_line(lambda: read_rank_table(write(".json", content)))


@few
@given(content=changed(HUB_CONFIG).map(encoded) | any_bytes(encoded(HUB_CONFIG)))
def test_configs_of_the_hub(write, content):
    in_one_line(lambda: read_timm_config(write(".json", content)).preprocess(training=False))


@few
@given(content=any_bytes(b"cat\ndog\nfish\n"))
def test_class_names(write, content):
    model = SimpleNamespace(network=SimpleNamespace(num_classes=3), classes=())
    in_one_line(lambda: class_names(model, write(".txt", content)))


@pytest.fixture(scope="module")
def ckpt(tmp_path_factory):
    path = tmp_path_factory.mktemp("ckpt") / "w.ckpt"
    save_ckpt(TENSORS, path, {"model": "small"})
    return path.read_bytes()


@few
@given(data=st.data())
def test_checkpoints(write, ckpt, data):
    content = data.draw(any_bytes(ckpt))
    in_one_line(lambda: read_weights(write(".ckpt", content)).num_classes)


@few
@given(content=any_bytes(save(TENSORS), save(TENSORS, {"architecture": json.dumps(NETWORK)})))
def test_safetensors(write, content):
    in_one_line(lambda: read_weights(write(".safetensors", content)).num_classes)


@few
@given(content=any_bytes(*PTH_FILES))
def test_files_of_pytorch(write, content):
    in_one_line(lambda: read_weights(write(".pth", content)).num_classes)


@few
@given(content=any_bytes(*(content for content, _ in FILES.values())))
def test_files_in_the_place_of_weights(write, content):
    in_one_line(lambda: read_weights(write("", content)).num_classes)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Return a function that writes a checkpoint of a network of one block with any `meta`."""
    path = tmp_path_factory.mktemp("meta") / "w.ckpt"
    tensors = {name: parameter.asnumpy() for name, parameter in weights_of(one_block(num_classes=2)).items()}

    def write(meta):
        save_ckpt(tensors, path, meta)
        return path

    return write


@few
@given(meta=changed(META))
def test_what_a_checkpoint_says_about_its_network(checkpoint, meta):
    in_one_line(lambda: load_model(EvalConfig(ckpt=checkpoint(meta))))
