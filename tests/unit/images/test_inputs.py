"""Images that a command line names: found, measured, and named where they cannot be read."""

import pytest
from PIL import Image
from support.project import photograph

from src.errors import UserError
from src.images.inputs import find_images, read_sizes


def test_images_are_measured_as_stored_and_the_others_named_at_the_end(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    photograph(40, 30).save(tmp_path / "turned.jpg", exif=exif)
    (tmp_path / "broken.jpg").write_text("x")
    found = read_sizes(find_images((tmp_path,), "example"))
    assert found.files == [str(tmp_path / "turned.jpg")] and found.sizes == [(40, 30)]
    with pytest.raises(UserError, match="^1 of 2 images cannot be read: .*/broken.jpg: not an image$"):
        found.check()


def test_a_command_without_images_shows_how_to_name_one():
    with pytest.raises(UserError, match="^no images: name some, or folders of them, such as `example`$"):
        find_images((), "example")
