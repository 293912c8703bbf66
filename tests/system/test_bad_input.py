"""Mistakes of users, in every command: each ends with status 2 and one line that names it.

One command of each kind is started as a user starts it, the others run in this process, which saves their imports.
"""

import shutil

import pytest
from support.flags import overruled
from support.project import GOLDEN, PROJECT, photograph
from support.small_network import SMALL, SMALL_FILE, small

from src.design.architecture_file import to_dict
from src.images.preprocess import Preprocess
from src.weights.ckpt import save_ckpt
from src.weights.names import weights_of

CLASSES = ["cat", "dog", "fish", "großer Vogel"]
DIGITS = "train.py --config config/digits.yaml"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder like the project's, with w.ckpt: weights of the small network, as training writes them."""
    folder = tmp_path_factory.mktemp("place")
    for name in ("assets", "config", "README.md"):
        (folder / name).symlink_to(PROJECT / name)
    (folder / "labels.txt").write_text("cat\ndog\nfish\n")
    meta = {"model": SMALL.name, "architecture": to_dict(SMALL), "classes": CLASSES}
    weights = {name: parameter.asnumpy() for name, parameter in weights_of(small(num_classes=4)).items()}
    save_ckpt(weights, folder / "w.ckpt", meta | {"preprocess": Preprocess(32).as_dict()})
    return folder


@pytest.mark.parametrize(
    "command, words",
    [
        ("train.py --config config/digits.yaml --device_target Ascend", "--device_target CPU or auto"),
        ("eval.py --model tinynet_c --ckpt w.ckpt --data_path digits", "is --model right?"),
        ("export.py --ckpt w.ckpt --file_format AIR", "MINDIR serves"),
        ("predict.py --ckpt w.ckpt nowhere.jpg", "there is no image or folder nowhere.jpg"),
        ("check_dataset.py --data_path config", "there is no folder config/train"),
    ],
)
def test_a_command_ends_with_one_line(workspace, place, command, words):
    script, *flags = command.split()
    workspace.fails("python", workspace.folder / script, *flags, cwd=place, words=words)


@pytest.mark.parametrize(
    "command, words",
    [
        ("train.py", "model and data_path are missing: name a network with --model"),
        ("train.py --model tinynet_c", "data_path is missing"),
        ("train.py --model tinynet_c --data_path nowhere", "data_path nowhere: there is no such folder"),
        ("train.py --data_path digits", "model is missing"),
        (f"{DIGITS} --batch_size 2000", "batch_size is 2000"),
        (f"{DIGITS} --ckpt nowhere.ckpt", "there is no weight file nowhere.ckpt"),
        (f"{DIGITS} --resume x/checkpoints/last.ckpt", "resume: there is no checkpoint x/"),
        (f"{DIGITS} --resume auto", "give --run_dir"),
        (f"{DIGITS} --resume README.md", "README.md is not in the folder of a run"),
        (f"{DIGITS} --run_dir /proc/run", "cannot write"),
        (f"{DIGITS} --data_sink", "data_sink is on, which MindSpore offers on Ascend"),
        (f"{DIGITS} --sync_bn", "sync_bn is on, which MindSpore offers on Ascend"),
        (f"{DIGITS} --amp_level O2 --amp_dtype bfloat16", "no CPU kernels; use float16"),
        (f"{DIGITS} --accumulate 50", "holds 1437 images"),
        ("eval.py --model tinynet_c", "ckpt and data_path are missing"),
        ("eval.py --ckpt w.ckpt", "data_path is missing"),
        ("eval.py --model tinynet_c --data_path digits", "ckpt is missing: give weights with --ckpt FILE"),
        ("eval.py --ckpt README.md --data_path digits", "README.md is a text; expected a MindSpore checkpoint"),
        ("export.py --ckpt w.ckpt --file_name .", "file_name is '.': expected the path of a file, not of a folder"),
        ("export.py --ckpt w.ckpt --file_format ONNXX", "expected 'MINDIR', 'ONNX'"),
        ("export.py --ckpt w.ckpt --images README.md", "images: README.md: not an image"),
        ("export.py --ckpt w.ckpt --file_name /proc/x", "cannot write /proc/x.mindir"),
        ("export.py --ckpt w.ckpt --file_format ONNX --precision int8", "calibration is None: int8 takes the ranges"),
        (
            "export.py --ckpt w.ckpt --file_format ONNX --precision int8 --calibration config",
            "calibration: config is neither an image nor a folder of images",
        ),
        ("export.py --ckpt w.ckpt --precision int8 --calibration assets", "add --file_format ONNX, or choose fp16"),
        ("export.py --ckpt w.ckpt --precision fp16 --no-fold", "leave --no-fold out"),
        ("export.py --ckpt w.ckpt --gears 1,8", "gears need --soc_version and --batch_size 0"),
        (
            "export.py --ckpt w.ckpt --input_type uint8 --soc_version Ascend310P3",
            "AIPP on the chip would normalize a second time",
        ),
        ("predict.py --ckpt w.ckpt", "no images: name some"),
        (
            "predict.py --ckpt w.ckpt --labels labels.txt assets/samples",
            "labels.txt names 3 classes, the weights have 4",
        ),
        ("predict.py --ckpt w.ckpt assets/samples --sheet sheet.xyz", "ends in .png or .pdf"),
        ("detect.py predict --ckpt w.ckpt", "of them, such as `detect.py predict --ckpt FILE photo.jpg`"),
        ("detect.py predict --ckpt w.ckpt assets/samples", "w.ckpt holds a classifier; train a detector from it"),
        ("detect.py predict --ckpt w.ckpt assets/samples --draw README.md", "--draw is README.md, a file; name a fold"),
    ],
)
def test_a_mistake_is_one_line(refused, place, command, words):
    refused(*command.split(), cwd=place, words=words)


