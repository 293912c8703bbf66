"""Faults of files: found in order, and named in one line."""

import pytest

from src.errors import UserError
from src.images.faults import (
    FULL_CHECK_LIMIT,
    bad_files_error,
    explain_bad_files,
    find_faults,
    is_full_check,
    name_first,
)


def test_faults_come_in_the_order_of_the_files():
    faults = find_faults(list("abcd"), lambda name: "" if name == "b" else name.upper(), workers=2)
    assert faults == ["a: A", "c: C", "d: D"]


@pytest.mark.parametrize(
    "check, images, full",
    [
        ("full", 10**9, True),
        ("auto", FULL_CHECK_LIMIT, True),
        ("auto", FULL_CHECK_LIMIT + 1, False),
        ("quick", 1, False),
        ("off", 1, False),
    ],
)
def test_auto_reads_all_images_of_small_sets(check, images, full):
    assert is_full_check(check, images) is full


def test_up_to_five_names_are_listed():
    assert name_first(list("abcde")) == "a, b, c, d, e"


def test_more_names_are_counted():
    assert name_first(list("abcdefg")) == "a, b, c, d, e, and 2 more"


def test_the_error_counts_the_files():
    text = str(bad_files_error(["a: empty file", "b: not an image"]))
    assert text.startswith("2 bad files: a: empty file; b: not an image; remove or replace (`python check_dataset.py")


def test_the_image_that_our_function_names_is_named_without_a_search(caplog):
    with (
        pytest.raises(UserError, match="^1 bad file: a/b.jpg: empty file; remove or replace"),
        explain_bad_files(["a file that is not looked at"]),
    ):
        raise RuntimeError("Error description:\nImageError: Traceback\nsrc.ImageError: a/b.jpg: empty file\n\n---\n")


def test_a_failure_of_minddata_names_the_bad_file(image_folder):
    bad = image_folder / "train/cat/0.jpg"
    bad.write_bytes(b"")
    with (
        pytest.raises(UserError, match="1 bad file: .*cat/0.jpg: empty file"),
        explain_bad_files([bad, image_folder / "train/cat/1.jpg"]),
    ):
        raise RuntimeError("as MindData does")


def test_a_failure_without_bad_files_is_raised_as_it_is(image_folder):
    with (
        pytest.raises(RuntimeError, match="as MindData does"),
        explain_bad_files([image_folder / "train/cat/0.jpg"]),
    ):
        raise RuntimeError("as MindData does")
