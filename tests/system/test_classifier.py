"""The C++ program on real files: Pillow's pixels, damaged images, odd names, mistakes, signals.

All of it runs under AddressSanitizer and UndefinedBehaviorSanitizer. test_edge.py has the program that users build.
"""

import csv
import json
import os
import signal
import struct
import subprocess
import time
import zlib

import numpy as np
import pytest
from support.identity_model import write_identity
from support.pictures import LAYOUT, LEFT_OUT, odd_files, refused_files, save_all_kinds, save_odd_layout
from support.project import photograph

from src.images.image_file import ImageError
from src.images.preprocess import Preprocess

SIZES = [
    (500, 375),
    (375, 500),
    (73, 73),
    (74, 73),
    (64, 64),
    (30, 300),
    (900, 20),
    (9, 9),
    (1, 1),
    (640, 481),
    (73, 500),
]
DAMAGED = 1000
GUARD = 1800  # seconds after which the program is taken to hang


@pytest.fixture(scope="module")
def classifier(sanitized_classifier):
    return sanitized_classifier


def classify(workspace, program, model, *arguments, **options):
    done = workspace.run(program, "--model_path", model, *arguments, **options)
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr
    return done


def read_bins(folder, files):
    return np.stack([np.fromfile(folder / f"{file.stem}_0.bin", np.float32) for file in files])


@pytest.mark.parametrize("input_type", ["float32", "uint8"])
def test_the_network_sees_the_pixels_of_eval(workspace, classifier, tmp_path, input_type):
    preprocess = Preprocess(64)
    write_identity(tmp_path / "identity.onnx", preprocess, input_type)
    save_all_kinds(tmp_path / "images", SIZES)
    flags = ("--dataset_path", tmp_path / "images", "--format", "bin", "--output", tmp_path / "out", "--batch_size", 7)
    classify(workspace, classifier, tmp_path / "identity.onnx", *flags)
    files = sorted((tmp_path / "images").iterdir())
    for file, seen in zip(files, read_bins(tmp_path / "out", files), strict=True):
        pixels = preprocess.pixels(file)
        expected = preprocess.normalize(pixels) if input_type == "float32" else pixels.astype(np.float32)
        assert np.array_equal(seen, expected.ravel()), file.name


def test_odd_and_damaged_files_are_read_or_refused_as_in_evaluation(workspace, classifier, tmp_path):
    preprocess = Preprocess(32)
    write_identity(tmp_path / "identity.onnx", preprocess, "uint8")
    odd, refused = (
        {name: value for name, value in files.items() if name.endswith(("jpg", "png"))}
        for files in (odd_files(), refused_files())
    )
    contents = {f"odd {name}": content for name, content in odd.items()}
    contents |= {f"refused {name}": content for name, (content, _) in refused.items()}
    folder, out = tmp_path / "images", tmp_path / "out"
    folder.mkdir()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    flags = ("--dataset_path", folder, "--format", "bin", "--output", out)
    done = classify(workspace, classifier, tmp_path / "identity.onnx", *flags)
    for name in odd:
        file = folder / f"odd {name}"
        written = [out / f"{file.stem}_0.bin", out / f"{file.name}_0.bin"]  # with the suffix if two share the stem
        (seen,) = [np.fromfile(path, np.float32) for path in written if path.exists()]
        np.testing.assert_array_equal(seen, preprocess.pixels(file).ravel(), name)
    assert sum(line.startswith(f"{folder}/refused ") for line in done.stderr.splitlines()) == len(refused)
    assert f"; {len(refused)} could not be read" in done.stderr


def test_an_odd_layout_is_listed_as_in_prediction(workspace, classifier, tmp_path):
    write_identity(tmp_path / "identity.onnx", Preprocess(32), "uint8")
    save_odd_layout(tmp_path / "images")
    flags = ("--format", "json", "--output", tmp_path / "out.json")
    done = classify(workspace, classifier, tmp_path / "identity.onnx", tmp_path / "images", *flags)
    images = [entry["image"] for entry in json.loads((tmp_path / "out.json").read_text("utf-8"))]
    assert images == [str(tmp_path / "images" / name) for name in LAYOUT]
    named = ", ".join(str(tmp_path / "images" / name) for name in LEFT_OUT)
    assert f"left out: {named}: not an image file (.jpeg .jpg .png .bmp .tif .tiff)" in done.stderr
    assert f"left out: {tmp_path}/images/a/linked/up: a link to a folder that holds it" in done.stderr


