"""The chunks of PNG files: damaged ones are named, and only those with pixels are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.pictures import encoded, png_chunk, raw_png, with_chunk
from support.project import photograph

from src.images import png
from src.images.image_file import ImageError
from src.images.png import pixel_chunks

WHOLE = raw_png((9, 7), 3, 8)


def test_a_file_of_pixels_alone_stays_as_it_is():
    assert pixel_chunks(WHOLE) == WHOLE


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"gAMA", b"tRNS", b"acTL", b"prVt"])
def test_other_chunks_are_left_out(name):
    assert pixel_chunks(with_chunk(WHOLE, name, b"anything")) == WHOLE


def test_what_follows_the_end_is_left_out():
    assert pixel_chunks(WHOLE + b"appended") == WHOLE


def test_a_file_that_is_cut_off_anywhere_is_damaged():
    for length in range(8, len(WHOLE)):
        with pytest.raises(ImageError, match="damaged PNG: the file ends before the image does"):
            pixel_chunks(WHOLE[:length])


@given(st.integers(8, len(WHOLE) - 1), st.integers(0, 7))
def test_a_changed_bit_anywhere_is_damage(place, bit):
    content = bytearray(WHOLE)
    content[place] ^= 1 << bit
    with pytest.raises(ImageError, match="^damaged PNG: (wrong checksum of its chunk|the file ends before)"):
        pixel_chunks(bytes(content))


def test_a_damaged_name_is_printed_in_ascii():
    with pytest.raises(ImageError, match=r"wrong checksum of its chunk \\n\\xffXt$"):
        pixel_chunks(with_chunk(WHOLE, b"tEXt", b"x").replace(b"tEXt", b"\n\xffXt"))


def test_unknown_chunks_that_must_be_known_are_refused():
    with pytest.raises(ImageError, match="damaged PNG: unknown chunk CgBI"):
        pixel_chunks(with_chunk(WHOLE, b"CgBI", b""))


def test_a_file_without_a_header_is_damaged():
    with pytest.raises(ImageError, match="damaged PNG: its header is missing"):
        pixel_chunks(png.SIGNATURE + png_chunk(b"IEND", b""))


def test_the_size_is_that_of_the_picture():
    assert png.size(pixel_chunks(encoded(photograph(31, 17), "PNG"))) == (31, 17)
