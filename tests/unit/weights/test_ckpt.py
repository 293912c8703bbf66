"""Checkpoint files: every damage is noticed, and MindSpore reads them too."""

import random
import resource
import subprocess
import sys
from itertools import accumulate

import mindspore as ms
import numpy as np
import pytest
from mindspore.train.checkpoint_pb2 import Checkpoint
from support.project import PROJECT

from src.errors import UserError
from src.weights.ckpt import DIGEST_SIZE, read_ckpt, save_ckpt

TYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")
SHAPES = ((), (1,), (7,), (3, 5), (2, 3, 4, 5))
META = {"model": "tinynet_c", "rows": [{"epoch": 1, "lr": 0.1}], "classes": ["ä", "b c"], "best": None}


def tensors_of(seed=0):
    """Return 45 tensors of nine types. No name has a prefix of the training state."""
    rng = np.random.RandomState(seed)
    return {
        f"blocks.{index}.{kind}": np.asarray(100 * rng.randn(*shape)).astype(kind)
        for index, shape in enumerate(SHAPES)
        for kind in TYPES
    }


def assert_equal(found, expected):
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype and found[name].shape == value.shape, name
        assert found[name].tobytes() == value.tobytes(), name


def record_ends(content):
    """Return where the records of a checkpoint end. The digest after the last one is not a record."""
    sizes = []
    for record in Checkpoint.FromString(content).value:
        one = Checkpoint()
        one.value.append(record)
        sizes.append(one.ByteSize())
    return list(accumulate(sizes))


def assert_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(UserError) as raised:
        read_ckpt(path)
    assert str(path) in str(raised.value) and "\n" not in str(raised.value)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the bytes of a checkpoint with meta, manifest and digest."""
    path = tmp_path_factory.mktemp("whole") / "a.ckpt"
    save_ckpt(tensors_of(), path, META)
    return path.read_bytes()


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """Return the bytes of a checkpoint that MindSpore has written."""
    path = tmp_path_factory.mktemp("foreign") / "b.ckpt"
    ms.save_checkpoint([{"name": name, "data": ms.Tensor(value)} for name, value in tensors_of().items()], str(path))
    return path.read_bytes()


def test_tensors_and_meta_are_read_as_they_were_written(tmp_path, whole):
    path = tmp_path / "a.ckpt"
    path.write_bytes(whole)
    found, meta = read_ckpt(path)
    assert_equal(found, tensors_of())
    assert meta == META


def test_mindspore_reads_the_tensors(tmp_path, whole):
    path = tmp_path / "a.ckpt"
    path.write_bytes(whole)
    theirs = ms.load_checkpoint(str(path))
    assert_equal({name: theirs[name].asnumpy() for name in tensors_of()}, tensors_of())


def test_every_changed_bit_is_noticed(tmp_path, whole):
    first, *_ = record_ends(whole)
    header = whole.index(b'{"meta"')  # by its name and type, the first record is known: every bit of them counts
    rng = random.Random(5)
    end = 8 * len(whole)
    bits = [*range(8 * header), *rng.sample(range(end), 300), *range(end - 8 * DIGEST_SIZE, end)]
    assert 0 < header < first and len(bits) > 700
    for bit in bits:
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        assert_refused(tmp_path / "a.ckpt", bytes(content))


def test_every_cut_is_noticed(tmp_path, whole):
    ends = record_ends(whole)
    assert len(ends) == 46 and ends[-1] == len(whole) - DIGEST_SIZE
    for size in [*range(0, len(whole), 64), *ends, *(len(whole) - cut for cut in range(1, DIGEST_SIZE + 2))]:
        assert_refused(tmp_path / "a.ckpt", whole[:size])


@pytest.mark.parametrize("more", [b"\0", b"\n", b"more", bytes(64)])
def test_appended_bytes_are_noticed(tmp_path, whole, more):
    assert_refused(tmp_path / "a.ckpt", whole + more)


def test_appended_records_and_swapped_ends_are_noticed(tmp_path, whole, foreign):
    assert_refused(tmp_path / "a.ckpt", whole + foreign)
    assert_refused(tmp_path / "a.ckpt", whole + whole)
    assert_refused(tmp_path / "a.ckpt", whole[: record_ends(whole)[0]] + whole[-DIGEST_SIZE:])


@pytest.mark.parametrize("content", [b"", b"no checkpoint\n", b"weights: 1\n" * 500, bytes(4096), b"\xff" * 999])
def test_other_files_are_refused(tmp_path, content):
    assert_refused(tmp_path / "a.ckpt", content)


@pytest.mark.parametrize("field", [b"conv.weight", b"Float32"])
def test_a_name_that_is_not_utf8_is_noticed(tmp_path, field):
    tensor = {"tensor_type": "Float32", "tensor_content": b"1234"}
    content = Checkpoint(value=[{"tag": "conv.weight", "tensor": tensor}]).SerializeToString()
    (tmp_path / "a.ckpt").write_bytes(content.replace(field, b"\xff" * len(field)))
    with pytest.raises(UserError, match="a.ckpt is damaged"):
        read_ckpt(tmp_path / "a.ckpt")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "nowhere.ckpt", tmp_path):
        with pytest.raises(UserError, match=f"cannot read {path}"):
            read_ckpt(path)


def test_a_file_that_mindspore_has_written_is_read_without_meta(tmp_path, foreign):
    (tmp_path / "b.ckpt").write_bytes(foreign)
    found, meta = read_ckpt(tmp_path / "b.ckpt")
    assert_equal(found, tensors_of())
    assert meta == {}


def test_a_file_that_mindspore_has_written_is_refused_when_it_ends_within_a_tensor(tmp_path, foreign):
    cuts = set(range(0, len(foreign), 64)) - set(record_ends(foreign))  # between two tensors nothing is amiss
    assert len(cuts) > 40
    for size in cuts:
        assert_refused(tmp_path / "b.ckpt", foreign[:size])


def test_no_changed_bit_of_a_foreign_file_ends_the_process(tmp_path, foreign):
    """Values have no digest there, so a changed value is read. Names and sizes are checked."""
    rng = random.Random(6)
    refused = 0
    for bit in rng.sample(range(8 * len(foreign)), 400):
        content = bytearray(foreign)
        content[bit // 8] ^= 1 << bit % 8
        (tmp_path / "b.ckpt").write_bytes(content)
        try:
            _, meta = read_ckpt(tmp_path / "b.ckpt")
            assert meta == {}
        except UserError as error:
            assert str(tmp_path / "b.ckpt") in str(error)
            refused += 1
    assert refused > 0


def test_the_file_replaced_is_kept_as_previous(tmp_path):
    last, previous = tmp_path / "last.ckpt", tmp_path / "previous-last.ckpt"
    for generation in range(3):
        save_ckpt(tensors_of(generation), last, {"step": generation}, previous)
        assert read_ckpt(last)[1] == {"step": generation}
        assert not generation or read_ckpt(previous)[1] == {"step": generation - 1}
    assert_equal(read_ckpt(previous)[0], tensors_of(1))
    assert sorted(tmp_path.iterdir()) == [last, previous]


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from src.weights.ckpt import save_ckpt
from src.errors import UserError
path, previous = map(Path, sys.argv[1:3])
for limit in map(int, sys.argv[3:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        save_ckpt({"w": np.ones(20_000, np.float32)}, path, {"step": 2}, previous)
        print("written")
    except UserError as error:
        print(error)
"""


