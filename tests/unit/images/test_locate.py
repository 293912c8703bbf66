"""Images are found in a file by their bytes, however alike they are."""

import pytest

from src.images.locate import ImageMark, locate


def offsets_of(images, content, tmp_path):
    path = tmp_path / "shard"
    path.write_bytes(content)
    return locate(path, [ImageMark.of(image) for image in images])


def test_each_image_is_found_at_its_offset(tmp_path):
    assert offsets_of([b"first", b"second"], b"..first....second", tmp_path) == [2, 11]


def test_an_image_that_begins_like_another_one_is_told_apart(tmp_path):
    start = bytes(range(64))
    images = [start + b"a" * 10, start + b"b" * 10]
    content = b"--" + start + b"c" * 10 + images[0] + b"--" + images[1]
    assert offsets_of(images, content, tmp_path) == [76, 152]


def test_an_equal_image_is_found_behind_the_one_before(tmp_path):
    assert offsets_of([b"same", b"same"], b"same--same", tmp_path) == [0, 6]


def test_a_changed_image_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="image 1 is missing or was changed"):
        offsets_of([b"first", b"second"], b"first other!", tmp_path)
