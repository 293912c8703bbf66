"""Image files of every kind that cameras, browsers, scanners and print shops write."""

import struct
import zlib
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from support.project import GOLDEN, photograph

JPEG_KINDS = [
    {"quality": 90},
    {"quality": 75, "progressive": True},
    {"quality": 95, "subsampling": 0},
    {"quality": 60, "subsampling": 1, "optimize": True},
]
PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of each color type: gray, RGB, palette, gray with alpha, RGBA
PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
PNG_HEADER = 33  # bytes: signature and IHDR
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
ROTATED = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # EXIF: orientation 6, a quarter turn
MODES = (
    *("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F"),
    *("I;16", "I;16L", "I;16B"),
)


def save_all_kinds(folder, sizes):
    """Save pictures of each size in each mode, as JPEG and PNG; `folder` must not exist."""
    folder.mkdir()
    for width, height in sizes:
        picture = photograph(width, height, seed=width)
        for mode in ("RGB", "L", "CMYK"):
            for number, options in enumerate(JPEG_KINDS):
                picture.convert(mode).save(folder / f"{width}x{height}_{mode}_{number}.jpg", **options)
        for mode in ("RGB", "RGBA", "L", "LA", "P", "1"):
            picture.convert(mode).save(folder / f"{width}x{height}_{mode}.png")
        gray = np.asarray(picture.convert("L"), np.uint16)
        Image.fromarray(gray * 257).save(folder / f"{width}x{height}_16bit.png")
        Image.fromarray(gray).save(folder / f"{width}x{height}_16bit_dark.png")
        for bits, colors in ((1, 2), (2, 4), (4, 13)):
            few = picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=colors)
            few.save(folder / f"{width}x{height}_{bits}bit.png", bits=bits)


def in_mode(mode, size=(40, 30)):
    """Return a photograph in one of `MODES`; where the mode has transparency, each pixel has another one."""
    picture = photograph(*size, seed=4)
    gray = picture.convert("L")
    if mode == "LAB":
        profiles = (ImageCms.createProfile(name) for name in ("sRGB", "LAB"))
        return ImageCms.profileToProfile(picture, *profiles, outputMode="LAB")
    if mode.startswith("I;16"):
        values = np.asarray(gray).astype(">u2" if mode.endswith("B") else "<u2") * 257
        return Image.frombytes(mode, gray.size, values.tobytes())
    if mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        base = picture.convert({"PA": "P", "LA": "L", "La": "L"}.get(mode, "RGB"))
        base.putalpha(gray.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
        return base.convert(mode) if mode.endswith("a") else base
    return picture.convert(mode)


def encoded(picture, kind, **options):
    """Return the bytes of an image file; `frames` are images that follow the picture."""
    file = BytesIO()
    picture = picture.copy()  # it would keep settings of this format
    if frames := options.pop("frames", None):
        options |= {"save_all": True, "append_images": [frame.copy() for frame in frames]}
    picture.save(file, kind, **options)
    return file.getvalue()


def png_chunk(name, data):
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunk(png, name, data):
    """Return a PNG with another chunk behind its header."""
    return png[:PNG_HEADER] + png_chunk(name, data) + png[PNG_HEADER:]


def raw_png(size, color_type, depth, *, interlaced=False, chunks=b"", colors=None):
    """Return a PNG of random pixels, which Pillow could not write in all kinds.

    Args:
        chunks: other chunks, which are put before the pixels.
        colors: length of the palette, by default as many as `depth` allows.
    """
    rng = np.random.default_rng(depth)
    width, height = size
    rows = b""
    for left, top, across, down in ADAM7 if interlaced else ((0, 0, 1, 1),):
        columns = len(range(left, width, across))
        for _ in range(top, height, down) if columns else ():
            bits = columns * depth * PNG_CHANNELS[color_type]
            rows += bytes([rng.integers(5)]) + rng.bytes(-(-bits // 8))  # one of five filters, and the values
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, interlaced)
    palette = png_chunk(b"PLTE", rng.bytes(3 * (colors or 2**depth))) if color_type == 3 else b""
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", header) + palette + chunks,
            png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b""),
        )
    )


