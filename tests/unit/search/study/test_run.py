"""A study from its settings to its results, and that a killed one is resumed as if nothing had happened."""

import fcntl
import os
import signal
import sys
from dataclasses import replace

import pytest
from support.small_network import ONE_BLOCK_FILE
from support.studies import InstantPool, OneRound, trials

from src.cli import parse
from src.config import TrainConfig, TwistConfig
from src.design.architecture_file import load_architecture
from src.errors import UserError
from src.search.study import run
from src.search.study.records import NAME, read_results
from src.search.study.run import Study, plan_lines, run_study

EVENTS = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate"}  # audited by Python
PLACEMENT = {"seconds": 0.0, "attempts": 1, "host": "", "device": "cpu"}  # what placement and interruptions may change


@pytest.fixture
def settings(tmp_path, image_folder):
    """Settings of a study of a few images."""
    (tmp_path / "recipe.yaml").write_text("epochs: 1\nwarmup_epochs: 0\nbatch_size: 4\n")
    return {
        "study": tmp_path / "study",
        "data_path": str(image_folder),
        "recipe": tmp_path / "recipe.yaml",
        "model": str(ONE_BLOCK_FILE),
    }


@pytest.fixture
def instant(monkeypatch):
    """Let studies run on an instant pool, and return it."""
    pool = InstantPool()
    monkeypatch.setattr(run, "open_pool", lambda *_: pool)
    return pool


def study(settings, **changes):
    return Study("twist", TwistConfig(**settings | changes))


def records(folder):
    return [replace(result, **PLACEMENT) for result in read_results(folder)]


def killed_at(moment, work):
    """Run `work` in a process that is killed when it is about to touch a file for the `moment`-th time.

    Return whether it was.
    """
    child = os.fork()
    if not child:
        left = [moment]

        def hook(event, _):
            if event in EVENTS:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.long)])
def test_a_killed_study_is_resumed_from_any_moment(step, settings, instant, tmp_path):
    method = OneRound(trials(2), trials(1, "final"))
    undisturbed = run_study(study(settings, study=tmp_path / "undisturbed"), method)
    for moment in range(step, 1000, step):
        folder = tmp_path / f"study {moment}"
        if not killed_at(moment, lambda folder=folder: run_study(study(settings, study=folder), method)):
            break
        results = run_study(study(settings, study=folder), method)
        assert [replace(result, **PLACEMENT) for result in results] == records(tmp_path / "undisturbed"), moment
        lines = (folder / NAME).read_text().splitlines()
        assert len(lines) == 3, moment  # no trial is recorded twice
        assert not [path for path in folder.rglob(".*-*") if path.is_dir()], moment
    print(f"{moment // step - 1} kills")
    assert 60 < moment < 900 and len(undisturbed) == 3


def test_a_line_that_was_half_written_is_written_again(settings, instant, tmp_path, monkeypatch, caplog):
    method = OneRound(trials(2))
    write = os.write

    def tear(descriptor, line):
        write(descriptor, line[:100])
        os.kill(os.getpid(), signal.SIGKILL)

    def begin():
        os.write = tear
        run_study(study(settings), method)

    assert killed_at(-1, begin)
    assert (tmp_path / "study" / NAME).stat().st_size == 100
    assert len(run_study(study(settings), method)) == 2 and "cut off 100 bytes" in caplog.text
    assert len(read_results(tmp_path / "study")) == 2


def test_a_finished_study_trains_nothing(settings, instant, tmp_path):
    method = OneRound(trials(3))
    first = run_study(study(settings), method)
    instant.started.clear()
    assert run_study(study(settings), method) == first and instant.started == []


def test_a_trial_is_train_py_with_absolute_paths(settings, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    job = study(settings, study="study", recipe="recipe.yaml", data_path="data", epochs=3).job(7, trials(1, seed=5)[0])
    assert job.command[0].endswith("/train.py") and job.run_dir == tmp_path / "study/trials/0007"
    flags = dict(zip(job.command[1::2], job.command[2::2]))
    network = tmp_path / "study/architectures/0007.yaml"
    assert flags == {
        "--config": str(tmp_path / "recipe.yaml"),
        "--model": str(network),
        "--data_path": str(tmp_path / "data"),
        "--run_dir": str(job.run_dir),
        "--seed": "5",
        "--epochs": "3",
        "--workers": "1",
        "--device_target": "auto",
        "--device_id": "0",
        "--check_data": "off",
        "--resume": "auto",
    }
    assert load_architecture(network) == trials(1)[0].architecture
    assert parse(TrainConfig, job.command[1:]).batch_size == 4  # train.py takes these flags


def test_a_trial_that_was_begun_with_another_network_is_refused(settings):
    resumed = study(settings)
    first, second = trials(2)
    assert resumed.job(1, first) == resumed.job(1, first)
    with pytest.raises(UserError, match=r"0001.yaml: trial 1 is net0 of 'all', but this version proposes net1 of"):
        resumed.job(1, second)


def test_a_second_process_is_refused(settings, instant, tmp_path):
    (tmp_path / "study").mkdir()
    with open(tmp_path / "study/.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="study .*study is run by another process; wait for its end"):
            run_study(study(settings), OneRound(trials(1)))


def test_a_folder_that_cannot_be_written_is_refused(settings, instant):
    with pytest.raises(UserError, match="cannot write to study /proc/x: No such file or directory; give another"):
        run_study(study(settings, study="/proc/x"), OneRound(trials(1)))


def test_damaged_images_are_found_once_before_any_training(settings, instant, image_folder):
    (image_folder / "train/cat/1.jpg").write_bytes(b"no picture")
    with pytest.raises(UserError, match="train/cat/1.jpg"):
        run_study(study(settings), OneRound(trials(1)))
    assert instant.started == []


def test_classes_of_one_split_alone_are_refused(settings, image_folder):
    (image_folder / "val/dog").rename(image_folder / "val/fox")
    with pytest.raises(UserError, match="the classes must agree"):
        study(settings)


def test_an_image_more_is_another_study(settings, instant, image_folder):
    run_study(study(settings), OneRound(trials(1)))
    (image_folder / "train/cat/9.jpg").write_bytes((image_folder / "train/cat/1.jpg").read_bytes())
    with pytest.raises(UserError, match="was begun with data.train 12, which is 13 now"):
        run_study(study(settings), OneRound(trials(1)))


def test_a_missing_recipe_is_refused(settings):
    with pytest.raises(UserError, match="recipe nowhere.yaml: there is no such file; give a YAML of train.py"):
        study(settings, recipe="nowhere.yaml")


def test_a_study_without_trials_is_refused(settings, instant):
    for work in (run_study, plan_lines):
        with pytest.raises(UserError, match="these settings leave no trial to run"):
            work(study(settings), OneRound([]))


def test_the_plan_lists_networks_and_cost_and_writes_nothing(settings, tmp_path):
    lines = plan_lines(study(settings, epochs=2), OneRound(trials(2), trials(4, "final")))
    assert lines[0].startswith("   1 all:    ") and "M MACs,  32 px  w=0" in lines[0]
    assert lines[2] == "2 trials in the first round, about 6 in all"
    assert lines[3].startswith("a trial: 2 epochs of 12 images, then 6 to score; all: 144 images, about ")
    assert not (tmp_path / "study").exists()


def test_a_stopped_study_says_how_to_resume(settings, instant, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["search.py", "twist", "--study", "my study"])
    instant.on_start = lambda _: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run_study(study(settings), OneRound(trials(9)))
    assert "stopped; `python search.py twist --study 'my study'` resumes the study\n" in capsys.readouterr().out
