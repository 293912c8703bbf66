import runpy
import shutil

import pytest
from support.exporting import trained_checkpoint
from support.project import PROJECT, photograph

from src.images.digits import write_digits
from src.models import create_model
from src.weights.loading import save_safetensors

BEST = "runs/quickstart/checkpoints/best.ckpt"


@pytest.mark.parametrize(
    "command, words",
    [
        ("train.py", "model and data_path are missing: name a network with --model"),
        (f"train.py --config config/digits.yaml --resume {BEST} --input_size 32", "resume: preprocess was"),
        ("train.py --config config/digits.yaml --device_target Ascend", "--device_target CPU or auto"),
        (f"eval.py --model tinynet_c --ckpt {BEST} --data_path digits", "is --model right?"),
        (f"export.py --ckpt {BEST} --file_format AIR", "MINDIR serves"),
        (f"predict.py --ckpt {BEST} nowhere.jpg", "there is no image or folder nowhere.jpg"),
        ("check_dataset.py --data_path config", "there is no folder config/train"),
    ],
)
def test_commands_end_with_one_line(quickstart, command, words):
    """A few as a user runs them."""
    workspace, _ = quickstart
    workspace.fails("python", *command.split(), words=words)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder like the project's, with the weights w.ckpt of four classes."""
    folder = tmp_path_factory.mktemp("place")
    write_digits()
    for name in ("assets", "config", "data", "README.md"):
        (folder / name).symlink_to(PROJECT / name)
    trained_checkpoint(folder)
    return folder