def raw_tiff(size, bits, *, signed=False):
    """Return a TIFF with a channel of each number of `bits`, gray or RGB and others, whose values are all 0."""
    width, height = size
    count = len(bits)
    length = -(-width * sum(bits) // 8) * height
    tags = {
        **{256: [width], 257: [height], 258: bits, 259: [1], 262: [2 if count > 2 else 1]},
        **{273: [8], 277: [count], 278: [height], 279: [length], 338: [0] * (count - 3), 339: [1 + signed] * count},
    }
    entries, values = b"", b""
    for tag, numbers in tags.items():
        data = struct.pack(f"<{len(numbers)}H", *numbers)
        if len(data) > 4:
            values, data = values + data, struct.pack("<I", 8 + length + len(values))
        if numbers:
            entries += struct.pack("<HHI4s", tag, 3, len(numbers), data)
    directory = struct.pack("<H", len(entries) // 12) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + length + len(values)) + bytes(length) + values + directory


def refused_files():
    """Return name -> (bytes, reason) of files that this project does not read."""
    picture = photograph(40, 30, seed=6)
    jpeg, png = encoded(picture, "JPEG"), encoded(picture, "PNG")
    comment = with_chunk(png, b"tEXt", b"Comment\0made by hand")
    huge = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 20_000, 10_000, 8, 2, 0, 0, 0))
    sized = jpeg.replace(struct.pack(">HH", 30, 40), struct.pack(">HH", 60_000, 60_000))
    lossless, broken = ((GOLDEN / "images" / name).read_bytes() for name in ("lossless.jpg", "broken-header.jpg"))
    return {
        "empty.jpg": (b"", "empty file"),
        "text.jpg": (b"no image", "not an image"),
        "signature.jpg": (jpeg[:3], "damaged JPEG: the file ends before the image does"),
        "half.jpg": (jpeg[: len(jpeg) // 2], "damaged JPEG: the file ends before the image does"),
        "no end.jpg": (jpeg[:-2], "damaged JPEG: the file ends before the image does"),
        "no table.jpg": (jpeg.replace(b"\xff\xdb\0", b"\xff\xec\0"), "broken data stream"),
        "broken header.jpg": (broken, "damaged JPEG: its header cannot be read"),
        "lossless.jpg": (lossless, "JPEG of kind SOF3, lossless or arithmetic"),
        "claims to be huge.jpg": (sized, "more than 178956970 pixels"),
        "thin.jpg": (encoded(picture.resize((303, 3)), "JPEG"), "303 x 3 pixels; a side may have 100 times"),
        "half.png": (png[: len(png) // 2], "damaged PNG: the file ends before the image does"),
        "no end.png": (png[:-12], "damaged PNG: the file ends before the image does"),
        "damaged comment.png": (comment.replace(b"made", b"mode"), "damaged PNG: wrong checksum of its chunk tEXt"),
        "damaged pixels.png": (png[:-20] + b"????" + png[-16:], "damaged PNG: wrong checksum of its chunk IDAT"),
        "unknown chunk.png": (with_chunk(png, b"CgBI", b""), "damaged PNG: unknown chunk CgBI"),
        "claims to be huge.png": (png[:8] + huge + png[PNG_HEADER:], "more than 178956970 pixels"),
        "thin.png": (encoded(picture.resize((1, 101)), "PNG"), "1 x 101 pixels; a side may have 100 times"),
        "half.bmp": (encoded(picture, "BMP")[:1000], "truncated"),
        "float.tif": (encoded(in_mode("F"), "TIFF"), "TIFF of mode F and 32 bits"),
        "integer.tif": (encoded(in_mode("I"), "TIFF"), "TIFF of mode I and 32 bits"),
        "signed.tif": (raw_tiff((8, 6), [16], signed=True), "TIFF of mode I and 16 bits"),
        "12 bits.tif": (raw_tiff((8, 6), [12]), "TIFF of mode I;16 and 12 bits"),
        "five channels.tif": (raw_tiff((8, 6), [8] * 5), "TIFF of 5 channels"),
        "web.jpg": (encoded(picture, "WEBP"), "WEBP of mode RGB inside; expected JPEG, PNG, BMP or TIFF"),
        "moving.png": (encoded(picture, "GIF"), "GIF of mode P inside; expected JPEG, PNG, BMP or TIFF"),
    }


def odd_files():
    """Return name -> bytes of files that this project reads and that decoders like to disagree about."""
    picture = photograph(40, 30, seed=5)
    gray, jpeg = picture.convert("L"), encoded(picture, "JPEG")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    turned = Image.Exif()
    turned[0x0112] = 6
    frames = [picture.rotate(90)]
    palette = picture.convert("P")
    few = {"transparency": bytes(range(200))}, {"transparency": 3}
    found = {
        "rotated by EXIF.jpg": encoded(picture, "JPEG", exif=turned),
        "profile.jpg": encoded(picture, "JPEG", icc_profile=profile),
        "restarts.jpg": encoded(picture, "JPEG", restart_marker_blocks=2),
        "trailing bytes.jpg": jpeg + b"appended by a camera",
        "several.jpg": encoded(picture, "MPO", frames=frames),
        "RGB not YCbCr.jpg": encoded(picture, "JPEG", keep_rgb=True),
        "one pixel.jpg": encoded(picture.resize((1, 1)), "JPEG"),
        "one column.jpg": encoded(picture.resize((1, 90)), "JPEG"),
        "rotated by EXIF.png": encoded(picture, "PNG", exif=turned),
        "profile.png": encoded(picture, "PNG", icc_profile=profile, gamma=0.3),
        "animation.png": encoded(picture, "PNG", frames=frames),
        "animation apart.png": encoded(picture, "PNG", frames=frames, default_image=True),
        "trailing bytes.png": encoded(picture, "PNG") + b"appended",
        "transparent colors.png": encoded(palette, "PNG", **few[0]),
        "transparent color.png": encoded(palette, "PNG", **few[1]),
        "transparent gray.png": encoded(gray, "PNG", transparency=90),
        "one pixel.png": encoded(picture.resize((1, 1)), "PNG"),
        "one row.png": encoded(picture.resize((90, 1)), "PNG"),
        "long comment.png": with_chunk(encoded(picture, "PNG"), b"zTXt", b"k\0\0" + zlib.compress(bytes(5_000_000))),
        "rotated.tif": encoded(picture, "TIFF", tiffinfo={0x0112: 6}),
        "two pages.tif": encoded(picture, "TIFF", frames=frames),
        "packed.tif": encoded(picture, "TIFF", compression="tiff_lzw"),
        "jpeg inside.tif": encoded(picture, "TIFF", compression="jpeg"),
        "transparent.bmp": encoded(in_mode("RGBA"), "BMP"),
    }
    for color_type, depths in PNG_DEPTHS.items():
        for depth in depths:
            for interlaced in (False, True):
                name = f"type {color_type}, {depth} bits{', interlaced' * interlaced}.png"
                found[name] = raw_png((23, 19), color_type, depth, interlaced=interlaced)
    return found


LAYOUT = (  # images of a split, in the order of their bytes
    *("B/X.PNG", "B/a b.jpg", "B/deep/er/one.Tiff", "a/1.jpg", "a/10.jpg", "a/2.jpg", "a/linked/z.bmp"),
    *("new\nline/1.jpg", "two words/'q' \"$x.jpeg", "é/ü.jpg"),
)
LEFT_OUT = ("a/notes.txt", "é/later.webp")


def save_odd_layout(folder):
    """Save pictures as `LAYOUT` and other things: a linked class and folder, a circle, hidden and system files."""
    for number, name in enumerate(LAYOUT):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = {".png": "PNG", ".bmp": "BMP", ".tiff": "TIFF"}.get(path.suffix.lower(), "JPEG")
        photograph(40 + number, 30, seed=number).save(path, kind)
    for moved in ("é", "a/linked"):
        elsewhere = folder.with_name(f"{folder.name} elsewhere") / moved
        elsewhere.parent.mkdir(parents=True, exist_ok=True)
        (folder / moved).rename(elsewhere)
        (folder / moved).symlink_to(elsewhere)
    (folder / "a/linked/up").symlink_to(folder)
    for name in (*LEFT_OUT, "a/.hidden.jpg", "a/Thumbs.db", "é/desktop.ini", ".cache/x.jpg", "__MACOSX/a/x.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("no image")
