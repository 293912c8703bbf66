"""The structure of JPEG files: usual ones are recognized, and whatever passes does not harm MindData's decoder."""

import contextlib
import os
from io import BytesIO

import numpy as np
import pytest
from mindspore.dataset import vision
from PIL import Image
from support.pictures import JPEG_KINDS, encoded
from support.project import GOLDEN, photograph

from src.images.jpeg import frame_kind, plain_frame

KINDS = [*JPEG_KINDS, {"restart_marker_blocks": 2}, {"progressive": True, "restart_marker_rows": 1}]


def jpeg(mode="RGB", **options):
    return encoded(photograph(60, 50, seed=3).convert(mode), "JPEG", **options)


@pytest.mark.parametrize("options", KINDS, ids=str)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_usual_files_are_plain(mode, options):
    frame = plain_frame(jpeg(mode, **options))
    assert (frame.width, frame.height, frame.progressive) == (60, 50, options.get("progressive", False))
    assert len(frame.components) == {"RGB": 3, "L": 1}[mode]


def test_what_follows_the_end_does_not_matter():
    assert plain_frame(jpeg() + b"appended") == plain_frame(jpeg())
    assert plain_frame(jpeg(progressive=True) + b"appended") == plain_frame(jpeg(progressive=True))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_file_without_its_end_is_not_plain(progressive):
    content = jpeg(progressive=progressive)
    for length in range(len(content)):
        assert plain_frame(content[:length]) is None


@pytest.mark.parametrize(
    "content",
    [
        jpeg("CMYK"),
        encoded(photograph(60, 50), "PNG"),
        (GOLDEN / "images" / "lossless.jpg").read_bytes(),
        (GOLDEN / "images" / "broken-header.jpg").read_bytes(),
        b"",
    ],
    ids=["four components", "PNG", "lossless", "broken header", "empty"],
)
def test_other_files_are_not_plain(content):
    assert plain_frame(content) is None


def changed(marker, place, value, content=None):
    """A JPEG with another byte at a place in the content of its first segment of a kind."""
    content = bytearray(content or jpeg())
    content[content.index(bytes([0xFF, marker])) + 4 + place] = value
    return bytes(content)


DQT, DHT, SOF, SOS = 0xDB, 0xC4, 0xC0, 0xDA
FAULTS = {
    "another quantization table than is used": changed(DQT, 0, 3),
    "quantization of 32 bits": changed(DQT, 0, 0x20),
    "no Huffman table 7": changed(DHT, 0, 7),
    "three codes of one bit": changed(DHT, 1, 3),
    "more values than the segment has": changed(DHT, 16, 200),
    "a difference of 16 bits": changed(DHT, 17, 16),
    "12 bits": changed(SOF, 0, 12),
    "no rows": changed(SOF, 1, 0, changed(SOF, 2, 0)),
    "65,535 columns": changed(SOF, 3, 255, changed(SOF, 4, 255)),
    "two components": changed(SOF, 5, 2),
    "no sampling": changed(SOF, 7, 0),
    "a fraction as sampling": changed(SOF, 7, 0x32),
    "the same component twice": changed(SOF, 6, 2),
    "quantization table 9": changed(SOF, 8, 9),
    "a scan of no component": changed(SOS, 0, 0),
    "a scan of an unknown component": changed(SOS, 1, 77),
    "a scan with an undefined table": changed(SOS, 2, 0x30),
    "a scan of some coefficients": changed(SOS, 8, 5),
    "a marker that has no meaning": jpeg().replace(b"\xff\xe0", b"\xff\x02", 1),
    "bytes between segments": jpeg().replace(b"\xff\xdb", b"?\xff\xdb", 1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_the_structure_is_seen(name):
    assert plain_frame(FAULTS[name]) is None


PROGRESSIVE_FAULTS = {
    "direct and other coefficients in one scan": changed(SOS, 8, 63, jpeg(progressive=True)),
    "a shift of 14 bits": changed(SOS, 9, 14, jpeg(progressive=True)),
    "a refinement by two bits": changed(SOS, 9, 0x31, jpeg(progressive=True)),
}


@pytest.mark.parametrize("name", PROGRESSIVE_FAULTS)
def test_a_fault_in_a_progressive_scan_is_seen(name):
    assert plain_frame(PROGRESSIVE_FAULTS[name]) is None


def test_a_fault_between_progressive_scans_is_seen():
    content = jpeg(progressive=True)
    last = content.rindex(b"\xff\xc4")
    assert plain_frame(content[: last + 4] + b"\x77" + content[last + 5 :]) is None


def damaged(content, rng):
    """One to five changed bytes, most of them in the header, or some bytes lost."""
    data = bytearray(content)
    end = content.index(b"\xff\xda") + 14 if rng.random() < 0.6 else len(data)
    for place in rng.integers(2, end, rng.integers(1, 6)):
        data[place] = rng.integers(256)
    if rng.random() < 0.2:
        del data[place : place + rng.integers(1, 30)]
    return bytes(data)


def damaged_files(count):
    """The same files for every count."""
    rng = np.random.default_rng(0)
    seeds = [jpeg(mode, **options) for mode in ("RGB", "L") for options in KINDS]
    return [damaged(seeds[number % len(seeds)], rng) for number in range(count)]


@pytest.mark.parametrize("count", [600, pytest.param(20_000, marks=pytest.mark.long)])
def test_what_is_plain_though_damaged_is_decoded_without_harm(count):
    """A fault that `plain_frame` overlooks would end this process."""
    decode = vision.Decode()
    crop = vision.RandomCropDecodeResize(24, (0.08, 1), (0.75, 1.33), vision.Inter.BICUBIC)
    plain = 0
    for content in damaged_files(count):
        if frame := plain_frame(content):
            plain += 1
            encoded_image = np.frombuffer(content, np.uint8)
            assert decode(encoded_image).shape == (frame.height, frame.width, 3)
            assert crop(encoded_image).shape == (24, 24, 3)
    print(f"\n{plain} of {count} damaged files are plain, and were decoded")
    assert plain > count / 10


@pytest.mark.long
def test_others_end_the_process(tmp_path, monkeypatch):
    """The reason for `plain_frame`; if no process ends any more, MindData has been mended."""
    monkeypatch.chdir(tmp_path)  # MindData writes what it cannot decode into the current folder
    ended = 0
    for content in damaged_files(600):
        process = os.fork()
        if not process:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            with contextlib.suppress(RuntimeError):
                vision.Decode()(np.frombuffer(content, np.uint8))
            os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(process, 0)[1])
        assert not (killed and plain_frame(content))
        ended += killed
    print(f"\n{ended} of 600 damaged files end the process")
    assert ended > 60


@pytest.mark.parametrize("options, kind", [({}, 0), ({"progressive": True}, 2)])
def test_the_kind_is_that_of_the_frame(options, kind):
    assert frame_kind(jpeg(**options)) == kind


def test_the_kind_of_a_lossless_file_is_3_and_other_files_have_none():
    assert frame_kind((GOLDEN / "images" / "lossless.jpg").read_bytes()) == 3
    assert frame_kind(encoded(photograph(60, 50), "PNG")) == -1


def test_the_size_is_pillows():
    content = jpeg()
    frame = plain_frame(content)
    assert Image.open(BytesIO(content)).size == (frame.width, frame.height)
