"""The chunks of a PNG file: whole, undamaged, and those alone that hold its pixels.

Pillow reads a file without its end or with wrong checksums of pixels, and fails at long comments. libpng, which the C++
program uses, does the opposite. Here a file is whole or damaged, and comments need only be undamaged.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from src.images.image_file import ImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")  # the critical ones; all that Pillow's `convert("RGB")` depends on
FRAME_BYTES = 12  # length, name and checksum of a chunk, 4 bytes each
STORED_BYTES = 0xFFFF  # most bytes of a block without compression (RFC 1951)


def pixel_chunks(content: bytes) -> bytes:
    """Return a PNG without comments, profiles, transparency, orientation, further frames and trailing bytes.

    Raises:
        ImageError: a chunk is cut off, missing, has a wrong checksum, or is critical and unknown.
    """
    parts, start, name = [SIGNATURE], len(SIGNATURE), b""
    while name != b"IEND":
        end = start + FRAME_BYTES + int.from_bytes(content[start : start + 4], "big")
        chunk = content[start:end]
        if len(chunk) < FRAME_BYTES or end > len(content):
            raise ImageError("damaged PNG: the file ends before the image does")
        name = chunk[4:8]
        if zlib.crc32(memoryview(chunk)[4:-4]) != int.from_bytes(chunk[-4:], "big"):
            raise ImageError(f"damaged PNG: wrong checksum of its chunk {ascii(name)[2:-1]}")
        if name in PIXEL_CHUNKS:
            parts.append(chunk)
        elif name[:1].isupper():
            raise ImageError(f"damaged PNG: unknown chunk {ascii(name)[2:-1]}")
        start = end
    if parts[1][4:8] != b"IHDR" or len(parts[1]) != FRAME_BYTES + 13:
        raise ImageError("damaged PNG: its header is missing")
    return b"".join(parts)


def size(content: bytes) -> tuple[int, int]:
    """Return width and height of the PNG that `pixel_chunks` returns, in pixels."""
    return struct.unpack_from(">II", content, len(SIGNATURE) + 8)


def stored_png(pixels: np.ndarray) -> bytes:
    """Return uint8 pixels (height, width, 3) as a PNG without compression.

    A compressed one would have other bytes with another version of zlib.
    """
    height, width, _ = pixels.shape
    rows = np.pad(pixels.reshape(height, 3 * width), ((0, 0), (1, 0)))  # each row begins with 0: it has no filter
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", _stored(rows.tobytes())) + _chunk(b"IEND", b"")


def _stored(content: bytes) -> bytes:
    """Return a stream of zlib (RFC 1950) that holds `content` as it is."""
    starts = range(0, len(content), STORED_BYTES)
    blocks = [content[start : start + STORED_BYTES] for start in starts]
    framed = [
        struct.pack("<BHH", block is blocks[-1], len(block), len(block) ^ STORED_BYTES) + block for block in blocks
    ]
    return b"\x78\x01" + b"".join(framed) + struct.pack(">I", zlib.adler32(content))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
