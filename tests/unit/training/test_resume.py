"""Which run is resumed, and which changes are refused."""

import logging
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from src.classification.task import ClassificationTask, dataset_fingerprint
from src.config import TrainConfig
from src.design.architecture_file import to_dict
from src.design.families import TINYNETS
from src.errors import UserError
from src.images.data_path import open_split
from src.training.checkpoint import Checkpoint
from src.training.resume import broadcast_meta, find_run
from src.training.resume import check_same_run as check
from src.training.run import kernels_wanted
from src.weights.ckpt import save_ckpt

# What may change without a word: nothing here has a part in the weights that come out, or `IDENTITY` compares what
# the key stands for (network, classes, pixels, images, threads and kernels in use).
INTENDED_FREE = {
    "run_dir", "resume", "allow_changes", "debug", "device_target", "device_id", "check_data", "cache", "tensorboard",
    "eval_interval", "log_interval", "checkpoint_minutes", "ckpt", "weights", "pretrained", "replace_head",
    "model", "num_classes", "input_size", "crop_pct", "class_order", "data_path", "workers", "epochs", "data_sink",
    "bn_epsilon", "cpu_kernels",
}  # fmt: skip
PATH = Path("run/checkpoints/last.ckpt")


def check_same_run(path, before, now, *, allowed):
    check(path, before, now, ClassificationTask.fixed, allowed=allowed)


def identity(**changes):
    """Return the `meta` of a checkpoint."""
    config = TrainConfig().model_dump(mode="json", by_alias=True)
    whole = {
        "model": "tinynet_e",
        "architecture": to_dict(TINYNETS["tinynet_e"]),
        "classes": ["cat", "dog"],
        "preprocess": {"size": 32, "crop_pct": 1.0},
        "data": "6 + 3 images 0123456789ab",
        "device": "CPU",
        "ranks": 1,
        "workers": 2,
        "config": config,
    }
    return whole | changes


def configured(**changes):
    return identity(config=identity()["config"] | changes)


def changed(value):
    """Another value than `value`, of whatever kind."""
    return not value if isinstance(value, bool) else value + 1 if isinstance(value, int | float) else f"not {value}"


def test_a_run_that_is_the_same_goes_on_without_a_word(caplog):
    check_same_run(PATH, identity(), identity(), allowed=False)
    assert "damaged" not in caplog.text


@pytest.mark.parametrize("key", TrainConfig.model_fields)
def test_every_setting_is_free_or_its_change_is_named(key, caplog):
    now = configured(**{key: changed(identity()["config"][key])})
    if key in INTENDED_FREE:
        check_same_run(PATH, identity(), now, allowed=False)
        assert "damaged" not in caplog.text
        return
    with pytest.raises(UserError, match=rf"^resume: {key} was .* and is .* now; .*--allow_changes$"):
        check_same_run(PATH, identity(), now, allowed=False)
    check_same_run(PATH, identity(), now, allowed=True)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING and f"resuming from {PATH} although {key} was" in record.message


def test_the_free_settings_are_those_intended():
    was, free = identity(), set()
    for key, value in was["config"].items():
        try:
            check_same_run(PATH, was, configured(**{key: changed(value)}), allowed=False)
            free.add(key)
        except UserError:
            pass
    assert free == INTENDED_FREE


@pytest.mark.parametrize("cores, advice", [(1, "resume where 2 cores may be used, not 1"), (4, "set it back")])
def test_the_advice_about_workers_can_be_followed(monkeypatch, cores, advice):
    monkeypatch.setattr("src.training.resume.usable_cores", lambda: cores)
    words = f"workers was 2 and is {cores} now; that changes the result: {advice}, or add --allow_changes"
    with pytest.raises(UserError, match=words):
        check_same_run(PATH, identity(workers=2), identity(workers=cores), allowed=False)


@pytest.mark.parametrize("schedule, free", [("step", True), ("constant", True), ("cosine", False)])
def test_epochs_may_change_unless_the_schedule_depends_on_them(schedule, free):
    was, now = configured(schedule=schedule, epochs=2), configured(schedule=schedule, epochs=3)
    if free:
        check_same_run(PATH, was, now, allowed=False)
    else:
        with pytest.raises(UserError, match="resume: epochs was 2 and is 3 now"):
            check_same_run(PATH, was, now, allowed=False)


