import os
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from support.project import photograph

from src.images import image_file
from src.images.image_file import PackedPath, image_source, read_image


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=8))
def test_packed_images_are_parts_of_their_container(tmp_path_factory, images):
    container = tmp_path_factory.mktemp("pack") / "a b.bin"
    container.write_bytes(b"".join(images))
    offset = 0
    for index, image in enumerate(images):
        path = PackedPath(str(container), f"cat/{index}.jpg", offset, len(image))
        assert path == os.path.join(container, f"cat/{index}.jpg")
        content = read_image(path)
        assert content.dtype == np.uint8 and content.tobytes() == image
        offset += len(image)


def test_a_file_that_is_not_remembered_stays_open_while_it_is_read(tmp_path, monkeypatch):
    """As when two threads open the same one, of which the cache keeps one."""
    (tmp_path / "pack").write_bytes(b"0123456789")
    monkeypatch.setattr(image_file, "_opened", image_file._opened.__wrapped__)
    assert read_image(PackedPath(str(tmp_path / "pack"), "x", 3, 4)).tobytes() == b"3456"


def test_files_and_parts_open_alike(tmp_path):
    file = tmp_path / "image.png"
    photograph(20, 10).save(file)
    content = file.read_bytes()
    assert read_image(file).tobytes() == content and image_source(file) == file
    (tmp_path / "pack").write_bytes(b"before" + content + b"after")
    packed = image_source(PackedPath(str(tmp_path / "pack"), "x", 6, len(content)))
    assert isinstance(packed, BytesIO)
    with Image.open(packed) as one, Image.open(file) as other:
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_a_container_that_ends_early(tmp_path):
    (tmp_path / "pack").write_bytes(b"123")
    with pytest.raises(OSError, match="pack ends before its image .*pack/x"):
        read_image(PackedPath(str(tmp_path / "pack"), "x", 1, 3))
