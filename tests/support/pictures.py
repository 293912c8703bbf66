"""Image files of every kind that cameras, browsers and print shops write."""

import numpy as np
from PIL import Image

from support.project import photograph

JPEG_KINDS = [
    {"quality": 90},
    {"quality": 75, "progressive": True},
    {"quality": 95, "subsampling": 0},
    {"quality": 60, "subsampling": 1, "optimize": True},
]


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
