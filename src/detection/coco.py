"""A data set in COCO's format: images, objects and categories of one split, from a JSON file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from src.design.validation import describe
from src.errors import UserError
from src.images.faults import name_first
from src.runtime.texts import read_text

Id = Annotated[int, Field(strict=True)]  # a text would be another id in files of results
Text = Annotated[str, Field(strict=True)]
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Side = Annotated[int, Field(ge=1)]  # some programs write 640.0


class ImageRow(TypedDict):
    """An image of the JSON file; other keys are ignored."""

    id: Id
    file_name: Text
    width: Side
    height: Side


class AnnotationRow(TypedDict, total=False):
    """An object of the JSON file: its box is x, y, width, height in pixels."""

    id: Id
    image_id: Id
    category_id: Id
    bbox: tuple[Finite, Finite, Finite, Finite]
    area: Finite
    iscrowd: Annotated[int, Field(ge=0, le=1)]  # some programs write true


class CategoryRow(TypedDict):
    """A category of the JSON file."""

    id: Id
    name: Text


class Content(TypedDict):
    """The JSON file."""

    images: list[ImageRow]
    annotations: list[AnnotationRow]
    categories: list[CategoryRow]


CONTENT = TypeAdapter(Content)
NEEDED = ("id", "image_id", "category_id", "bbox")  # keys of an annotation


class Objects(NamedTuple):
    """The objects of an image.

    `boxes`: x1, y1, x2, y2 in pixels, float64 (n, 4); `classes`: from 1, int64 (n,); `crowd`: bool (n,), boxes around a
    group that is not counted.
    """

    boxes: np.ndarray
    classes: np.ndarray
    crowd: np.ndarray

    @property
    def trained(self) -> np.ndarray:
        """Which objects are trained, bool (n,): those with an area that are no crowd."""
        return ~self.crowd & (self.boxes[:, 2] > self.boxes[:, 0]) & (self.boxes[:, 3] > self.boxes[:, 1])


@dataclass(frozen=True)
class CocoSet:
    """A split of a data set. Image i is `rows[i]`, in the order of the file; class k is `categories[k - 1]`.

    `annotations` are ordered by image; those of image i are `annotations[starts[i] : starts[i + 1]]`.
    """

    json: Path
    folder: Path
    rows: tuple[ImageRow, ...]
    categories: tuple[CategoryRow, ...]
    annotations: tuple[AnnotationRow, ...]
    objects: tuple[Objects, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes, without the background."""
        return tuple(category["name"] for category in self.categories)

    def path(self, index: int) -> str:
        """Return the file of an image."""
        return str(self.folder / self.rows[index]["file_name"])

    def with_objects(self) -> np.ndarray:
        """Return the images that can be trained on, int64 (n,): those with an object of some area that is no crowd."""
        return np.flatnonzero([found.trained.any() for found in self.objects])


def read_coco(json: Path, folder: Path) -> CocoSet:
    """Read a JSON file in COCO's format. `folder` holds its images; their names may have sub-folders.

    Raises:
        UserError: the file cannot be read or is not such a JSON, an id stands twice or is not defined, or it holds no
            images or categories.
    """
    content = _parse(json)
    rows, annotations = content["images"], content["annotations"]
    categories = sorted(content["categories"], key=lambda category: category["id"])
    for kind, found in (("images", rows), ("categories", categories)):
        if not found:
            raise UserError(f"{json} holds no {kind}; expected a data set in COCO's format")
    _check_ids(json, content)
    number = {row["id"]: index for index, row in enumerate(rows)}
    of_image: list[list[AnnotationRow]] = [[] for _ in rows]
    for annotation in annotations:
        of_image[number[annotation["image_id"]]].append(annotation)
    classes = {category["id"]: index for index, category in enumerate(categories, 1)}
    return CocoSet(
        json,
        folder,
        tuple(rows),
        tuple(categories),
        tuple(annotation for found in of_image for annotation in found),
        tuple(_objects(found, row, classes) for found, row in zip(of_image, rows, strict=True)),
    )


def describe_image(row: ImageRow) -> str:
    """Return an image as messages name it, such as `a/1.jpg (id 7)`."""
    return f"{row['file_name']} (id {row['id']})"


def _parse(json: Path) -> Content:
    try:
        return CONTENT.validate_json(read_text(json))
    except OSError as error:
        raise UserError(f"cannot read {json}: {error.strerror}") from None
    except ValidationError as failure:
        raise UserError(f"{json} is not in COCO's format: {describe(failure.errors()[0], 'the file')}") from None


def _check_ids(json: Path, content: Content) -> None:
    """Raise an error if an id stands twice, or if one that an annotation names does not exist."""
    for index, annotation in enumerate(content["annotations"]):
        for key in NEEDED:
            if key not in annotation:
                raise UserError(f"{json} is not in COCO's format: annotations[{index}].{key} is missing")
    for kind in ("images", "annotations", "categories"):
        ids = [row["id"] for row in content[kind]]
        if twice := list(_repeated(ids)):
            raise UserError(f"{json}: {len(twice)} ids of {kind} stand twice: {name_first(twice)}; give each its own")
    names = [category["name"] for category in content["categories"]]
    if twice := list(_repeated(names)):
        raise UserError(f"{json}: {len(twice)} names of categories stand twice: {name_first(twice)}; rename them")
    for key, kind in (("image_id", "images"), ("category_id", "categories")):
        known = {row["id"] for row in content[kind]}  # type: ignore[literal-required]
        lost = [
            f"annotation {row['id']} ({key} {row[key]})"  # type: ignore[literal-required]
            for row in content["annotations"]
            if row[key] not in known  # type: ignore[literal-required]
        ]
        if lost:
            raise UserError(
                f"{json}: {len(lost)} annotations name none of the {kind}: {name_first(lost)}; remove them, or add "
                f"what is missing"
            )


def _repeated(values: list) -> Iterator[str]:
    seen: set = set()
    for value in values:
        if value in seen:
            yield str(value)
        seen.add(value)


def _objects(annotations: list[AnnotationRow], row: ImageRow, classes: dict[int, int]) -> Objects:
    """Return the objects of an image, clipped to it. Boxes stay floats: to round them costs accuracy."""
    boxes = np.array([annotation["bbox"] for annotation in annotations], np.float64).reshape(-1, 4)
    corners = np.concatenate([boxes[:, :2], boxes[:, :2] + np.maximum(boxes[:, 2:], 0)], 1)
    limit = np.tile([row["width"], row["height"]], 2)
    return Objects(
        np.clip(corners, 0, limit),
        np.array([classes[annotation["category_id"]] for annotation in annotations], np.int64),
        np.array([annotation.get("iscrowd", 0) == 1 for annotation in annotations], bool),
    )
