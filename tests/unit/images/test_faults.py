import pytest
from PIL import Image

from src.errors import UserError
from src.images.faults import ends_fault
from src.images.folder import check_images, open_split


@pytest.mark.parametrize("check", ["full", "quick"])
def test_bad_files_are_named_by_path(image_folder, check):
    folder = image_folder / "train" / "dog"
    whole = (folder / "0.jpg").read_bytes()
    (folder / "zero.jpg").write_bytes(b"")
    (folder / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("no image")
    (folder / "notes.txt").write_text("no image")
    Image.open(folder / "1.jpg").save(folder / "whole.png")
    Image.open(folder / "1.jpg").save(folder / "web.jpg", format="WEBP")
    (folder / "half.png").write_bytes((folder / "whole.png").read_bytes()[:-30])
    faults = open_split(image_folder, "train").faults(check)
    found = {line.split(": ")[0].rsplit("/", 1)[1]: line.split(": ", 1)[1] for line in faults}
    assert found.keys() == {"zero.jpg", "half.jpg", "half.png", "text.png", "notes.txt", "web.jpg"}
    assert found["zero.jpg"] == "empty file" and found["text.png"] == "not an image"
    assert found["web.jpg"].startswith("WEBP of mode RGB inside")
    with pytest.raises(UserError, match="6 bad files: .*half.jpg.*remove or replace"):
        check_images([open_split(image_folder, "train")], check)


def test_quick_check_accepts_what_decodes_although_its_end_is_odd(image_folder):
    path = image_folder / "train/cat/0.jpg"
    path.write_bytes(path.read_bytes() + b"appended by a camera")
    assert ends_fault(str(path)) == ""