@pytest.fixture
def mistaken(place, monkeypatch, capfd):
    """Runs a script in this process, where MindSpore has been imported; checks that `words` are its only error."""

    def run(command, words):
        script, *flags = command.split()
        flags += [] if script == "check_dataset.py" else ["--device_target", "CPU"]
        monkeypatch.chdir(place)
        monkeypatch.setattr("sys.argv", [script, *map(str, flags)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(PROJECT / script), run_name="__main__")
        out, err = capfd.readouterr()
        errors = [line for line in err.splitlines() if line.startswith("error:")]
        assert ended.value.code == 2 and len(errors) == 1 and words in errors[0], err
        assert "Traceback" not in out + err and "C++ Call Stack" not in out + err

    return run


@pytest.mark.parametrize(
    "command, words",
    [
        ("train.py --model tinynet_c", "data_path is missing"),
        ("train.py --model tinynet_c --data_path nowhere", "data_path nowhere: there is no such folder"),
        ("train.py --data_path digits", "model is missing"),
        ("train.py --config config/digits.yaml --batch_size 2000", "batch_size is 2000"),
        ("train.py --config config/digits.yaml --ckpt nowhere.ckpt", "there is no weight file nowhere.ckpt"),
        ("train.py --config config/digits.yaml --resume x/checkpoints/last.ckpt", "resume: there is no checkpoint x/"),
        ("train.py --config config/digits.yaml --resume auto", "give --run_dir"),
        ("train.py --config config/digits.yaml --resume README.md", "README.md is not in the folder of a run"),
        ("export.py --ckpt w.ckpt --file_name .", "file_name is ., a folder"),
        ("predict.py --ckpt w.ckpt assets/samples --sheet sheet.xyz", "ends in .png or .pdf"),
        ("train.py --config config/digits.yaml --run_dir /proc/run", "cannot write"),
        ("train.py --config config/digits.yaml --data_sink", "data_sink is on, which MindSpore offers on Ascend"),
        ("train.py --config config/digits.yaml --sync_bn", "sync_bn is on, which MindSpore offers on Ascend"),
        ("train.py --config config/digits.yaml --amp_level O2 --amp_dtype bfloat16", "no CPU kernels; use float16"),
        ("train.py --config config/digits.yaml --accumulate 50", "holds 1437 images"),
        ("eval.py --model tinynet_c", "ckpt and data_path are missing"),
        ("eval.py --ckpt w.ckpt", "data_path is missing"),
        ("eval.py --model tinynet_c --data_path digits", "ckpt is missing: give weights with --ckpt FILE"),
        ("eval.py --ckpt README.md --data_path digits", "unknown kind of weights '.md'"),
        ("export.py --ckpt w.ckpt --file_format ONNXX", "expected 'MINDIR', 'ONNX'"),
        ("export.py --ckpt w.ckpt --images README.md", "images: README.md: not an image"),
        ("export.py --ckpt w.ckpt --file_name /proc/net", "cannot write /proc/net.mindir"),
        ("export.py --ckpt w.ckpt --file_format ONNX --precision int8", "calibration is None: int8 takes the ranges"),
        (
            "export.py --ckpt w.ckpt --file_format ONNX --precision int8 --calibration config",
            "calibration: config is no image and no folder of images",
        ),
        ("export.py --ckpt w.ckpt --precision int8 --calibration data", "add --file_format ONNX, or choose fp16"),
        ("export.py --ckpt w.ckpt --precision fp16 --no-fold", "leave --no-fold out"),
        ("export.py --ckpt w.ckpt --gears 1,8", "gears need --soc_version and --batch_size 0"),
        (
            "export.py --ckpt w.ckpt --input_type uint8 --soc_version Ascend310P3",
            "AIPP on the chip would normalize a second time",
        ),
        ("predict.py --ckpt w.ckpt", "no images: name some"),
        ("predict.py --ckpt w.ckpt --labels README.md assets/samples", "the weights know 4"),
    ],
)
def test_mistakes_end_with_one_line(mistaken, command, words):
    mistaken(command, words)


def test_a_broken_image_is_named_and_the_others_are_predicted(quickstart, tmp_path):
    workspace, _ = quickstart
    photograph(50, 40).save(tmp_path / "good.jpg")
    (tmp_path / "bad.jpg").write_bytes((tmp_path / "good.jpg").read_bytes()[:300])
    done = workspace.fails(
        "python", "predict.py", "--ckpt", BEST, tmp_path, words=f"1 of 2 images cannot be read: {tmp_path}/bad"
    )
    assert "good.jpg" in done.stdout and "bad.jpg" not in done.stdout


def test_bad_files_are_found_before_the_first_epoch(workspace, image_folder):
    (image_folder / "train/cat/zero.jpg").write_bytes(b"")
    flags = ("--model", "tinynet_e", "--data_path", image_folder, "--batch_size", 4, "--run_dir", image_folder / "run")
    done = workspace.fails("python", "train.py", *flags, words="train/cat/zero.jpg: empty file")
    assert "epoch" not in done.stderr.replace("first epoch", "") and not (image_folder / "run").exists()
    done = workspace.fails("python", "check_dataset.py", "--data_path", image_folder, words="1 bad files, listed above")
    assert f"{image_folder}/train/cat/zero.jpg: empty file" in done.stdout


def test_a_bad_file_that_no_check_found_is_named_when_it_is_met(workspace, small_workspace, image_folder):
    whole = (image_folder / "train/cat/0.jpg").read_bytes()
    for split in ("train", "val"):
        (image_folder / split / "cat/half.jpg").write_bytes(whole[:200])
    words, unchecked = "cat/half.jpg: ", ("--data_path", image_folder, "--check_data", "off")
    flags = ("--model", "tinynet_e", "--batch_size", 6, "--input_size", 32, "--run_dir", image_folder / "run")
    small_workspace.fails("python", "train.py", *flags, *unchecked, words="train/" + words)
    weights = ("--model", "tinynet_e", "--ckpt", image_folder / "w.safetensors")
    save_safetensors(create_model("tinynet_e", num_classes=2), image_folder / "w.safetensors")
    workspace.fails("python", "eval.py", *weights, *unchecked, words="val/" + words)


def test_classes_must_be_those_of_the_weights(mistaken, image_folder):
    mistaken(f"eval.py --ckpt w.ckpt --data_path {image_folder}", "has other classes than")


def test_fine_tuning_needs_to_be_asked_for(quickstart, image_folder):
    workspace, _ = quickstart
    flags = (
        "--data_path",
        image_folder,
        "--batch_size",
        6,
        "--epochs",
        1,
        "--warmup_epochs",
        0,
        "--ckpt",
        BEST,
        "--run_dir",
        image_folder / "run",
    )
    workspace.fails("python", "train.py", *flags, words="10 classes, the network 2; to train with a new classifier")
    done = workspace.run("python", "train.py", *flags, "--replace_head")
    assert "classifier.weight, classifier.bias new" in done.stderr and "epoch 1/1" in done.stderr
    done = workspace.run(
        "python", "eval.py", "--ckpt", image_folder / "run/checkpoints/last.ckpt", "--data_path", image_folder
    )
    assert "6 images" in done.stdout


def test_divergence_ends_with_status_3(small_workspace, tmp_path):
    flags = ("--config", "config/digits.yaml", "--run_dir", tmp_path / "run", "--lr", 1e30, "--warmup_epochs", 0)
    small_workspace.fails("python", "train.py", *flags, "--input_size", 32, status=3, words="at step ")


def test_scripts_check_their_arguments_and_return_the_childs_status(quickstart, tmp_path):
    workspace, _ = quickstart
    scripts = workspace.folder / "scripts"
    workspace.fails("bash", scripts / "run_eval.sh", "a", "b", "c", "d", cwd=tmp_path, words="got 4 arguments")
    workspace.fails(
        "bash", scripts / "run_standalone_train.sh", "no where", cwd=tmp_path, words="data_path no where: there is"
    )
    shutil.copy(workspace.folder / BEST, tmp_path / "my best.ckpt")
    done = workspace.run("bash", scripts / "run_eval.sh", "digits", "my best.ckpt", cwd=tmp_path)
    assert "360 images" in done.stdout


def test_no_fitting_python_is_one_line(workspace):
    words = "MindSpore has wheels for Python 3.10, 3.11 and 3.12"
    script = f'source "{workspace.folder}/scripts/common.sh"; unset PYTHON; python_fits() {{ false; }}; find_python'
    workspace.fails("bash", "-c", script, words=words)


def test_an_unsupported_python_is_refused_and_not_replaced(workspace):
    script = f'source "{workspace.folder}/scripts/common.sh"; PYTHON=/bin/false find_python'
    workspace.fails("bash", "-c", script, words="PYTHON is /bin/false; expected Python 3.10 to 3.12")
