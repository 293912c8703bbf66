"""Conversion of image folders: complete, in order, resumable, and refused where it would mix data sets."""

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
from src.images.record_files import CONTENTS


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


def test_re_encoding_takes_any_mode_of_image(tmp_path):
    for mode in ("L", "P", "RGBA", "1", "CMYK"):
        path = tmp_path / f"{mode}.{'tif' if mode == 'CMYK' else 'png'}"
        photograph(80, 60).convert(mode).save(path)
        with Image.open(BytesIO(encode(str(path), 32))) as stored:
            assert stored.mode == "RGB" and stored.size == (42, 32)


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


def test_damaged_and_missing_shards(image_folder, tmp_path):
    output = converted(image_folder, tmp_path / "out", shards=2)
    before = checksums(output)
    shard = output / "train" / "00001.mindrecord"
    with open(shard, "r+b") as file:
        file.seek(-20, os.SEEK_END)
        file.write(b"damage")
    assert open_split(output, "val").faults("full") == []
    (fault,) = open_split(output, "train").faults("full")
    assert fault.startswith(f"{shard}: damaged")
    assert open_split(output, "train").faults("quick") == []
    converted(image_folder, output, shards=2)
    assert checksums(output) == before and open_split(output, "train").faults("full") == []

    shard.write_bytes(shard.read_bytes()[:-5])
    with pytest.raises(UserError, match="00001.mindrecord or its index is damaged.*to write it again"):
        open_split(output, "train")
    shard.unlink()
    with pytest.raises(UserError, match="00001.mindrecord is missing"):
        open_split(output, "train")
    converted(image_folder, output, shards=2)
    (output / "train" / "00000.npz").write_bytes(b"")
    with pytest.raises(UserError, match="00000.mindrecord or its index is damaged"):
        open_split(output, "train")
    converted(image_folder, output, shards=2)
    assert checksums(output) == before


def test_another_conversion_is_refused(image_folder, tmp_path):
    output = converted(image_folder, tmp_path / "out")
    with pytest.raises(UserError, match="started with short_side 0, not 40"):
        converted(image_folder, output, short_side=40)
    with pytest.raises(UserError, match="another number of shards"):
        converted(image_folder, output, shards=2)
    photograph(40, 30).save(image_folder / "val" / "cat" / "new.jpg")
    with pytest.raises(UserError, match="out/val was started with other images"):
        converted(image_folder, output)


def test_unfit_inputs_and_outputs_are_refused(image_folder, tmp_path):
    with pytest.raises(UserError, match="output is missing"):
        converted(image_folder, None)
    with pytest.raises(UserError, match="is not a converted data set"):
        converted(image_folder, image_folder)
    with pytest.raises(UserError, match="is already converted"):
        converted(converted(image_folder, tmp_path / "out"), tmp_path / "again")
    (tmp_path / "out" / CONTENTS).write_text("{}")
    with pytest.raises(UserError, match="is damaged or does not describe a converted data set"):
        open_split(tmp_path / "out", "train")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="is not a converted data set"):
        converted(image_folder, tmp_path / "file")


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
