"""The launcher's arguments: its own become a configuration, all others go to train.py."""

from pathlib import Path

import pytest

from src.errors import UserError
from src.launch.job import Job
from src.launch.launcher import describe, main, parse


def test_without_arguments_the_digits_are_trained():
    config, flags = parse([])
    assert (config.workers, config.data_path, config.config, config.resume) == ("auto", "digits", None, None)
    assert flags == []


def test_arguments_without_flags_have_an_order():
    config, _ = parse(["2", "/my data", "c.yaml", "auto"])
    assert (config.workers, config.data_path, config.config, config.resume) == ("2", "/my data", Path("c.yaml"), "auto")


def test_an_empty_argument_means_its_default():
    config, _ = parse(["", "digits", "", "last.ckpt"])
    assert (config.workers, config.data_path, config.config, config.resume) == ("auto", "digits", None, "last.ckpt")


def test_arguments_may_be_flags():
    config, flags = parse(["2", "--data-path", "/my data", "--config", "c.yaml", "--resume", "auto", "--run_dir", "r"])
    assert (config.workers, config.data_path, config.config, config.resume) == ("2", "/my data", Path("c.yaml"), "auto")
    assert (config.run_dir, flags) == (Path("r"), [])


def test_the_value_of_a_flag_is_never_taken_for_an_argument():
    config, flags = parse(["--epochs", "1", "--freeze_bn", "--crop-scale", "0.5", "1"])
    assert config == parse([])[0]
    assert flags == ["--epochs", "1", "--freeze_bn", "--crop_scale", "0.5", "1"]


def test_the_flag_workers_is_that_of_train():
    config, flags = parse(["2", "--workers", "3"])
    assert (config.workers, flags) == ("2", ["--workers", "3"])


@pytest.mark.parametrize(
    "argv, words",
    [
        (["2", ""], "command line: data_path is '': expected a path; an empty text is none (is a variable not set?)"),
        (["0"], "command line: workers is '0': expected a number of workers from 1, `auto`, or a RANK_TABLE.json"),
        (["many"], "command line: workers is 'many': expected a number of workers"),
        (["--nodes", "2"], "command line: nodes is '2': several nodes need --master_addr"),
        (
            ["--nodes", "2", "--node_rank", "2", "--master_addr", "a"],
            "node_rank is '2': expected 0 to 1, because nodes",
        ),
        (["--node_rank", "1"], "command line: node_rank is '1': expected 0 to 0, because nodes is 1"),
        (["--nodes", "two"], "command line: nodes is 'two': expected a valid integer"),
        (["--nodes", "0"], "command line: nodes is '0': expected greater than or equal to 1"),
        (["--master_port", "70000"], "master_port is '70000': expected less than or equal to 65535"),
        (["--device_target", "TPU"], "device_target is 'TPU': expected 'auto', 'Ascend', 'GPU' or 'CPU'"),
        (["--nodes"], "argument --nodes: expected one argument; `run_distribute_train.sh --help` lists all flags"),
        (["1", "2", "3", "4", "5"], "got 5 arguments before the flags, expected at most 4: run_distribute_train.sh [W"),
    ],
)
def test_mistakes_are_one_line(argv, words):
    with pytest.raises(UserError) as error:
        parse(argv)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_help_shows_the_arguments_and_the_flags(capsys):
    with pytest.raises(SystemExit) as stop:
        parse(["--help"])
    out = capsys.readouterr().out
    assert stop.value.code == 0
    assert out.startswith(
        "usage: run_distribute_train.sh [WORKERS|RANK_TABLE.json] [DATA_PATH] [CONFIG] [RESUME] [--FLAG"
    )
    assert "--node_rank INT" in out and "--workers" not in out


@pytest.mark.parametrize(
    "argv, words",
    [
        (["2", "--nodes"], "error: argument --nodes: expected one argument; "),
        (
            ["2", "/no/data"],
            "error: data_path /no/data: there is no such folder; expected one with train/CLASS and val/",
        ),
        (["2", "digits", "", "no.ckpt"], "error: resume: there is no checkpoint no.ckpt\n"),
    ],
)
def test_a_mistake_ends_with_status_2_and_one_line(argv, words, capsys):
    assert main(argv) == 2
    err = capsys.readouterr().err
    assert err.startswith(words) and err.count("\n") == 1


@pytest.mark.parametrize(
    "job, argv, words",
    [
        (Job(2, 2), [], "2 workers on the CPU, because no NPU was found"),
        (Job(2, 2), ["--device_target", "CPU"], "2 workers on CPU"),
        (Job(2, 4, 2, 1, devices="0,1"), [], "2 workers on NPUs 0,1, ranks 2 to 3 of 4"),
    ],
)
def test_the_start_is_described_in_a_few_words(job, argv, words):
    assert describe(job, parse(argv)[0]) == words