@pytest.mark.parametrize("schedules", [("cosine", "step"), ("step", "cosine")])
def test_another_schedule_is_named(schedules):
    was, now = (configured(schedule=schedule) for schedule in schedules)
    with pytest.raises(UserError, match="resume: schedule was {} and is {} now".format(*schedules)):
        check_same_run(PATH, was, now, allowed=False)


@pytest.mark.parametrize(
    "key, value",
    [
        ("preprocess", {"size": 48}),
        ("data", "7 + 3 images ba9876543210"),
        ("device", "Ascend"),
        ("ranks", 2),
        ("workers", 1),
    ],
)
def test_other_data_and_devices_are_named_and_may_be_allowed(key, value, caplog):
    with pytest.raises(UserError, match=f"^resume: {key} was "):
        check_same_run(PATH, identity(), identity(**{key: value}), allowed=False)
    check_same_run(PATH, identity(), identity(**{key: value}), allowed=True)
    assert f"although {key} was" in caplog.text


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.parametrize("key, value", [("model", "tinynet_a"), ("classes", ["cat", "cow"]), ("classes", ["cat"])])
def test_another_network_and_other_classes_are_never_allowed(key, value, allowed):
    with pytest.raises(UserError, match=f"^resume: {PATH} is of another run: {key} was .*start a new one, with --ckpt"):
        check_same_run(PATH, identity(), identity(**{key: value}), allowed=allowed)


def test_a_checkpoint_from_before_architectures_had_a_family_is_resumed():
    before = identity()
    del before["architecture"]["family"]
    check_same_run(PATH, before, identity(), allowed=False)


def test_another_epsilon_is_another_network_wherever_the_checkpoint_keeps_it():
    now = identity(architecture=to_dict(TINYNETS["tinynet_e"].with_epsilon(1e-3)))
    check_same_run(PATH, identity(bn_epsilon=1e-3), now, allowed=False)  # an early checkpoint
    with pytest.raises(UserError, match=r"architecture has changed: style bn_epsilon 0.001 \(not 1e-05\)"):
        check_same_run(PATH, identity(bn_epsilon=1e-5), now, allowed=True)


@pytest.mark.parametrize("allowed", [False, True])
def test_an_architecture_file_that_has_changed_is_never_allowed(allowed):
    now = identity(architecture=to_dict(TINYNETS["tinynet_e"].at(64)))
    words = f"{PATH} is of another run: architecture has changed: resolution 64 (not 106); start a new one"
    with pytest.raises(UserError, match=re.escape(words)):
        check_same_run(PATH, identity(), now, allowed=allowed)


def test_all_changes_are_named_in_one_line_that_is_not_endless():
    was, now = configured(lr=0.1), configured(lr=0.2, seed=5) | {"ranks": 4, "data": "x" * 500}
    with pytest.raises(UserError) as raised:
        check_same_run(PATH, was, now, allowed=False)
    text = str(raised.value)
    assert all(f"{key} was" in text for key in ("lr", "seed", "ranks", "data")) and len(text) < 400 and "\n" not in text


def test_a_setting_that_an_older_checkpoint_does_not_know_is_passed_over():
    was = identity()
    del was["config"]["sync_bn"]
    check_same_run(PATH, was, identity(), allowed=False)


# --- which run -------------------------------------------------------------------------------------------------------


def save(path, **meta):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_ckpt({"w": np.ones(3, np.float32)}, path, meta)
    return path


def start_of(**settings):
    return find_run(TrainConfig(**settings))[1]