def test_a_broken_image_is_named_and_the_others_are_predicted(refused, place, tmp_path):
    photograph(50, 40).save(tmp_path / "good.jpg")
    (tmp_path / "bad.jpg").write_bytes((tmp_path / "good.jpg").read_bytes()[:300])
    words = f"1 of 2 images cannot be read: {tmp_path}/bad"
    done = refused("predict.py", "--ckpt", "w.ckpt", tmp_path, cwd=place, words=words)
    assert "good.jpg" in done.stdout and "bad.jpg" not in done.stdout


@pytest.fixture
def train_flags(image_folder):
    """A training on the folder of images."""
    flags = ("--model", SMALL_FILE, "--data_path", image_folder, "--run_dir", image_folder / "run", "--batch_size", 6)
    return (*flags, "--epochs", 1, "--warmup_epochs", 0)


def test_prediction_names_what_it_leaves_out(door, place, image_folder):
    (image_folder / "val/cat/9.webp").touch()
    (image_folder / "val/cat/up").symlink_to("..")
    done = door("predict.py", "--ckpt", "w.ckpt", image_folder / "val", cwd=place)
    assert len(done.stdout.splitlines()) == 6
    assert f"left out: {image_folder}/val/cat/9.webp: not an image file" in done.stderr
    assert f"left out: {image_folder}/val/cat/up: a link to a folder that holds it" in done.stderr


def test_an_input_size_that_the_c_plus_plus_program_refuses_is_refused(refused, place):
    refused("export.py", "--ckpt", "w.ckpt", "--input_size", 7, cwd=place, words="input_size is 7; expected 8 to 4096")


def test_bad_files_are_found_before_the_first_epoch(refused, image_folder, train_flags):
    (image_folder / "train/cat/zero.jpg").write_bytes(b"")
    refused("train.py", *train_flags, words="train/cat/zero.jpg: empty file")
    assert not (image_folder / "run").exists()


def test_the_check_lists_every_bad_file(refused, image_folder):
    for split in ("train", "val"):
        (image_folder / split / "cat/zero.jpg").write_bytes(b"")
    done = refused("check_dataset.py", "--data_path", image_folder, words="2 bad files, listed above")
    for split in ("train", "val"):
        assert f"{image_folder}/{split}/cat/zero.jpg: empty file" in done.stdout


@pytest.fixture
def half_images(image_folder):
    """The folder of images, where each split has an image that ends in its middle."""
    whole = (image_folder / "train/cat/0.jpg").read_bytes()
    for split in ("train", "val"):
        (image_folder / split / "cat/half.jpg").write_bytes(whole[:200])
    return image_folder


@pytest.mark.usefixtures("half_images")
def test_training_names_a_bad_file_that_was_not_checked(refused, train_flags):
    refused("train.py", *train_flags, "--check_data", "off", words="train/cat/half.jpg: ")


