"""Conversion of image folders: complete, in order, resumable, and refused where it would mix data sets."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from io import BytesIO

import numpy as np
import pytest
from mindspore.mindrecord import FileReader
from PIL import Image
from support.project import PROJECT, photograph

from src.config import ConvertConfig
from src.errors import UserError
from src.images import convert as module
from src.images.convert import convert, encode
from src.images.data_path import open_split
from src.images.image_file import read_image
from src.images.preprocess import resize_short_side
from src.images.record_files import CONTENTS, read_contents


def converted(source, output, **options):
    convert(ConvertConfig(data_path=str(source), output=output, workers=1, **options))
    return output


def checksums(output):
    splits = json.loads((output / CONTENTS).read_text())["splits"]
    return {f"{split}/{name}": entry for split in splits for name, entry in splits[split]["shards"].items()}


@pytest.mark.parametrize("shards", [0, 1, 3, 50])
def test_all_images_are_there_in_order(image_folder, tmp_path, shards):
    odd = image_folder / "train" / "cat" / "ö 'x' $y.png"
    photograph(40, 30).save(odd)
    photograph(30, 40).save(os.fsencode(odd.with_name("n")) + b"\xff.jpg", "JPEG")
    output = converted(image_folder, tmp_path / "a new folder", shards=shards)
    for split, count in {"train": 14, "val": 6}.items():
        here, there = open_split(image_folder, split), open_split(output, split)
        assert len(there) == len(here) == count and there.classes == here.classes
        assert len(there.checksums) == min(shards or 1, count)
        np.testing.assert_array_equal(there.labels, here.labels)
        for index in range(count):
            assert there.read(index).tobytes() == here.read(index).tobytes()
            assert str(there.files[index]).endswith(os.path.relpath(here.files[index], here.root))


def test_shards_are_mindrecord_files(image_folder, tmp_path):
    folder = open_split(image_folder, "train")
    output = converted(image_folder, tmp_path / "out put", shards=2)
    rows = []
    for shard in open_split(output, "train").checksums:
        reader = FileReader(shard)
        rows += list(reader.get_next())
        reader.close()
    assert [row["label"] for row in rows] == folder.labels.tolist()
    assert [os.path.join(folder.root, row["name"]) for row in rows] == list(folder.files)
    assert [bytes(row["image"]) for row in rows] == [folder.read(index).tobytes() for index in range(len(folder))]


def test_images_that_hardly_differ_are_told_apart(image_folder, tmp_path):
    original = (image_folder / "train/cat/0.jpg").read_bytes()
    for index in range(3):  # each starts with the whole one before
        (image_folder / f"train/cat/{index}.jpg").write_bytes(original * (index + 1))
    (image_folder / "train/cat/3.jpg").write_bytes(original)
    folder = open_split(image_folder, "train")
    records = open_split(converted(image_folder, tmp_path / "out", check_data="off"), "train")
    assert all(records.read(i).tobytes() == folder.read(i).tobytes() for i in range(len(folder)))


def test_short_side_shrinks_only_what_is_larger(image_folder, tmp_path):
    output = converted(image_folder, tmp_path / "out", short_side=52)
    here, there = open_split(image_folder, "train"), open_split(output, "train")
    for index, path in enumerate(here.files):
        with Image.open(path) as image, Image.open(BytesIO(there.read(index).tobytes())) as stored:
            if min(image.size) <= 52:
                assert there.read(index).tobytes() == here.read(index).tobytes()
            else:
                expected = resize_short_side(image, 52)
                assert stored.size == expected.size and min(stored.size) == 52
                assert np.abs(np.asarray(stored, int) - np.asarray(expected, int)).mean() < 12


@pytest.mark.parametrize("mode, suffix", [("L", "png"), ("P", "png"), ("RGBA", "png"), ("1", "png"), ("CMYK", "tif")])
def test_smaller_images_are_stored_in_rgb(tmp_path, mode, suffix):
    path = tmp_path / f"image.{suffix}"
    photograph(80, 60).convert(mode).save(path)
    with Image.open(BytesIO(encode(str(path), 32))) as stored:
        assert stored.mode == "RGB"
        assert stored.size == (42, 32)


@pytest.mark.parametrize("writes", [1, 4, 7])
def test_an_interrupted_conversion_is_resumed(image_folder, tmp_path, monkeypatch, writes):
    whole = converted(image_folder, tmp_path / "whole", shards=3)
    replace, done = module.Path.replace, []

    def fails(path, target):
        done.append(path)
        if len(done) == 3 * writes:
            raise KeyboardInterrupt
        return replace(path, target)

    output = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(module.Path, "replace", fails)
        with pytest.raises(KeyboardInterrupt):
            converted(image_folder, output, shards=3)
    finished = {name: os.stat(output / f"{name}.mindrecord").st_mtime_ns for name in checksums(output)}
    assert len(finished) < 6
    with pytest.raises(UserError, match=r"val has \d of 3 shards, because its conversion was interrupted"):
        open_split(output, "val")
    converted(image_folder, output, shards=3)
    assert checksums(output) == checksums(whole)
    assert {name: os.stat(output / f"{name}.mindrecord").st_mtime_ns for name in finished} == finished
    assert sorted(p.relative_to(output) for p in output.rglob("*")) == sorted(
        p.relative_to(whole) for p in whole.rglob("*")
    )


def test_a_killed_conversion_is_resumed(image_folder, tmp_path):
    output = tmp_path / "out"
    command = [sys.executable, "convert_dataset.py", "--data_path", image_folder, "--output", output, "--shards", "12"]
    process = subprocess.Popen(list(map(str, command)), cwd=PROJECT, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (output / "train" / "00003.npz").exists():
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    converted(image_folder, output, shards=12)
    assert checksums(output) == checksums(converted(image_folder, tmp_path / "whole", shards=12))


@pytest.fixture
def two_shards(image_folder, tmp_path):
    return converted(image_folder, tmp_path / "out", shards=2)


def change_values(shard):
    """Change bytes of a shard, but not its size."""
    with open(shard, "r+b") as file:
        file.seek(-20, os.SEEK_END)
        file.write(b"damage")


def test_the_full_check_names_a_damaged_shard(two_shards):
    shard = two_shards / "train" / "00001.mindrecord"
    change_values(shard)
    (fault,) = open_split(two_shards, "train").faults("full")
    assert fault.startswith(f"{shard}: damaged")


def test_the_quick_check_reads_no_shards(two_shards):
    change_values(two_shards / "train" / "00001.mindrecord")
    assert open_split(two_shards, "train").faults("quick") == []


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("00001.mindrecord", b"cut", "00001.mindrecord or its index is damaged.*to write it again"),
        ("00000.npz", b"", "00000.mindrecord or its index is damaged"),
        ("00001.mindrecord", None, "00001.mindrecord is missing"),
        ("00000.npz", None, "00000.npz is missing"),
    ],
)
def test_damaged_and_missing_files_are_named_when_the_set_is_opened(two_shards, name, content, words):
    path = two_shards / "train" / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=words):
        open_split(two_shards, "train")


def test_another_conversion_writes_damaged_and_missing_shards_again(image_folder, two_shards):
    before = checksums(two_shards)
    change_values(two_shards / "train" / "00001.mindrecord")
    (two_shards / "train" / "00000.npz").write_bytes(b"")
    (two_shards / "val" / "00000.mindrecord").unlink()
    converted(image_folder, two_shards, shards=2)
    assert checksums(two_shards) == before
    assert open_split(two_shards, "train").faults("full") == open_split(two_shards, "val").faults("full") == []


@pytest.mark.parametrize(
    "options, words",
    [({"short_side": 40}, "started with short_side 0, not 40"), ({"shards": 3}, "another number of shards")],
)
def test_other_options_are_refused(image_folder, two_shards, options, words):
    with pytest.raises(UserError, match=words):
        converted(image_folder, two_shards, **{"shards": 2} | options)


def test_other_images_are_refused(image_folder, two_shards):
    photograph(40, 30).save(image_folder / "val" / "cat" / "new.jpg")
    with pytest.raises(UserError, match="out/val was started with other images"):
        converted(image_folder, two_shards, shards=2)


def test_a_missing_output_is_named(image_folder):
    with pytest.raises(UserError, match="output is missing"):
        converted(image_folder, None)


def test_a_folder_of_other_files_is_refused_as_output(image_folder):
    with pytest.raises(UserError, match="exists and is not a converted data set"):
        converted(image_folder, image_folder)


def test_a_file_is_refused_as_output(image_folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="exists and is not a converted data set"):
        converted(image_folder, tmp_path / "file")


def test_a_converted_set_is_not_converted_again(two_shards, tmp_path):
    with pytest.raises(UserError, match="is already converted"):
        converted(two_shards, tmp_path / "again")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(UserError, match="nowhere: there is no such folder; expected DIR/train/CLASS"):
        converted(tmp_path / "nowhere", tmp_path / "out")


def test_a_damaged_dataset_json_is_named(two_shards):
    (two_shards / CONTENTS).write_text("{}")
    with pytest.raises(UserError, match="is damaged or does not describe a converted data set"):
        open_split(two_shards, "train")


def test_bad_images_are_named_before_anything_is_written(image_folder, tmp_path):
    (image_folder / "train" / "dog" / "0.jpg").write_bytes(b"no image")
    with pytest.raises(UserError, match="1 bad file: .*dog/0.jpg"):
        converted(image_folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_bad_image_that_was_not_looked_for_is_named(image_folder, tmp_path):
    (image_folder / "train" / "dog" / "0.jpg").write_bytes(b"no image")
    with pytest.raises(UserError, match="dog/0.jpg: not an image; remove or replace"):
        converted(image_folder, tmp_path / "out", check_data="off", short_side=40)


def test_a_shard_cut_short_after_opening(image_folder, tmp_path):
    records = open_split(converted(image_folder, tmp_path / "out"), "val")
    os.truncate(records.files[0].container, 100)
    with pytest.raises(OSError, match="ends before its image"):
        read_image(records.files[5])


def test_a_data_set_of_somebody_else_is_not_called_damaged(tmp_path, monkeypatch):
    def locked(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("src.images.record_files.read_text", locked)
    with pytest.raises(UserError, match=f"^cannot read {tmp_path}/dataset.json: Permission denied$"):
        read_contents(tmp_path)
