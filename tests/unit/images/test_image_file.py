"""Encoded images are read alike from files of their own and from parts of larger files."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.project import photograph

from src.images import image_file
from src.images.image_file import PackedImage, image_size, read_image


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "image.png"
    photograph(20, 10).save(path)
    return path


@pytest.fixture
def packed_png(png, tmp_path):
    content = png.read_bytes()
    (tmp_path / "pack").write_bytes(b"before" + content + b"after")
    return PackedImage(str(tmp_path / "pack"), "x", 6, len(content))


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=8))
def test_packed_images_are_parts_of_their_container(tmp_path_factory, images):
    container = tmp_path_factory.mktemp("pack") / "a b.bin"
    container.write_bytes(b"".join(images))
    offset = 0
    for image in images:
        content = read_image(PackedImage(str(container), "cat/0.jpg", offset, len(image)))
        assert content.dtype == np.uint8
        assert content.tobytes() == image
        offset += len(image)


def test_the_text_of_a_packed_image_names_container_and_image():
    assert str(PackedImage("a b.bin", "cat/0.jpg", 3, 4)) == os.path.join("a b.bin", "cat/0.jpg")


def test_a_container_that_is_not_in_the_cache_stays_open_while_it_is_read(tmp_path, monkeypatch):
    """As when two threads open the same file, and the cache keeps one of them."""
    (tmp_path / "pack").write_bytes(b"0123456789")
    monkeypatch.setattr(image_file, "_open_container", image_file._open_container.__wrapped__)

    content = read_image(PackedImage(str(tmp_path / "pack"), "x", 3, 4))

    assert content.tobytes() == b"3456"


def test_a_file_is_read_whole(png):
    assert read_image(png).tobytes() == png.read_bytes()


def test_sizes_are_those_of_the_encoded_bytes(png, packed_png):
    assert image_size(packed_png) == image_size(png) == len(png.read_bytes())


def test_a_missing_file_has_size_0(tmp_path):
    assert image_size(tmp_path / "nowhere.jpg") == 0


def test_a_container_that_ends_early_is_named(tmp_path):
    (tmp_path / "pack").write_bytes(b"123")
    with pytest.raises(OSError, match="pack ends before its image .*pack/x"):
        read_image(PackedImage(str(tmp_path / "pack"), "x", 1, 3))