def test_a_new_run_is_named_after_its_network_and_starts_anew(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run, start = find_run(TrainConfig(model="tinynet_b"))
    assert run.folder.parent == Path("runs") and run.folder.name.startswith("tinynet_b-") and start is None
    assert find_run(TrainConfig(run_dir="there"))[0].folder == Path("there")
    assert list(tmp_path.iterdir()) == []


def test_auto_takes_the_newest_whole_checkpoint_or_starts_anew(tmp_path, caplog):
    folder = tmp_path / "run"
    assert start_of(run_dir=folder, resume="auto") is None
    last, previous = (folder / "checkpoints" / name for name in ("last.ckpt", "previous-last.ckpt"))
    save(previous, step=1)
    assert start_of(run_dir=folder, resume="auto")[::2] == (previous, {"step": 1})
    save(last, step=2)
    assert start_of(run_dir=folder, resume="auto")[::2] == (last, {"step": 2})
    assert "damaged" not in caplog.text
    last.write_bytes(last.read_bytes()[:-1])
    assert start_of(run_dir=folder, resume="auto")[::2] == (previous, {"step": 1})
    assert f"{last} is damaged" in caplog.text and f"resuming from {previous}" in caplog.text
    previous.write_bytes(b"")
    with pytest.raises(UserError, match=f"^resume: {last} is damaged.*; {previous} is empty"):
        start_of(run_dir=folder, resume="auto")


def test_auto_needs_a_run(tmp_path):
    with pytest.raises(UserError, match="resume is auto, but no run is named; give --run_dir"):
        find_run(TrainConfig(resume="auto"))


def test_a_checkpoint_names_its_run(tmp_path):
    best = save(tmp_path / "run/checkpoints/best.ckpt", step=5)
    save(tmp_path / "run/checkpoints/last.ckpt", step=6)
    run, start = find_run(TrainConfig(resume=str(best)))
    assert run.folder == tmp_path / "run" and start[::2] == (best, {"step": 5})
    run, start = find_run(TrainConfig(resume=str(best), run_dir=tmp_path / "run"))
    assert run.folder == tmp_path / "run" and start[2] == {"step": 5}
    run, start = find_run(TrainConfig(resume=str(best), run_dir=tmp_path / "other"))
    assert run.folder == tmp_path / "other" and start[2] == {"step": 5}
    stray = save(tmp_path / "stray.ckpt", step=1)
    with pytest.raises(UserError, match="stray.ckpt is not in the folder of a run; give --run_dir"):
        start_of(resume=str(stray))
    with pytest.raises(UserError, match="there is no checkpoint .*nowhere.ckpt"):
        start_of(resume=str(tmp_path / "run/checkpoints/nowhere.ckpt"))


def test_the_folder_of_another_run_is_not_taken(tmp_path):
    save(tmp_path / "run/checkpoints/last.ckpt", step=6)
    other = save(tmp_path / "other/checkpoints/last.ckpt", step=7)
    for resume in (None, str(other)):
        with pytest.raises(
            UserError, match=f"run_dir {tmp_path / 'run'} already holds a run; resume it with --resume auto"
        ):
            start_of(run_dir=tmp_path / "run", resume=resume)


def test_without_other_ranks_the_meta_is_the_checkpoints_own():
    assert broadcast_meta(None) == {}
    assert broadcast_meta(Checkpoint(PATH, {}, {"step": 3, "classes": ["ä"]})) == {"step": 3, "classes": ["ä"]}


# --- which data ------------------------------------------------------------------------------------------------------


def print_of(root):
    return dataset_fingerprint(open_split(root, "train"), open_split(root, "val"))


def test_a_data_set_is_known_wherever_it_lies(image_folder, tmp_path):
    before = print_of(image_folder)
    assert before.startswith("12 + 6 images ")
    assert print_of(image_folder.rename(tmp_path / "elsewhere")) == before


@pytest.mark.parametrize(
    "source, target",
    [
        ("train/cat/5.jpg", "train/cat/7.jpg"),
        ("train/cat/5.jpg", "train/dog/7.jpg"),
        ("train/cat/5.jpg", "val/cat/7.jpg"),
        ("val/dog/0.jpg", "val/dog/7.jpg"),
        ("val/dog/0.jpg", "val/cat/7.jpg"),
    ],
)
def test_another_name_class_or_split_of_one_image_is_another_data_set(image_folder, source, target):
    before = print_of(image_folder)
    (image_folder / source).rename(image_folder / target)
    assert print_of(image_folder) != before


def test_one_image_more_or_less_is_another_data_set(image_folder):
    before = print_of(image_folder)
    shutil.copy(image_folder / "train/cat/5.jpg", image_folder / "train/cat/7.jpg")
    more = print_of(image_folder)
    (image_folder / "train/cat/7.jpg").unlink()
    assert print_of(image_folder) == before
    (image_folder / "train/cat/5.jpg").unlink()
    assert len({before, more, print_of(image_folder)}) == 3


def test_a_run_goes_on_with_the_operators_that_it_had():
    """Their rounding differs. Checkpoints of earlier versions had MindSpore's."""
    check_same_run(PATH, identity(), identity(cpu_kernels=False), allowed=False)
    with pytest.raises(UserError, match="cpu_kernels was False and is True now"):
        check_same_run(PATH, identity(), identity(cpu_kernels=True), allowed=False)
    wanted = [
        kernels_wanted(TrainConfig(cpu_kernels=choice), meta)
        for choice in ("auto", "on")
        for meta in ({}, {"step": 3}, {"step": 3, "cpu_kernels": True})
    ]
    assert wanted == ["auto", "off", "auto", "on", "on", "on"]
