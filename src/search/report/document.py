"""A report as data: sections of paragraphs, tables, pictures and code. `html.py` and `markdown.py` write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from urllib.parse import quote

from src.runtime.texts import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Link(NamedTuple):
    """A text that leads to a file or folder, relative to the report."""

    text: str
    target: str


class Column(NamedTuple):
    """The heading of a column, with its unit, and the format of its numbers, as in `format(number, "...")`."""

    title: str
    form: str = ""
    on_page_only: bool = False  # a long text that only the page shows, on demand


class Shown(NamedTuple):
    """A cell as a reader sees it: its text without control characters, its number, and where it leads."""

    text: str
    number: float | None = None
    target: str = ""


Cell: TypeAlias = "str | int | float | Link | None"


@dataclass(frozen=True)
class Table:
    """Rows of cells. None and numbers that are not finite stand for what is not known."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    long: bool = False  # a table that the Markdown text cuts off

    def shown(self, row: Sequence[Cell]) -> list[Shown]:
        """Return the cells of a row as a reader sees them."""
        return [_shown(cell, column.form) for cell, column in zip(row, self.columns)]


@dataclass(frozen=True)
class Picture:
    """A picture: the name of its file without the suffix, what it shows, and the function that draws it."""

    name: str
    caption: str
    draw: Callable[[], Figure]


@dataclass(frozen=True)
class Code:
    """Lines that keep their columns: commands for a shell, or the table of a network."""

    lines: Sequence[str]
    language: str = "bash"


Block: TypeAlias = "str | Table | Picture | Code"


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; a text is a paragraph."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Report:
    """A title, the blocks before the first heading, and sections."""

    title: str
    lead: Sequence[Block]
    sections: Sequence[Section]

    def pictures(self) -> list[Picture]:
        """Return all pictures, in their order."""
        blocks = [*self.lead, *(block for section in self.sections for block in section.blocks)]
        return [block for block in blocks if isinstance(block, Picture)]


def _shown(cell: Cell, form: str) -> Shown:
    if isinstance(cell, Link):
        return Shown(printable(cell.text), float(cell.text) if cell.text.isdecimal() else None, quote(cell.target))
    if isinstance(cell, str):
        return Shown(printable(cell))
    known = cell is not None and isfinite(cell)
    return Shown(format(cell, form), number=cell) if known else Shown("")