def test_a_damaged_header_is_named_where_only_ends_are_checked(refused, image_folder, train_flags):
    """MindData's decoder would end the process."""
    shutil.copy(GOLDEN / "images" / "broken-header.jpg", image_folder / "train/cat/broken.jpg")
    words = "1 bad file: " + str(image_folder / "train/cat/broken.jpg: damaged JPEG: its header cannot be read")
    flags = overruled(train_flags, "--batch_size", 13, "--check_data", "quick")
    refused("train.py", *flags, words=words)


def test_evaluation_names_a_bad_file_that_was_not_checked(refused, half_images, tmp_path):
    meta = {"model": SMALL.name, "architecture": to_dict(SMALL), "classes": ["cat", "dog"]}
    weights = {name: parameter.asnumpy() for name, parameter in weights_of(small(num_classes=2)).items()}
    save_ckpt(weights, tmp_path / "w.ckpt", meta)
    flags = ("--ckpt", tmp_path / "w.ckpt", "--data_path", half_images, "--check_data", "off")
    refused("eval.py", *flags, words="val/cat/half.jpg: ")


def test_classes_must_be_those_of_the_weights(refused, place, image_folder):
    refused("eval.py", "--ckpt", "w.ckpt", "--data_path", image_folder, cwd=place, words="has other classes than")


def test_fine_tuning_needs_to_be_asked_for(refused, place, train_flags):
    words = "4 classes, the network 2; to train with a new classifier"
    refused("train.py", *train_flags, "--ckpt", "w.ckpt", cwd=place, words=words)


def test_a_new_classifier_is_trained_and_scored(door, place, image_folder, train_flags):
    done = door("train.py", *train_flags, "--ckpt", "w.ckpt", "--replace_head", cwd=place)
    assert "classifier.weight, classifier.bias new" in done.stderr and "epoch 1/1" in done.stderr
    done = door("eval.py", "--ckpt", image_folder / "run/checkpoints/last.ckpt", "--data_path", image_folder)
    assert "6 images" in done.stdout


def test_divergence_ends_with_status_3(refused, train_flags):
    refused("train.py", *train_flags, "--lr", 1e30, "--log_interval", 1, status=3, words="nothing was saved yet")


def test_a_script_counts_its_arguments(workspace, tmp_path):
    script = workspace.folder / "scripts/run_eval.sh"
    workspace.fails("bash", script, "a", "b", "c", "d", cwd=tmp_path, words="got 4 arguments")


@pytest.mark.parametrize(
    "script, arguments",
    [("run_standalone_train.sh", [""]), ("run_eval.sh", ["", "w.ckpt", ""]), ("run_infer_310.sh", ["w.onnx", ""])],
)
def test_an_empty_data_path_is_refused_by_every_launcher(workspace, place, script, arguments):
    """It is a variable that is not set, and the digits are not what its user wants."""
    (place / "w.onnx").touch()
    words = "DATA_PATH is empty (is a variable not set?); name a folder, or write digits"
    workspace.fails("bash", workspace.folder / "scripts" / script, *arguments, cwd=place, words=words)


def test_a_script_returns_the_status_of_its_command(workspace, tmp_path):
    script = workspace.folder / "scripts/run_standalone_train.sh"
    workspace.fails("bash", script, "no where", cwd=tmp_path, words="data_path no where: there is")


def test_a_script_takes_paths_with_spaces_from_any_folder(workspace, place, image_folder, tmp_path):
    shutil.copy(place / "w.ckpt", tmp_path / "my weights.ckpt")
    image_folder.rename(tmp_path / "my images")
    for split in ("train", "val"):
        for name in CLASSES[2:]:
            shutil.copytree(tmp_path / "my images" / split / "cat", tmp_path / "my images" / split / name)
    script = workspace.folder / "scripts/run_eval.sh"
    done = workspace.run("bash", script, "my images", "my weights.ckpt", cwd=tmp_path)
    assert "12 images" in done.stdout


def test_no_fitting_python_is_one_line(workspace):
    words = "MindSpore has wheels for Python 3.10, 3.11 and 3.12"
    script = f'source "{workspace.folder}/scripts/common.sh"; unset PYTHON; python_fits() {{ false; }}; find_python'
    workspace.fails("bash", "-c", script, words=words)


def test_an_unsupported_python_is_refused_and_not_replaced(workspace):
    script = f'source "{workspace.folder}/scripts/common.sh"; PYTHON=/bin/false find_python'
    workspace.fails("bash", "-c", script, words="PYTHON is /bin/false; expected Python 3.10 to 3.12")
