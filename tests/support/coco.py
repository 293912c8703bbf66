"""Small data sets in COCO's format: ids with gaps, a crowd, an image without objects, images in sub-folders."""

import json

import numpy as np
from PIL import Image

from support.project import photograph

SIZES = {7: (60, 40), 3: (40, 60), 1001: (50, 50), 12: (64, 48)}  # image id -> width, height; in the order of the file
CATEGORIES = [{"id": 90, "name": "dog"}, {"id": 5, "name": "cat"}]


def content():
    """Return a data set of four images; image 12 has no objects, and image 3 also has a crowd."""
    images = [
        {"id": key, "file_name": f"deep/er/{key}.jpg" if key == 3 else f"{key}.jpg", "width": width, "height": height}
        for key, (width, height) in SIZES.items()
    ]
    rows = [  # id, image, category, box, crowd
        (11, 7, 5, [10.5, 5.25, 20.0, 30.5], 0),
        (200, 7, 90, [30, 10, 25, 25], 0),
        (3, 3, 90, [5, 5, 30, 50], 0),
        (4, 3, 5, [0, 0, 40, 20], 1),
        (5, 1001, 5, [20, 20, 0, 10], 0),  # without area
        (6, 1001, 5, [1, 2, 30.75, 40], 0),
    ]
    annotations = [
        {"id": key, "image_id": image, "category_id": category, "bbox": box, "area": box[2] * box[3], "iscrowd": crowd}
        for key, image, category, box, crowd in rows
    ]
    return {"info": {}, "images": images, "annotations": annotations, "categories": [dict(row) for row in CATEGORIES]}


def write_coco(folder, change=None, splits=("train", "val")):
    """Write the data set for each split in COCO's layout, after `change(content)`, and return its folder."""
    for split in splits:
        found = content()
        for row in found["images"]:
            path = folder / f"{split}2017" / row["file_name"]
            path.parent.mkdir(parents=True, exist_ok=True)
            photograph(row["width"], row["height"], seed=row["id"]).save(path)
        if change:
            change(found)
        path = folder / "annotations" / f"instances_{split}2017.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(found))
    return folder


def write_squares(folder, train=8, val=5):
    """Write a set of pictures with one square each, light or dark; two of val have no object, or only a crowd."""
    for split, count in {"train": train, "val": val}.items():
        images, annotations = [], []
        (folder / split).mkdir(parents=True)
        (folder / "annotations").mkdir(exist_ok=True)
        for number in range(count):
            rng = np.random.RandomState([number, split == "val"])
            width, height, side, label = 64 + 4 * number, 56, 24 + number, number % 2
            x, y = rng.randint(0, width - side), rng.randint(0, height - side)
            pixels = rng.randint(100, 140, (height, width, 3)).astype(np.uint8)
            has_square = split == "train" or number > 0
            if has_square:
                pixels[y : y + side, x : x + side] = 250 * label
                box = {"id": number, "image_id": 3 * number + 7, "category_id": (40, 9)[label], "iscrowd": 0}
                box |= {"bbox": [float(x), float(y), float(side), float(side)], "area": float(side * side)}
                annotations.append(box | {"iscrowd": int(split == "val" and number == 1)})
            Image.fromarray(pixels).save(folder / split / f"{number}.png")
            images.append({"id": 3 * number + 7, "file_name": f"{number}.png", "width": width, "height": height})
        categories = [{"id": 40, "name": "dark"}, {"id": 9, "name": "light"}]
        content = {"images": images, "annotations": annotations, "categories": categories}
        (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    return folder