def test_a_folder_with_nothing_but_unreadable_images_is_a_failure(workspace, classifier, tmp_path):
    write_identity(tmp_path / "identity.onnx", Preprocess(32), "uint8")
    (tmp_path / "text.jpg").write_text("no image")
    words = "no image could be read; the lines above name them"
    workspace.fails(classifier, "--model_path", tmp_path / "identity.onnx", tmp_path, words=words)


def damage(content, rng):
    """One mutation: bits, bytes, a cut, a repetition, a gap; of half the PNG files the checksums are then put right."""
    data = bytearray(content)
    at = rng.integers(len(data), size=rng.integers(1, 9))
    kind = rng.integers(5)
    if kind == 0:
        for place in at:
            data[place] ^= 1 << rng.integers(8)
    elif kind == 1:
        for place in at:
            data[place] = rng.choice([0, 1, 0x7F, 0x80, 0xFE, 0xFF, rng.integers(256)])
    elif kind == 2:
        del data[at[0] :]
    elif kind == 3:
        data[at[0] : at[0]] = data[at[0] : at[0] + rng.integers(1, 200)]
    else:
        del data[at[0] : at[0] + rng.integers(1, 200)]
    return with_checksums(data) if content[:4] == b"\x89PNG" and rng.random() < 0.5 else bytes(data)


def with_checksums(data):
    """A PNG file whose chunks, as far as they can be followed, have fitting checksums: damage reaches the decoder."""
    place = 8
    while place + 12 <= len(data):
        end = place + 8 + struct.unpack(">I", data[place : place + 4])[0]
        if end + 4 > len(data):
            break
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[place + 4 : end]))
        place = end + 4
    return bytes(data)


def test_damaged_files_cost_only_themselves(workspace, classifier, tmp_path):
    rng = np.random.default_rng(5)
    save_all_kinds(tmp_path / "seeds", [(97, 64)])
    seeds = [file.read_bytes() for file in sorted((tmp_path / "seeds").iterdir())]
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(DAMAGED):
        (folder / f"{number:04d}.jpg").write_bytes(damage(seeds[number % len(seeds)], rng))
    preprocess = Preprocess(32)
    write_identity(tmp_path / "identity.onnx", preprocess, "uint8")
    out = tmp_path / "out"
    flags = ("--dataset_path", folder, "--format", "bin", "--output", out, "--batch_size", 16)
    done = classify(workspace, classifier, tmp_path / "identity.onnx", *flags)
    faults = {line.split(":")[0] for line in done.stderr.splitlines() if line.startswith(str(folder))}
    good = [file for file in sorted(folder.iterdir()) if str(file) not in faults]
    assert f"{DAMAGED} images in" in done.stderr and f"; {len(faults)} could not be read" in done.stderr
    assert {path.name for path in out.iterdir()} == {f"{file.stem}_0.bin" for file in good}
    assert 0.2 * DAMAGED < len(good) < 0.8 * DAMAGED
    seen = dict(zip(good, read_bins(out, good), strict=True))
    same = sum(same_answer(preprocess, file, seen.get(file)) for file in folder.iterdir())
    print(f"\n{DAMAGED} damaged files, {len(good)} of them read; Python has the same answer for {same}")
    assert same > 0.99 * DAMAGED


def same_answer(preprocess, file, seen):
    """Whether Python sees the same pixels of a file, or refuses it as the program did (`seen` is None)."""
    try:
        pixels = preprocess.pixels(file)
    except ImageError:
        return seen is None
    return seen is not None and np.array_equal(seen, pixels.ravel())


NAMES = [
    *("with space.jpg", 'comma, "quote".JPG', "großer Vogel.jpeg", "new\nline.png", "-dash.png", "two.dots.jpg"),
    *("same.jpg", "same.png", b"not utf-8 \xff.jpg"),
]


