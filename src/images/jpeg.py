"""The structure of JPEG files, and which of them may be given to a decoder that trusts it.

libjpeg reports a fault by a call that must not return. MindData's handler of that call returns (MindSpore 2.10), so the
decoder continues with a broken state, which can end the process. `plain_frame` therefore looks for every fault that
libjpeg reports in files of the usual kinds. Wrong codes of pixels are no such fault: libjpeg makes gray of them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

START, END = b"\xff\xd8", b"\xff\xd9"
QUANTIZATION, HUFFMAN, RESTARTS, SCAN = 0xDB, 0xC4, 0xDD, 0xDA
BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2
FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))  # SOF0 to SOF15
IGNORED = (*range(0xE0, 0xF0), 0xFE)  # APP0 to APP15, comment
AFTER_CODES = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # stuffed zeros and restart markers are among the codes
HEAD = struct.Struct(">BBH")
MAX_SIDE = 65_500  # pixels; libjpeg's limit (JPEG_MAX_DIMENSION)

Table = tuple[int, int]  # marker, number: of quantization 0 to 3; of Huffman 0 to 3 (DC), 16 to 19 (AC)


@dataclass(frozen=True)
class Frame:
    """Size in pixels and components of an image: the quantization table of each identifier."""

    progressive: bool
    width: int
    height: int
    components: dict[int, int]


def frame_kind(content: bytes) -> int:
    """Return N of a JPEG's frame SOFN, 0 to 15; 0 and 1 are baseline, 2 is progressive. -1: there is none."""
    try:
        return next((marker - BASELINE for marker, _, _ in _segments(content) if marker in FRAMES), -1)
    except (ValueError, struct.error):
        return -1


def plain_frame(content: bytes) -> Frame | None:
    """Return the frame of a JPEG of a usual kind without a fault in its structure; None for all other bytes.

    Usual are baseline and progressive files of Huffman codes, with one or three components of 8 bits.
    """
    frame: Frame | None = None
    tables: set[Table] = set()
    scans = 0
    try:
        for marker, segment, end in _segments(content):
            if marker in (QUANTIZATION, HUFFMAN):
                tables |= _tables(marker, segment)
            elif marker in (BASELINE, EXTENDED, PROGRESSIVE) and frame is None:
                frame = _frame(marker, segment)
            elif marker == SCAN and frame and _scan_fits(segment, frame, tables):
                if not frame.progressive:  # its only scan: nothing behind it is read but the end
                    return frame if content.endswith(END) or content.find(END, end) >= 0 else None
                scans += 1
            elif not (marker in IGNORED or (marker == RESTARTS and len(segment) == 2)):
                return None
    except (ValueError, struct.error):
        return None
    return frame if scans else None


def _segments(content: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield marker, content and end of each segment up to the end of the image; the codes of scans are skipped.

    Raises:
        ValueError: there is something else than whole segments, or no end.
    """
    if not content.startswith(START):
        raise ValueError("no JPEG")
    place = len(START)
    while content[place : place + 2] != END:
        flag, marker, length = HEAD.unpack(content[place : place + 4])
        end = place + 2 + length
        if flag != 0xFF or length < 2 or end > len(content):
            raise ValueError("no segment")
        yield marker, content[place + 4 : end], end
        place = end
        if marker == SCAN:
            codes_end = AFTER_CODES.search(content, end)
            if codes_end is None:
                raise ValueError("no end")
            place = codes_end.start()


@lru_cache(maxsize=256)
def _tables(marker: int, segment: bytes) -> frozenset[Table]:
    """Return the tables that a segment defines. Files share them, so the answers are kept.

    Raises:
        ValueError: libjpeg refuses the segment.
    """
    read = _quantization_table if marker == QUANTIZATION else _huffman_table
    found, place = set(), 0
    while place < len(segment):
        number, place = read(segment, place)
        found.add((marker, number))
    if place != len(segment):
        raise ValueError("a table is cut off")
    return frozenset(found)


def _quantization_table(segment: bytes, place: int) -> tuple[int, int]:
    """Return the number of the table at `place`, and the place after it."""
    precision, number = divmod(segment[place], 16)
    if precision > 1 or number > 3:
        raise ValueError("a quantization table of an unknown kind")
    return number, place + 1 + 64 * (1 + precision)


def _huffman_table(segment: bytes, place: int) -> tuple[int, int]:
    """Return the number of the table at `place`, and the place after it."""
    number, counts = segment[place], segment[place + 1 : place + 17]
    values = segment[place + 17 : place + 17 + sum(counts)]
    if number & ~0x13 or sum(counts) > 256 or len(values) < sum(counts):
        raise ValueError("a Huffman table of an unknown kind")
    code = 0
    for length, count in enumerate(counts, 1):
        code = 2 * code + count
        if count and code >= 1 << length:  # no code consists of ones alone
            raise ValueError("a Huffman table with too many codes")
    if number < 16 and any(value > 15 for value in values):
        raise ValueError("a Huffman table of too large differences")
    return number, place + 17 + len(values)


@lru_cache(maxsize=1024)
def _frame(marker: int, segment: bytes) -> Frame:
    """Return the frame in a segment.

    Raises:
        ValueError: it has not 8 bits and one or three components, its size is out of range, or its sampling is rare.
    """
    precision, count, rest = segment[:1], segment[5:6], segment[6:]
    height, width = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big")
    if precision != b"\x08" or not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise ValueError("a frame of unusual precision or size")
    if count not in (b"\x01", b"\x03") or len(rest) != 3 * count[0] or len(set(rest[::3])) != count[0]:
        raise ValueError("a frame of unusual components")
    first, *others = (divmod(sampling, 16) for sampling in rest[1::3])
    if not {*first} <= {1, 2} or any(sampling != (1, 1) for sampling in others):
        raise ValueError("a frame of unusual sampling")
    return Frame(marker == PROGRESSIVE, width, height, dict(zip(rest[::3], rest[2::3], strict=True)))


def _scan_fits(segment: bytes, frame: Frame, tables: set[Table]) -> bool:
    """Return whether a scan has components and coefficients of its frame, and all its tables are defined."""
    count = segment[0] if segment else 0
    if not count or len(segment) != 4 + 2 * count:
        return False
    identifiers, selectors = segment[1:-3:2], segment[2:-3:2]
    first, last, (before, after) = segment[-3], segment[-2], divmod(segment[-1], 16)  # coefficients; bits of each
    if frame.progressive:
        band = last == 0 if first == 0 else count == 1 and first <= last <= 63
        fits = band and after <= 13 and before in (0, after + 1)
        fits = fits and len(set(identifiers)) == count and set(identifiers) <= frame.components.keys()
    else:
        fits = identifiers == bytes(frame.components) and (first, last, before, after) == (0, 63, 0, 0)
    if not fits:
        return False
    needed = {(QUANTIZATION, frame.components[identifier]) for identifier in identifiers}
    if first == 0 and before == 0:
        needed |= {(HUFFMAN, selector >> 4) for selector in selectors}
    if last > 0:
        needed |= {(HUFFMAN, 16 + (selector & 15)) for selector in selectors}
    return needed <= tables
