"""The lines of a study that runs."""

from support.studies import result

from src.search.study.outcome import Outcome
from src.search.study.progress import Progress


def test_a_line_says_what_ended_and_how_far_the_study_is(capsys):
    progress = Progress(5, [result(1), result(2, status="failed", top1=None, loss=None)])
    progress.ended(result(3), running=2)
    line = capsys.readouterr().out
    assert line.startswith(
        "trial 3 53.00 %: all, 0.001 M MACs, 32 px, w=0.5, 2 s   [3 of 5 ended, 2 running, 1 failed, "
    )
    assert "best 53.00 % (trial 3), " in line and line.endswith(" left]\n")


def test_equal_accuracies_are_told_apart_by_the_loss(capsys):
    progress = Progress(3, [result(1, top1=60.0, loss=1.0)])
    progress.ended(result(2, top1=60.0, loss=0.5), running=0)
    assert "best 60.00 % (trial 2)" in capsys.readouterr().out


def test_a_failed_trial_says_why(capsys):
    progress = Progress(1, [])
    progress.ended(result(1, status="diverged", top1=None, loss=None, reason="the loss is nan"), running=0)
    assert capsys.readouterr().out == (
        "trial 1 diverged (the loss is nan): all, 0.001 M MACs, 32 px, w=0, 2 s   [1 of 1 ended, 0 running, 1 failed]\n"
    )


def test_more_trials_than_expected_are_counted(capsys):
    progress = Progress(1, [result(1)])
    progress.ended(result(2), running=0)
    assert "[2 of 2 ended" in capsys.readouterr().out


def test_a_round_says_what_it_has_already(capsys):
    progress = Progress(9, [])
    progress.begin_round(4, 4)
    progress.begin_round(3, 1)
    progress.begin_round(2, 0)  # a round without anything to do is not worth a line
    assert capsys.readouterr().out == "round 1: 4 trials\nround 2: 3 trials, 2 have results\n"


def test_the_time_left_is_that_of_this_start(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress = Progress(10, [result(1), result(2)])
    now[0] = 130.0
    progress.ended(result(3), running=0)
    assert progress.seconds_left() == 7 * 30


def test_a_trial_that_runs_again_is_named(capsys):
    Progress(1, []).retry(4, Outcome("timeout", reason="it had not ended after 9 s"))
    assert capsys.readouterr().out == "trial 4 timeout, is started again: it had not ended after 9 s\n"
