"""The definition of a study stays the same from its first trial to its last; a change is refused by its name."""

import copy
import json

import pytest
from support.small_network import ONE_BLOCK

from src.config import TrainConfig, TwistConfig
from src.errors import UserError
from src.search.study.definition import NAME, Data, check_folder, describe, read_definition, write_or_check

DATA = Data("/data/few", 10, 120, 40, "abc def")


def definition(recipe=None, data=DATA, command="twist", base=ONE_BLOCK, **settings):
    return describe(command, TwistConfig(**settings), TrainConfig(**(recipe or {})), data, base)


def test_a_study_is_resumed_with_the_same_definition(tmp_path):
    write_or_check(tmp_path / "s", definition(trials=5))
    before = (tmp_path / "s" / NAME).read_bytes()
    write_or_check(tmp_path / "s", definition(trials=5))
    assert (tmp_path / "s" / NAME).read_bytes() == before
    assert read_definition(tmp_path / "s") == json.loads(json.dumps(definition(trials=5)))


@pytest.mark.parametrize(
    "now, words",
    [
        ({"trials": 6}, "settings.trials 60, which is 6 now"),
        ({"seed": 2}, "settings.seed 1, which is 2 now"),
        ({"device_target": "CPU"}, "settings.device_target auto, which is CPU now"),
        ({"recipe": {"lr": 0.5}}, "recipe.lr 0.048, which is 0.5 now"),
        ({"recipe": {"workers": 2}}, "recipe.workers 0, which is 2 now"),
        ({"data": Data("/data/few", 10, 121, 40, "abc def")}, "data.train 120, which is 121 now"),
        ({"data": Data("/data/few", 10, 120, 40, "abc xyz")}, "data.fingerprint abc def, which is abc xyz now"),
        ({"command": "greedy"}, "command twist, which is greedy now"),
        ({"base": ONE_BLOCK.at(64)}, "base.resolution 32, which is 64 now"),
    ],
)
def test_a_change_is_refused_by_its_name(now, words, tmp_path):
    write_or_check(tmp_path, definition())
    with pytest.raises(UserError, match=f"was begun with {words}; restore it, or give another --study"):
        write_or_check(tmp_path, definition(**now))


def test_another_version_of_a_package_is_refused_by_its_name(tmp_path):
    write_or_check(tmp_path, definition())
    other = copy.deepcopy(definition())
    other["versions"]["mindspore"] = "9.9"
    with pytest.raises(UserError, match="was begun with versions.mindspore 2.* which is 9.9 now"):
        write_or_check(tmp_path, other)


@pytest.mark.parametrize(
    "free", [{"parallel": 7}, {"threads": 3}, {"trial_minutes": 5}, {"ray_address": "auto"}, {"debug": True}]
)
def test_where_trials_run_may_change(free, tmp_path):
    write_or_check(tmp_path, definition())
    write_or_check(tmp_path, definition(**free))


def test_what_each_trial_sets_is_no_part_of_the_recipe(tmp_path):
    write_or_check(tmp_path, definition())
    write_or_check(tmp_path, definition({"run_dir": tmp_path, "seed": 9, "model": "tinynet_e"}))


def test_the_folder_is_new_empty_or_a_study(tmp_path):
    check_folder(tmp_path / "new")
    check_folder(tmp_path)
    (tmp_path / ".lock").touch()
    (tmp_path / ".study.json-x1y2").mkdir()  # of a process that was killed before the study had a definition
    check_folder(tmp_path)
    write_or_check(tmp_path, definition())
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", NAME]
    (tmp_path / "notes.txt").touch()
    check_folder(tmp_path)


def test_a_folder_with_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(UserError, match="holds files, but no study.json; give a new or an empty folder"):
        check_folder(tmp_path)
    with pytest.raises(UserError, match="thesis.txt is a file; give a new or an empty folder"):
        check_folder(tmp_path / "thesis.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "text, words", [("{", "study.json"), ("[]", "is not of format 1"), ("{}", "is not of format 1")]
)
def test_a_damaged_definition_is_refused(text, words, tmp_path):
    (tmp_path / NAME).write_text(text)
    with pytest.raises(UserError, match=words):
        read_definition(tmp_path)
    with pytest.raises(UserError, match="is no study: cannot read study.json"):
        read_definition(tmp_path / "nowhere")
