"""search.py imagenet100 links a random part of a data set, and copies nothing."""

import re
from pathlib import Path

import pytest

from src.config.imagenet100 import Imagenet100Config
from src.errors import UserError
from src.images.folder import ImageFolder
from src.search.imagenet100 import make_imagenet100


@pytest.fixture
def imagenet(tmp_path):
    """A folder with 6 classes of 5 training and 2 validation images; two of a class have the same name."""
    names = {"train": ("1", "2", "3", "4", "more/1"), "val": ("1", "more/1")}
    for split, files in names.items():
        for name in "abcdef":
            folder = tmp_path / "imagenet" / split / name
            (folder / "more").mkdir(parents=True)
            for file in files:
                (folder / f"{file}.JPEG").write_text(f"{name}/{file}")
    return tmp_path / "imagenet"


def make(imagenet, output, **options):
    make_imagenet100(Imagenet100Config(data_path=imagenet, output=output, **{"classes": 3, "images": 4} | options))
    return {split: ImageFolder.scan(output / split) for split in ("train", "val")}


def test_it_has_so_many_classes_with_so_many_training_images_and_all_validation_images(imagenet, tmp_path, capsys):
    made = make(imagenet, tmp_path / "out")
    assert [len(images) for images in made.values()] == [12, 6]
    assert made["train"].classes == made["val"].classes and len(made["val"].classes) == 3
    assert (made["train"].labels == [0] * 4 + [1] * 4 + [2] * 4).all()
    assert "12 + 6 images in 3 classes; train with --data_path" in capsys.readouterr().out


def test_its_images_are_links_to_those_of_the_same_class(imagenet, tmp_path):
    made = make(imagenet, tmp_path / "out")
    for images in made.values():
        for file in map(Path, images.files):
            assert file.readlink() == imagenet / file.relative_to(tmp_path / "out")
        assert len({Path(file).read_text() for file in images.files}) == len(images)


def test_a_relative_path_gives_links_that_work_from_everywhere(imagenet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = make(Path("imagenet"), Path("out"))
    monkeypatch.chdir("/")
    assert all((tmp_path / file).read_text() for file in made["train"].files)


def test_the_seed_decides_classes_and_images(imagenet, tmp_path):
    one, same, other = (make(imagenet, tmp_path / f"{k}", seed=seed)["train"] for k, seed in enumerate((1, 1, 2)))
    names = [[str(Path(file).readlink()) for file in images.files] for images in (one, same, other)]
    assert names[0] == names[1] != names[2]


def test_its_class_list_makes_the_same_classes_again(imagenet, tmp_path):
    first = make(imagenet, tmp_path / "first")["train"]
    again = make(imagenet, tmp_path / "again", seed=5, class_list=tmp_path / "first" / "classes.txt")["train"]
    assert (tmp_path / "first" / "classes.txt").read_text().split() == list(first.classes) == list(again.classes)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"images": 6}, "class . of .*train has 5 images, but images is 6; lower --images"),
        ({"classes": 7}, "classes is 7, but .*train has 6; lower --classes"),
        ({"data_path": None}, "data_path is missing: name ImageNet with --data_path DIR"),
        ({"output": None}, "output is missing: name a new folder"),
        ({"data_path": Path("no-imagenet")}, "there is no folder no-imagenet/train"),
        ({"class_list": Path("no.txt")}, "cannot read class_list no.txt: No such file"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_written(options, words, imagenet, tmp_path):
    values = {"data_path": imagenet, "output": tmp_path / "out", "classes": 3, "images": 4} | options
    with pytest.raises(UserError, match=words):
        make_imagenet100(Imagenet100Config(**values))
    assert [path.name for path in tmp_path.iterdir()] == ["imagenet"]


@pytest.mark.parametrize("text, words", [("a\nzz\n", "train has no class zz"), ("\n", "names no class")])
def test_a_list_of_other_classes_is_refused(text, words, imagenet, tmp_path):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(UserError, match=words):
        make(imagenet, tmp_path / "out", class_list=tmp_path / "list.txt")


def test_files_of_the_user_are_kept(imagenet, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("")
    with pytest.raises(UserError, match=re.escape(f"output {tmp_path}/out exists and is not an empty folder")):
        make(imagenet, tmp_path / "out")


def test_an_empty_folder_is_filled(imagenet, tmp_path):
    (tmp_path / "out").mkdir()
    assert len(make(imagenet, tmp_path / "out")["train"]) == 12
