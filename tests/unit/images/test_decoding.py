"""Which image files can be decoded, and the reason if one cannot."""

import pytest
from PIL import Image
from support.project import photograph

from src.images.decoding import decode_error, has_complete_ends, quick_decode_error

INSPECTIONS = (decode_error, quick_decode_error)


@pytest.fixture
def jpeg(tmp_path):
    path = tmp_path / "image.jpg"
    photograph(60, 50).save(path)
    return path


@pytest.mark.parametrize("inspect", INSPECTIONS)
@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "tiff"])
def test_good_images_have_no_error(tmp_path, inspect, suffix):
    path = tmp_path / f"image.{suffix}"
    photograph(60, 50).save(path)
    assert inspect(str(path)) == ""


@pytest.mark.parametrize("inspect", INSPECTIONS)
def test_an_empty_file_is_called_empty(tmp_path, inspect):
    path = tmp_path / "zero.jpg"
    path.write_bytes(b"")
    assert inspect(str(path)) == "empty file"


@pytest.mark.parametrize("inspect", INSPECTIONS)
def test_text_is_not_an_image(tmp_path, inspect):
    path = tmp_path / "text.png"
    path.write_text("no image")
    assert inspect(str(path)) == "not an image"


@pytest.mark.parametrize("inspect", INSPECTIONS)
def test_half_a_jpeg_is_bad(jpeg, inspect):
    content = jpeg.read_bytes()
    jpeg.write_bytes(content[: len(content) // 2])
    assert inspect(str(jpeg)) != ""


@pytest.mark.parametrize("inspect", INSPECTIONS)
def test_a_png_without_its_end_is_bad(tmp_path, inspect):
    path = tmp_path / "half.png"
    photograph(60, 50).save(path)
    path.write_bytes(path.read_bytes()[:-30])
    assert inspect(str(path)) != ""


@pytest.mark.parametrize("inspect", INSPECTIONS)
def test_formats_that_minddata_does_not_decode_are_bad_whatever_their_name(jpeg, tmp_path, inspect):
    path = tmp_path / "web.jpg"
    Image.open(jpeg).save(path, format="WEBP")
    assert inspect(str(path)).startswith("WEBP of mode RGB inside; expected JPEG")


@pytest.mark.parametrize("inspect", INSPECTIONS)
def test_a_missing_file_has_the_reason_of_the_system(tmp_path, inspect):
    assert inspect(str(tmp_path / "nowhere.jpg")) == "No such file or directory"


def test_the_quick_inspection_accepts_a_good_image_with_appended_bytes(jpeg):
    jpeg.write_bytes(jpeg.read_bytes() + b"appended by a camera")
    assert quick_decode_error(str(jpeg)) == ""


@pytest.mark.parametrize("tail, complete", [(b"\xff\xd9", True), (b"\xff\xd9\0\0", True), (b"\xff\xd8", False)])
def test_a_complete_jpeg_ends_with_its_marker(tail, complete):
    assert has_complete_ends(b"\xff\xd8\xff\xe0....", tail) is complete
