"""search.py twist as a user runs it: real processes, what ends them, and how they go on. The trainings take no time."""

import json
import re
import signal

import pytest
from support.study_program import FLAGS, Program, assert_gone, fake_project, records

from src.search import studies
from src.search.study import run
from src.search.study.records import read_results


@pytest.fixture
def flags(tmp_path, few_digits):
    """Flags of a study of three trials in the folder `my study`."""
    (tmp_path / "recipe.yaml").write_text("epochs: 1\nwarmup_epochs: 0\n")
    return "twist", *FLAGS, "--data_path", few_digits, "--parallel", 2, "--study", "my study"


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Let trials take no time, in this process and in those that `Program` starts, and no study write a report."""
    monkeypatch.setattr(run, "PROJECT", fake_project(tmp_path))
    monkeypatch.setattr(studies, "check_packages", lambda: None)
    monkeypatch.setattr(studies, "write_report", lambda study: "")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, few_digits):
    """A folder with a study that is done, and a folder of somebody's files."""
    folder = tmp_path_factory.mktemp("finished")
    fake_project(folder)
    (folder / "recipe.yaml").write_text("epochs: 1\nwarmup_epochs: 0\n")
    (folder / "data").symlink_to(few_digits)
    (folder / "few").mkdir()
    (folder / "few/file.txt").touch()
    program = Program(folder, ("twist", *FLAGS, "--data_path", "data", "--study", "my study"))
    assert program.end()[0] == 0
    return folder


def plan(folder, actions):
    (folder / "plan.json").write_text(json.dumps(actions))


