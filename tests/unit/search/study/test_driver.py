"""Rounds of trials: what is started, started again, recorded, and what ends a study."""

import os
import signal
from dataclasses import replace

import pytest
from support.studies import InstantPool, OneRound, driver, result, trials

from src.errors import UserError
from src.search.study.process import Ended
from src.search.study.records import read_results


def run(folder, ends=None, count=3, **options):
    """Run a study of one round, and return its results."""
    study = driver(folder, InstantPool(ends=ends), **options)
    return study.run(OneRound(trials(count)).rounds())


def test_a_round_gets_the_results_of_the_rounds_before_in_the_order_of_its_trials(tmp_path):
    seen = []

    def rounds():
        seen.append((yield trials(3)))
        seen.append((yield trials(2, "second")))

    results = driver(tmp_path, InstantPool()).run(rounds())
    assert [found.number for found in results] == [1, 2, 3, 4, 5]
    assert [found.trial for found in results] == [*trials(3), *trials(2, "second")]
    assert seen == [results[:3], results[3:]] and read_results(tmp_path) == results


@pytest.mark.parametrize(
    "ends, status, attempts",
    [
        ([1, 0], "done", 2),
        ([1, 1], "failed", 2),
        ([-11, -11], "failed", 2),
        ([3], "diverged", 1),
        ([-9, -9], "out of memory", 2),
        ([-9, 0], "done", 2),
        ([None, None], "timeout", 2),
        ([None, 0], "done", 2),
        ([Ended(2, 1, 0, lost="switched off"), 0], "done", 2),
        ([Ended(2, 1, 0, lost="switched off")] * 2, "failed", 2),
        ([Ended(2, 1, 0, lost="switched off"), 1, 0], "done", 3),
        ([Ended(2, 1, 0, lost="switched off"), 1, 1], "failed", 3),
    ],
)
def test_a_trial_that_fails_runs_again_once_and_the_study_goes_on(ends, status, attempts, tmp_path):
    results = run(tmp_path, {2: ends}, limit=5)
    assert [found.status for found in results] == ["done", status, "done"]
    assert results[1].attempts == attempts and bool(results[1].reason) == (status != "done")


def test_no_trial_is_ended_before_the_usual_limit_is_known(tmp_path):
    study = driver(tmp_path, InstantPool())
    assert study.limit == 0
    study.run(OneRound(trials(1)).rounds())
    assert study.limit == 600


def test_the_usual_limit_is_five_times_the_median(tmp_path):
    study = driver(tmp_path, InstantPool())
    for number, seconds in enumerate([100, 200, 10_000], 1):
        study.records.append(result(number, seconds=seconds))
    assert driver(tmp_path, InstantPool()).limit == 1000
    assert driver(tmp_path, InstantPool(), limit=7).limit == 7


def test_a_mistake_of_the_user_in_the_first_training_ends_the_study(tmp_path):
    with pytest.raises(UserError, match="trial 1: words of 2"):
        run(tmp_path, {1: [2], 2: [None]})
    assert read_results(tmp_path) == []


def test_a_mistake_after_a_trial_that_is_done_is_a_failure(tmp_path):
    results = run(tmp_path, {3: [2, 2]})
    assert (results[2].status, results[2].reason) == ("failed", "status 2: words of 2")


def test_a_full_disk_ends_the_study_and_nothing_is_recorded_of_the_trial(tmp_path):
    full = Ended(3, 1, 1.0, "OSError: [Errno 28] No space left on device")
    with pytest.raises(UserError, match="trial 3: OSError.*No space left on device"):
        run(tmp_path, {3: [full]})
    assert [found.number for found in read_results(tmp_path)] == [1, 2]


def test_a_finished_trial_keeps_its_best_checkpoint_alone(tmp_path):
    for number in (1, 2):
        folder = tmp_path / f"trials/000{number}/checkpoints"
        folder.mkdir(parents=True)
        for name in ("last.ckpt", "previous-last.ckpt", "best.ckpt"):
            (folder / name).touch()
    run(tmp_path, {2: [1, 1]}, count=2)
    assert [path.name for path in (tmp_path / "trials/0001/checkpoints").iterdir()] == ["best.ckpt"]
    assert len(list((tmp_path / "trials/0002/checkpoints").iterdir())) == 3  # somebody may want to know why


def test_what_is_recorded_is_not_trained_again(tmp_path):
    first = run(tmp_path, {2: [1, 1]})
    pool = InstantPool()
    assert driver(tmp_path, pool).run(OneRound(trials(4)).rounds())[:3] == first
    assert pool.started == [4]


def test_another_proposal_than_the_recorded_one_is_refused(tmp_path):
    run(tmp_path)
    other = [replace(trial, seed=2) for trial in trials(3)]
    with pytest.raises(UserError, match=r"trials.jsonl: trial 1 is net0 of 'all', but this version proposes net0"):
        driver(tmp_path, InstantPool()).run(OneRound(other).rounds())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_trainings_in_order_and_keeps_what_is_done(number, tmp_path, capsys, monkeypatch):
    handler = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # who starts the tests under nohup ignores it
    pool = InstantPool(slots=1)

    def interrupt(job):
        if job.number == 2:
            os.kill(os.getpid(), number)

    pool.on_start = interrupt
    with pytest.raises(KeyboardInterrupt):
        driver(tmp_path, pool).run(OneRound(trials(4)).rounds())
    assert pool.calls == ["stop", "close"] and pool.started == [1, 2]
    assert [found.number for found in read_results(tmp_path)] == [1, 2]
    assert "stopping: 0 trials save their state" in capsys.readouterr().out
    assert signal.signal(signal.SIGHUP, handler) == signal.SIG_DFL


def test_a_training_that_a_signal_stopped_is_not_recorded(tmp_path):
    pool = InstantPool(ends={1: [1]}, on_start=lambda _: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(KeyboardInterrupt):
        driver(tmp_path, pool).run(OneRound(trials(2)).rounds())
    assert [found.number for found in read_results(tmp_path)] == []


def test_a_second_signal_does_not_wait(tmp_path):
    pool = InstantPool(slots=1, ends={1: [None]}, on_start=lambda _: os.kill(os.getpid(), signal.SIGINT))
    pool.stop = lambda: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        driver(tmp_path, pool).run(OneRound(trials(2)).rounds())
    assert pool.calls == ["close"] and read_results(tmp_path) == []


def test_nohup_keeps_its_meaning(tmp_path):
    handler = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        pool = InstantPool(on_start=lambda _: os.kill(os.getpid(), signal.SIGHUP))
        assert len(driver(tmp_path, pool).run(OneRound(trials(3)).rounds())) == 3
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, handler)


def test_a_closed_output_stops_the_trainings_in_order(tmp_path):
    study = driver(tmp_path, InstantPool())
    study.progress.ended = lambda *_: (_ for _ in ()).throw(BrokenPipeError())
    with pytest.raises(BrokenPipeError):
        study.run(OneRound(trials(4)).rounds())
    assert study.pool.calls == ["stop", "close"]
    assert [found.number for found in read_results(tmp_path)] == [1]
