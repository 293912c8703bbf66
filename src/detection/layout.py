"""Find the JSON file and the images of a split: by COCO's layout, by others that are common, or by the user's flags."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from src.detection.coco import CocoSet, read_coco
from src.detection.digit_scenes import write_digit_scenes
from src.errors import UserError
from src.images.faults import name_first

Split = Literal["train", "val"]

NAMES: dict[Split, tuple[str, ...]] = {"train": ("train",), "val": ("val", "valid", "validation")}
JSON_PATTERNS = (  # {} is a name of the split; the first pattern that fits counts
    "annotations/instances_{}.json",
    "annotations/instances_{}[0-9]*.json",
    "annotations/{}.json",
    "{}.json",
    "instances_{}*.json",
    "annotations/*{}*.json",
    "{}/*.json",  # Roboflow: train/_annotations.coco.json
)
FOLDERS = ("{}", "images/{}", "images", "", "{}/images")  # of images; {} is the name of the JSON's split, as train2017
HOW_TO_GET_DATA = (
    "give a data set with --data_path DIR, in COCO's layout (annotations/instances_val*.json and the folder of its "
    "images, https://cocodataset.org), or `--data_path digits` for the embedded scenes"
)
LAYOUT = "expected DIR/annotations/instances_{}.json and the folder DIR/{}, as COCO has them"


def resolve_coco_path(data_path: str | None) -> Path:
    """Return the folder that `--data_path` names; the embedded scenes are written at their first use.

    Raises:
        UserError: the path is missing, or scikit-learn is, which the scenes need.
    """
    if data_path is None:
        raise UserError(f"data_path is missing: {HOW_TO_GET_DATA}")
    return write_digit_scenes() if data_path == "digits" else Path(data_path)


def open_coco(data_path: Path, split: Split, json: Path | None = None, folder: Path | None = None) -> CocoSet:
    """Open a split of a data set.

    Args:
        data_path: folder of the data set.
        split: which part of it.
        json: the annotations; by default the file of `data_path` that its name tells.
        folder: the images; by default the first usual folder that holds the first image.

    Raises:
        UserError: there is no folder, no JSON file or more than one, none of the images, or as `read_coco`.
    """
    if not data_path.is_dir():
        raise UserError(f"data_path {data_path}: there is no such folder; {LAYOUT.format(split, split)}")
    file = json or find_json(data_path, split)
    if not file.is_file():
        raise UserError(f"{split}_json: there is no file {file}")
    found = read_coco(file, folder or data_path)
    return found if folder else read_coco_in(found, _folders(data_path, split, file), split)


def find_json(data_path: Path, split: Split) -> Path:
    """Return the JSON file of a split.

    Raises:
        UserError: there is none, or several fit equally well.
    """
    found = find_annotations(data_path, split)
    if not found:
        raise UserError(
            f"{data_path} holds no annotations of {split}; {LAYOUT.format(split, split)}; or --{split}_json"
        )
    if len(found) > 1:
        names = name_first([str(path) for path in found])
        raise UserError(f"{len(found)} files may be the annotations of {split}: {names}; give --{split}_json")
    return found[0]


def find_annotations(data_path: Path, split: Split) -> list[Path]:
    """Return the files that fit the first pattern of a JSON file of the split; none if no pattern fits."""
    patterns = (pattern.format(name) for pattern in JSON_PATTERNS for name in NAMES[split])
    return next(filter(None, (sorted(data_path.glob(pattern)) for pattern in patterns)), [])


def read_coco_in(images: CocoSet, folders: list[Path], split: Split) -> CocoSet:
    """Return the set with the first of `folders` that holds its first image.

    Raises:
        UserError: none does.
    """
    first = images.rows[0]["file_name"]
    for folder in folders:
        if (folder / first).is_file():
            return CocoSet(images.json, folder, images.rows, images.categories, images.annotations, images.objects)
    tried = ", ".join(map(str, folders))
    raise UserError(f"{images.json} names the image {first}, which is in none of {tried}; give --{split}_images")


def _folders(data_path: Path, split: Split, json: Path) -> list[Path]:
    own = json.stem.removeprefix("instances_")
    names = dict.fromkeys((own, *NAMES[split], json.parent.name))
    found = [data_path / folder.format(name) for folder in FOLDERS for name in names]
    return [folder for folder in dict.fromkeys((*found, json.parent)) if folder.is_dir()]