def test_a_full_disk_costs_nothing_that_was_there(tmp_path):
    last, previous = tmp_path / "run/last.ckpt", tmp_path / "run/previous-last.ckpt"
    for step in (0, 1):
        save_ckpt({"w": np.ones(20_000, np.float32)}, last, {"step": step}, previous)
    before = {path: path.read_bytes() for path in (last, previous)}
    size = len(before[last])
    limits = [0, 1, 64, 4096, size // 2, size - DIGEST_SIZE - 1, size - DIGEST_SIZE, size - 1]
    command = [sys.executable, "-c", FULL_DISK, last, previous, *limits]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    done = subprocess.run([str(word) for word in command], cwd=PROJECT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(limits), done.stdout + done.stderr
    assert all(
        line.startswith(f"cannot write {last}: ") and len(line) > len(f"cannot write {last}: ") for line in lines
    )
    assert {path: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
    done = subprocess.run([str(word) for word in [*command[:5], size]], cwd=PROJECT, capture_output=True, text=True)
    assert done.stdout == "written\n" and read_ckpt(last)[1] == {"step": 2}


SAVING = """
import sys
from pathlib import Path
import numpy as np
from src.weights.ckpt import save_ckpt
path, previous = map(Path, sys.argv[1:])
step = 1
while True:
    save_ckpt({"w": np.full(5_000, step, np.int32)}, path, {"step": step}, previous)
    step += 1
"""


def test_a_reader_always_finds_a_complete_file_while_another_process_saves(tmp_path):
    last, previous = tmp_path / "last.ckpt", tmp_path / "previous-last.ckpt"
    for step in (-1, 0):
        save_ckpt({"w": np.full(5_000, step, np.int32)}, last, {"step": step}, previous)
    reads, seen = 0, [0]
    with subprocess.Popen([sys.executable, "-c", SAVING, str(last), str(previous)], cwd=PROJECT) as writer:
        try:
            while reads < 400 or len(set(seen)) < 40:
                assert writer.poll() is None
                for path in (last, previous):
                    tensors, meta = read_ckpt(path)
                    assert (tensors["w"] == meta["step"]).all()
                    seen += [meta["step"]] * (path == last)
                reads += 1
        finally:
            writer.kill()
    assert seen == sorted(seen)
