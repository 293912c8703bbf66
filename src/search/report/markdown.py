"""A report as a text in Markdown, with its pictures beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from src.runtime.texts import printable
from src.search.report.document import Block, Code, Picture, Report, Shown, Table

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")  # characters that Markdown would read
MOST_ROWS = 50  # of a long table; trials.csv has all


def to_markdown(report: Report, folder: str) -> str:
    """Return the text of a report whose pictures are in `folder`, relative to it."""
    lines = [f"# {escaped(report.title)}", ""]
    lines += _blocks(report.lead, folder)
    for section in report.sections:
        lines += [f"## {escaped(section.title)}", "", *_blocks(section.blocks, folder)]
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line."""
    return SPECIAL.sub(r"\\\1", printable(text))


def _blocks(blocks: Sequence[Block], folder: str) -> Iterator[str]:
    for block in blocks:
        yield from _block(block, folder)
        yield ""


def _block(block: Block, folder: str) -> Iterator[str]:
    if isinstance(block, str):
        yield escaped(block)
    elif isinstance(block, Picture):
        yield f"![{block.name}]({quote(f'{folder}/{block.name}.png')})"
        yield ""
        yield escaped(block.caption)
    elif isinstance(block, Code):
        yield from (f"```{block.language}", *map(printable, block.lines), "```")
    else:
        yield from _table(block)


def _table(table: Table) -> Iterator[str]:
    shown = [index for index, column in enumerate(table.columns) if not column.on_page_only]
    yield _row([escaped(table.columns[index].title) for index in shown])
    yield _row(["---:" if table.columns[index].form else "---" for index in shown])
    count = min(len(table.rows), MOST_ROWS) if table.long else len(table.rows)
    for row in table.rows[:count]:
        cells = table.shown(row)
        yield _row([_cell(cells[index]) for index in shown])
    if count < len(table.rows):
        yield ""
        yield f"{len(table.rows) - count:,} more rows are in trials.csv and in report.html."


def _cell(cell: Shown) -> str:
    return f"[{escaped(cell.text)}]({cell.target})" if cell.target else escaped(cell.text)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
