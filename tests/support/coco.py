"""Small data sets in COCO's format: ids with gaps, a crowd, an image without objects, images in sub-folders."""

import json

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