def test_odd_names(workspace, classifier, tmp_path):
    preprocess = Preprocess(32)
    write_identity(tmp_path / "identity.onnx", preprocess, "uint8")
    folder = tmp_path / "images" / "sub folder"
    folder.mkdir(parents=True)
    for number, name in enumerate(NAMES):
        path = folder / os.fsdecode(name)
        photograph(60, 50, seed=number).save(path, "PNG" if path.suffix == ".png" else "JPEG")
    (folder / ".hidden.jpg").write_bytes(b"no image")
    (folder / "notes.txt").write_text("no image")
    files = sorted(folder / os.fsdecode(name) for name in NAMES)
    expected = [int(preprocess.pixels(file).argmax()) for file in files]

    def run(kind):
        flags = ("--dataset_path", tmp_path / "images", "--format", kind, "--output", tmp_path / kind, "--top_k", 1)
        classify(workspace, classifier, tmp_path / "identity.onnx", *flags)
        return tmp_path / kind

    found = json.loads(run("json").read_text("utf-8"))
    assert [entry["top"][0]["index"] for entry in found] == expected
    assert [entry["image"] for entry in found] == [os.fsencode(file).decode("utf-8", "replace") for file in files]
    with open(run("csv"), newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [str(file) for file in files]
    assert [int(row["index"]) for row in rows] == expected
    names = {os.fsdecode(name) for name in NAMES}
    written = {path.name for path in (run("bin") / "sub folder").iterdir()}
    assert written == {f"{name if 'same' in name else name.rsplit('.', 1)[0]}_0.bin" for name in names}


def test_what_goes_wrong_is_one_line(workspace, classifier, tmp_path):
    model = tmp_path / "identity.onnx"
    write_identity(model, Preprocess(32), "float32", batch=4)
    photograph(60, 50).save(tmp_path / "a.jpg")
    (tmp_path / "text.onnx").write_text("no model")
    (tmp_path / "text.json").write_text((tmp_path / "identity.json").read_text())
    (tmp_path / "other.json").write_text((tmp_path / "identity.json").read_text().replace("3072", "3073"))
    (tmp_path / "taken").write_text("what was there")

    def fails(words, *flags, of=model):
        workspace.fails(classifier, "--model_path", of, tmp_path / "a.jpg", *flags, words=words)

    fails("there is no model", "--description", tmp_path / "identity.json", of=tmp_path / "no.onnx")
    (tmp_path / "alone.onnx").write_bytes(model.read_bytes())
    fails(f"cannot read the description {tmp_path}/alone.json: No such file", of=tmp_path / "alone.onnx")
    fails("ONNX Runtime: ", of=tmp_path / "text.onnx")
    fails("has 3072 classes", "--description", tmp_path / "other.json")
    fails("takes 4 images at once", "--batch_size", 8)
    fails("taken exists already", "--output", tmp_path / "taken")
    fails("cannot write", "--output", tmp_path / "no folder" / "x")
    fails("there is no image or folder", tmp_path / "missing.jpg")
    fails("names 1 classes", "--labels", tmp_path / "taken")
    fails("ONNX Runtime cannot be opened", "--ort_lib", tmp_path / "a.jpg")
    assert (tmp_path / "taken").read_text() == "what was there"
    done = classify(workspace, classifier, model, tmp_path / "a.jpg")  # one image, filled up to the batch of 4
    assert done.stdout.startswith(f"{tmp_path}/a.jpg: ") and "batch 4" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full to write to")
def test_a_full_disk_is_one_line(workspace, classifier, tmp_path):
    write_identity(tmp_path / "identity.onnx", Preprocess(32), "float32")
    photograph(60, 50).save(tmp_path / "a.jpg")
    command = f"'{classifier}' --model_path '{tmp_path}/identity.onnx' '{tmp_path}/a.jpg' >/dev/full"
    workspace.fails("bash", "-c", command, words="No space left on device")


def test_an_interrupted_run_leaves_nothing_behind(workspace, classifier, tmp_path):
    write_identity(tmp_path / "identity.onnx", Preprocess(32), "float32")
    folder, output = tmp_path / "images", tmp_path / "out" / "results.json"
    for path in (folder, output.parent):
        path.mkdir()
    photograph(500, 375).save(folder / "0.jpg")
    for number in range(1, 20_000):
        os.link(folder / "0.jpg", folder / f"{number}.jpg")
    command = [classifier, "--model_path", tmp_path / "identity.onnx", folder, "--format", "json", "--output", output]
    with workspace.start(*command, stderr=subprocess.PIPE) as process:
        while not any(path.stat().st_size for path in output.parent.iterdir()):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=GUARD) == 130
        assert process.stderr.read() == "interrupted\n"
    assert not list(output.parent.iterdir())


def test_a_reader_that_has_seen_enough_is_no_failure(workspace, classifier, tmp_path):
    write_identity(tmp_path / "identity.onnx", Preprocess(32), "float32")
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(300):
        photograph(60, 50, seed=number % 3).save(folder / f"{number}.jpg")
    command = f"set -o pipefail; '{classifier}' --model_path '{tmp_path}/identity.onnx' '{folder}' | head -n 1"
    assert workspace.run("bash", "-c", command).stdout.count("\n") == 1
