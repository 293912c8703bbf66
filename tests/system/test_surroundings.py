"""Commands and launchers where users start them: with names that are not UTF-8, with settings of their shell."""

import json
import os
from types import SimpleNamespace

import pytest
from support.project import PROJECT, photograph
from support.small_network import SMALL, small

from src.design.architecture_file import to_dict
from src.images.preprocess import Preprocess
from src.weights.ckpt import save_ckpt
from src.weights.names import weights_of

LONG = "a" * 300
OLD = os.fsdecode(b"V\xf6gel")  # a name as an old archive has it


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A data set with a class and an image whose names are not UTF-8, and weights that were trained on it."""
    folder = tmp_path_factory.mktemp("old")
    for split in ("train", "val"):
        for index, name in enumerate(("Katzen", OLD)):
            (folder / split / name).mkdir(parents=True)
            photograph(40, 50, seed=index).save(folder / split / name / f"{name}.jpg")
    meta = {"model": SMALL.name, "architecture": to_dict(SMALL), "classes": ["Katzen", OLD]}
    weights = {name: parameter.asnumpy() for name, parameter in weights_of(small(num_classes=2)).items()}
    save_ckpt(weights, folder / "w.ckpt", meta | {"preprocess": Preprocess(32).as_dict()})
    return SimpleNamespace(folder=folder, ckpt=folder / "w.ckpt")


def test_names_that_are_not_utf_8_are_printed_as_escapes(door, old):
    done = door("predict.py", "--ckpt", old.ckpt, old.folder / "val")
    assert f"{old.folder}/val/V\\udcf6gel/V\\udcf6gel.jpg: " in done.stdout
    assert "V\\udcf6gel " in done.stdout.partition(": ")[2]


def test_json_gives_back_the_bytes_of_a_name(door, old):
    done = door("predict.py", "--ckpt", old.ckpt, old.folder / "val", "--json")
    images = [entry["image"] for entry in json.loads(done.stdout.splitlines()[-1])]
    assert os.fsencode(images[1]) == os.fsencode(old.folder) + b"/val/V\xf6gel/V\xf6gel.jpg"


def test_names_that_are_not_utf_8_are_evaluated_and_checked(door, old):
    assert "2 images" in door("eval.py", "--ckpt", old.ckpt, "--data_path", old.folder).stdout
    assert "none bad" in door("check_dataset.py", "--data_path", old.folder).stdout


def test_a_description_is_utf_8_and_scores_such_classes(door, old, tmp_path):
    door("export.py", "--ckpt", old.ckpt, "--file_format", "ONNX", "--file_name", tmp_path / "net")
    description = json.loads((tmp_path / "net.json").read_bytes())
    assert description["classes"] == ["Katzen", "V\\udcf6gel"]
    top = [{"class": name, "index": index, "probability": 0.5} for index, name in enumerate(description["classes"])]
    results = [{"image": "val/Katzen/Katzen.jpg", "top": top}]
    (tmp_path / "results.json").write_text(json.dumps(results))
    flags = ("--results", tmp_path / "results.json", "--data_path", old.folder, "--description", tmp_path / "net.json")
    assert "2 images, top-1 50.000 %" in door("postprocess.py", *flags).stdout


@pytest.mark.parametrize(
    "command",
    [
        f"eval.py --ckpt w.ckpt --data_path {LONG}",
        f"eval.py --ckpt {LONG}.ckpt --data_path digits",
        f"predict.py --ckpt w.ckpt {LONG}.jpg",
        f"train.py --config config/digits.yaml --run_dir {LONG}",
        f"train.py --config {LONG}.yaml",
        f"train.py --config config/digits.yaml --data_path {LONG}",
        f"convert_dataset.py --data_path digits --output {LONG}",
        f"check_dataset.py --data_path {LONG}",
        f"export.py --ckpt w.ckpt --file_format CKPT --file_name {LONG}",
        f"search.py cost {LONG}.yaml",
        f"postprocess.py --results {LONG}.json --data_path digits",
    ],
)
def test_a_name_that_is_too_long_is_one_line(refused, old, command):
    words = command.replace("w.ckpt", str(old.ckpt)).replace("config/", f"{PROJECT}/config/").split()
    refused(*words, words="File name too long")


PROBE = 'source "$1/scripts/common.sh"; echo "$PROJECT"; absolute scripts; echo x >again; echo y >again'


@pytest.mark.parametrize(
    "variables",
    [
        {"CDPATH": ".:/tmp:/"},
        {"HOME": None},
        {"BASH_FUNC_cd%%": '() { builtin cd "$@"; echo now in $PWD; }'},
        {"SHELLOPTS": "noclobber:noglob:nounset:posix"},
    ],
)
def test_settings_of_the_shell_do_not_reach_the_launchers(workspace, tmp_path, variables):
    (tmp_path / "scripts").mkdir()
    environment = {key: value for key, value in (os.environ | variables).items() if value is not None}
    done = workspace.run("bash", "-c", PROBE, "bash", workspace.folder, cwd=tmp_path, environment=environment)
    assert done.stdout == f"{workspace.folder}\n{tmp_path}/scripts\n"


def test_without_a_home_a_python_is_found(workspace):
    environment = {key: value for key, value in os.environ.items() if key not in ("HOME", "PYTHON")}
    script = f'source "{workspace.folder}/scripts/common.sh"; python_fits() {{ [ "$1" = python ]; }}; find_python'
    assert workspace.run("bash", "-c", script, environment=environment).stdout == "python\n"


def test_a_launcher_may_be_reached_by_a_link(workspace, tmp_path):
    (tmp_path / "evaluate").symlink_to(workspace.folder / "scripts/run_eval.sh")
    workspace.fails("bash", "evaluate", "a", "b", "c", "d", cwd=tmp_path, words="got 4 arguments")


def test_a_launcher_without_its_functions_does_nothing(workspace, tmp_path):
    (tmp_path / "run_eval.sh").write_bytes((workspace.folder / "scripts/run_eval.sh").read_bytes())
    done = workspace.run("bash", "run_eval.sh", cwd=tmp_path, status=2)
    assert "common.sh: No such file" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("variables", [{"PYTHONSAFEPATH": "1"}, {"PYTHONOPTIMIZE": "2"}, {"PYTHONPATH": "other"}])
def test_settings_of_python_do_not_matter(workspace, tmp_path, variables):
    (tmp_path / "other/src").mkdir(parents=True)
    (tmp_path / "other/src/__init__.py").write_text("raise ImportError('of another project')")
    script = workspace.folder / "search.py"
    done = workspace.run("python", script, "cost", "tinynet_c", cwd=tmp_path, environment=os.environ | variables)
    assert "2,457,234" in done.stdout
