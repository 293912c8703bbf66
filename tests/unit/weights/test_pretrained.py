"""Published weights are fetched from the hub once, resumed, checked, and used with their own preprocessing."""

import json
import logging
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save
from support.hub import COMMIT, start_hub, use_hub

from src.design.families import ARCHITECTURES
from src.errors import UserError
from src.images.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess
from src.search.published import ROWS
from src.weights import pretrained
from src.weights.pretrained import CONFIG, REPOSITORIES, WEIGHTS, published_weights

pytest.importorskip("huggingface_hub", reason="--pretrained needs huggingface_hub, an extra")

REPOSITORY = REPOSITORIES["tinynet_e"]
TENSORS = {"classifier.weight": np.arange(3000, dtype=np.float32).reshape(3, 1000)}
SIZE = len(save(TENSORS))
TIMM = {
    "input_size": [3, 106, 106],
    "interpolation": "bicubic",
    "crop_pct": 0.875,
    "crop_mode": "center",
    "mean": list(IMAGENET_MEAN),
    "std": list(IMAGENET_STD),
    "num_classes": 1000,
    "first_conv": "conv_stem",
}


def timm_config(**changes):
    return json.dumps({"architecture": "tinynet_e", "pretrained_cfg": TIMM | changes}).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that huggingface_hub asks, and its home, a folder for the cache."""
    home = tmp_path_factory.mktemp("home")
    with start_hub() as hub, pytest.MonkeyPatch.context() as patch:
        use_hub(patch, hub.address, home)
        yield hub, home


@pytest.fixture
def hub(server):
    """The server with TinyNet-E, and an empty cache."""
    hub, home = server
    shutil.rmtree(home / "hub", ignore_errors=True)
    hub.reset()
    hub.add(REPOSITORY, config__json=timm_config(), model__safetensors=save(TENSORS))
    return hub


@pytest.fixture
def no_waiting(monkeypatch):
    """Let huggingface_hub try again at once, and not after seconds."""
    monkeypatch.setattr("time.sleep", lambda _: None)


def test_weights_and_preprocessing_are_downloaded(hub, caplog):
    with caplog.at_level(logging.INFO):
        weights = published_weights("tinynet_e")
    np.testing.assert_array_equal(weights.tensors["classifier.weight"], TENSORS["classifier.weight"])
    assert weights.meta["model"] == "tinynet_e"
    assert Preprocess.from_dict(weights.meta["preprocess"]) == Preprocess(106, 0.875, IMAGENET_MEAN, IMAGENET_STD)
    assert f"{REPOSITORY}, commit 0123456, bicubic, size 106, crop_pct 0.875" in caplog.text


def test_the_second_use_downloads_nothing(hub):
    published_weights("tinynet_e")
    published_weights("tinynet_e")
    assert hub.served == SIZE


@pytest.mark.parametrize("environment", [{}, {"HF_HUB_OFFLINE": "1"}], ids=["no network", "offline"])
def test_the_cache_needs_no_network(server, hub, monkeypatch, no_waiting, environment):
    published_weights("tinynet_e")
    use_hub(monkeypatch, "http://127.0.0.1:9", server[1], **environment)
    hub.requests.clear()
    assert published_weights("tinynet_e").tensors.keys() == TENSORS.keys()
    assert hub.requests == []


def test_the_next_start_resumes_an_interrupted_download(hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)  # instead of 10 MB
    hub.drops = [5000]
    with pytest.raises(UserError, match=rf"{WEIGHTS} of {REPOSITORY} cannot be downloaded .*start again to resume"):
        published_weights("tinynet_e")
    published_weights("tinynet_e")
    assert hub.served == SIZE
    assert [bytes for _, path, bytes in hub.requests if path.startswith("/large/")] == ["", "bytes=5000-"]


def test_the_other_ranks_take_what_the_first_has_downloaded(hub, monkeypatch):
    published_weights("tinynet_e")
    hub.requests.clear()
    monkeypatch.setattr(pretrained, "is_first", lambda: False)
    monkeypatch.setattr(pretrained, "broadcast_from_first", lambda _: COMMIT.encode())
    assert published_weights("tinynet_e").tensors.keys() == TENSORS.keys()
    assert hub.requests == []


@pytest.mark.parametrize("file", [CONFIG, WEIGHTS])
def test_a_file_that_the_hub_lacks_is_named(hub, file):
    del hub.files[f"{REPOSITORY}/{file}"]
    with pytest.raises(UserError, match=f"{file} of {REPOSITORY} is not on {hub.address}"):
        published_weights("tinynet_e")


def test_a_repository_that_the_hub_lacks_is_named(hub):
    with pytest.raises(UserError, match=f"timm/tinynet_d.in1k is not on {hub.address}; is HF_ENDPOINT a complete"):
        published_weights("tinynet_d")


@pytest.mark.parametrize(
    "environment, reason",
    [({}, r"http://127.0.0.1:9 does not answer \(\w+\)"), ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set")],
)
def test_without_network_and_cache_one_line_says_what_to_do(tmp_path, monkeypatch, no_waiting, environment, reason):
    use_hub(monkeypatch, "http://127.0.0.1:9", tmp_path, **environment)
    with pytest.raises(UserError, match=rf"is not in the cache {tmp_path}/hub, and {reason}; .*HF_ENDPOINT.*--ckpt$"):
        published_weights("tinynet_e")


def test_a_server_that_fails_is_one_line(hub, no_waiting):
    hub.fails = True
    with pytest.raises(UserError) as caught:
        published_weights("tinynet_e")
    assert "\n" not in str(caught.value) and hub.address in str(caught.value)


def test_a_bit_that_changed_on_the_way_is_found(hub):
    hub.damages = True
    with pytest.raises(UserError, match="is damaged: its SHA-256 is not its name; remove it"):
        published_weights("tinynet_e")


def test_damage_in_the_cache_is_found_and_repaired_by_the_printed_advice(hub):
    path = published_weights("tinynet_e").path.resolve()
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    with pytest.raises(UserError, match=f"{path} is damaged"):
        published_weights("tinynet_e")
    path.unlink()
    published_weights("tinynet_e")
    assert hub.served == 2 * SIZE


def test_without_huggingface_hub_its_name_is_printed(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UserError, match="needs huggingface_hub; `pip install huggingface_hub`"):
        published_weights("tinynet_e")


@pytest.mark.parametrize(
    "name, words",
    [
        ("ghostnet_050", "no weights of ghostnet_050 are published; did you mean 'ghostnet_100'.*one of tinynet_a"),
        ("mine.yaml", "no weights of mine.yaml are published"),
        (None, "model is missing: .*such as tinynet_c"),
    ],
)
def test_networks_without_published_weights_are_refused(name, words):
    with pytest.raises(UserError, match=words):
        published_weights(name)


def test_the_size_of_the_published_accuracy_differs_from_that_of_the_training(hub):
    config = timm_config(input_size=[3, 256, 256], test_input_size=[3, 288, 288], test_crop_pct=1.0)
    hub.add(REPOSITORY, config__json=config)
    evaluation = published_weights("tinynet_e").meta["preprocess"]
    training = published_weights("tinynet_e", training=True).meta["preprocess"]
    assert (evaluation["size"], evaluation["crop_pct"]) == (288, 1.0)
    assert (training["size"], training["crop_pct"]) == (256, 0.875)


def test_the_colors_are_those_of_the_file(hub):
    hub.add(REPOSITORY, config__json=timm_config(mean=[0.5, 0.4, 0.3], std=[0.1, 0.2, 0.5]))
    preprocess = published_weights("tinynet_e").meta["preprocess"]
    assert (preprocess["mean"], preprocess["std"]) == ([0.5, 0.4, 0.3], [0.1, 0.2, 0.5])


def test_a_config_of_earlier_timm_is_read(hub):
    hub.add(REPOSITORY, config__json=json.dumps(TIMM).encode())
    assert published_weights("tinynet_e").meta["preprocess"]["size"] == 106


@pytest.mark.parametrize(
    "config, words",
    [
        (timm_config(interpolation="bilinear"), "interpolation is 'bilinear'; expected one of bicubic"),
        (timm_config(crop_mode="squash"), "crop_mode is 'squash'; expected one of center"),
        (timm_config(input_size=[1, 106, 106]), r"input_size\[0\] is 1; expected one of 3"),
        (timm_config(input_size=[3, 106, 96]), "expected a square image"),
        (timm_config(crop_pct=1.5), "crop_pct is 1.5"),
        (timm_config(std=[0, 1, 1]), r"std\[0\] is 0"),
        (timm_config(mean=None), "mean is None"),
        (b"{}", "input_size is missing"),
        (b"[]", "is damaged or is not timm's config.json"),
        (b"\xff", "is damaged or is not timm's config.json"),
        (b"[" * 100_000, "is damaged or is not timm's config.json"),
    ],
)
def test_a_preprocessing_that_this_project_lacks_is_refused(hub, config, words):
    hub.add(REPOSITORY, config__json=config)
    with pytest.raises(UserError, match=words) as caught:
        published_weights("tinynet_e")
    assert Path(str(caught.value).partition(":")[0].split(" is damaged")[0]).name == CONFIG
    assert len(str(caught.value)) < 1000


def test_every_repository_is_that_of_a_network_with_published_scores():
    assert [name for name in REPOSITORIES if name not in ARCHITECTURES] == []
    scored = {f"timm/{weights.name}" for row in ROWS for weights in row.weights}
    assert set(REPOSITORIES.values()) == scored