def test_a_dry_run_lists_the_networks_and_trains_nothing(door, flags, fake, tmp_path):
    done = door("search.py", *flags, "--dry_run", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("   1 all budgets: ") and lines[3] == "3 trials in the first round, about 3 in all"
    assert not (tmp_path / "my study").exists()


def test_a_study_ends_with_its_report(door, flags, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "PROJECT", fake_project(tmp_path))
    done = door("search.py", *flags, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "report of 3 trials: my study/report.html"
    page = (tmp_path / "my study/report.html").read_text(encoding="utf-8")
    links = re.findall('href="(trials/[^"]*)"', page)
    assert len(links) == 3 and all((tmp_path / "my study" / link / "metrics.csv").exists() for link in links)


def test_trials_that_fail_are_recorded_and_do_not_stop_a_study(door, flags, fake, tmp_path):
    plan(tmp_path, {"2": ["exit 1"], "3": ["exit 3"]})
    done = door("search.py", *flags, cwd=tmp_path)
    first, second, third = read_results(tmp_path / "my study")
    assert (first.status, second.status, third.status) == ("done", "failed", "diverged")
    assert (second.attempts, second.reason) == (2, "status 1: an accident")
    assert (third.attempts, third.reason) == (1, "the loss is nan")
    assert "trial 2 failed, is started again: status 1: an accident" in done.stdout


@pytest.mark.parametrize(
    "changes, words",
    [
        (("--seed", 2), "was begun with settings.seed 1, which is 2 now"),
        (("--data_path", "nowhere"), "nowhere: there is no such folder"),
        (("--recipe", "nowhere.yaml"), "recipe nowhere.yaml: there is no such file"),
        (("--study", "few"), "holds files, but no study.json"),
        (("--study", "/proc/study"), "cannot write to study /proc/study"),
        (("--ray_address", "127.0.0.1:1"), "ray_address 127.0.0.1:1: [Errno 111] Connection refused; start a cluster"),
        (("--ray_address", "nowhere"), "ray_address is 'nowhere'"),
    ],
)
def test_a_mistake_is_one_line(changes, words, refused, finished, monkeypatch):
    monkeypatch.chdir(finished)
    before = (finished / "my study/trials.jsonl").read_bytes()
    flags = "twist", *FLAGS, "--data_path", "data", "--study", "my study"
    kept = [word for flag, value in zip(flags[1::2], flags[2::2]) if flag != changes[0] for word in (flag, value)]
    refused("search.py", "twist", *kept, *changes, words=words)
    assert (finished / "my study/trials.jsonl").read_bytes() == before


def test_a_yaml_of_a_study_names_its_recipe_beside_it(door, refused, fake, tmp_path, few_digits):
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "recipe.yaml").write_text("epochs: 1\nwarmup_epochs: 0\n")
    text = (
        f"recipe: recipe.yaml\ndata_path: {few_digits}\ntrials: 3\nbudget_trials: 0\nfinal_seeds: 0\ninput_size: 48\n"
    )
    (folder / "study.yaml").write_text(text)
    door("search.py", "twist", "--config", "settings/study.yaml", "--dry_run", cwd=tmp_path)
    (folder / "study.yaml").write_text(text + "lr: 0.1\n")
    words = "settings/study.yaml: lr is no key of this command; settings of a training stand in the YAML that `recipe`"
    refused("search.py", "twist", "--config", "settings/study.yaml", words=words, cwd=tmp_path)
    (folder / "study.yaml").write_text(text + "budgets: 0.1\n")
    words = "unknown key 'budgets'; did you mean 'budget'?"
    refused("search.py", "twist", "--config", "settings/study.yaml", words=words, cwd=tmp_path)


HANGING = {"1": ["done"], "2": ["hang"], "3": ["hang"]}


@pytest.fixture
def undisturbed(door, flags, fake, tmp_path):
    """The records of a study that nobody disturbs."""
    door("search.py", *flags[:-1], "other", cwd=tmp_path)
    return records(tmp_path / "other")


def test_signals_and_kills_change_no_result(undisturbed, door, flags, tmp_path):
    """One study goes through all ends; each start goes on where the one before was ended."""
    plan(tmp_path, HANGING)
    for number, status in ((signal.SIGTERM, 130), (signal.SIGHUP, 130), (signal.SIGINT, 130), (signal.SIGKILL, -9)):
        program = Program(tmp_path, flags)
        trainings = program.trainings()
        program.process.send_signal(number)
        ended, out, err = program.end()
        assert ended == status, out + err
        if number != signal.SIGKILL:
            assert "stopping: 2 trials save their state\nstopped; `python " in out and err == "interrupted\n"
        assert_gone(trainings)
        for file in (tmp_path / "my study").glob("trials/*/hangs"):
            file.unlink()
    (tmp_path / "plan.json").unlink()
    door("search.py", *flags, cwd=tmp_path)
    assert records(tmp_path / "my study") == undisturbed


def test_a_training_that_had_ended_when_the_study_was_killed_is_recorded(undisturbed, door, flags, fake, tmp_path):
    """train.py --resume auto ends at once then, with the same metrics."""
    door("search.py", *flags, cwd=tmp_path)
    results = tmp_path / "my study/trials.jsonl"
    results.write_bytes(b"".join(results.read_bytes().splitlines(keepends=True)[:1]))
    door("search.py", *flags, cwd=tmp_path)
    assert records(tmp_path / "my study") == undisturbed


def test_a_trial_that_hangs_is_ended(door, flags, fake, tmp_path):
    plan(tmp_path, {"2": ["hang"]})
    door("search.py", *flags, "--trial_minutes", 0.02, cwd=tmp_path)
    assert [found.status for found in read_results(tmp_path / "my study")] == ["done", "timeout", "done"]


def test_nobody_reads_the_output(flags, fake, tmp_path):
    """As with `| head`: the trials stop in order."""
    plan(tmp_path, {"1": ["done"], "2": ["hang"], "3": ["done", "hang"]})
    program = Program(tmp_path, flags)
    program.process.stdout.close()
    program.process.stdout = None
    status, _, err = program.end()
    assert (status, err) == (0, "")


def test_a_second_process_is_refused(flags, fake, refused, tmp_path):
    plan(tmp_path, HANGING)
    program = Program(tmp_path, flags)
    trainings = program.trainings()
    refused("search.py", *flags, words="study my study is run by another process; wait for its end", cwd=tmp_path)
    program.process.send_signal(signal.SIGINT)
    program.process.send_signal(signal.SIGINT)
    assert program.end()[0] == 130
    assert_gone(trainings)
