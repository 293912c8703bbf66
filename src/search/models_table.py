"""The Markdown tables of networks, their cost and published accuracy, and the documents that hold such a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from src.config import TableConfig
from src.design.cost import total_cost
from src.design.families import ARCHITECTURES
from src.errors import UserError
from src.runtime.files import atomic_write
from src.runtime.texts import read_bytes
from src.search.published import ROWS, Published, Weights

END = "<!-- end of the table -->"
UNKNOWN = "—"


class Column(NamedTuple):
    """One column: its heading in English and in Chinese, and the function that writes a network's cell."""

    english: str
    chinese: str
    cell: Callable[[Published], str]


class Table(NamedTuple):
    """The columns and networks that a document shows between the markers `begin` and `END`."""

    begin: str
    columns: tuple[Column, ...]
    networks: tuple[str, ...]

    def markdown(self, chinese: bool = False) -> str:
        """Return the table with one line per network."""
        header = [column.chinese if chinese else column.english for column in self.columns]
        rows = [[column.cell(row) for column in self.columns] for row in ROWS if row.name in self.networks]
        return "\n".join(f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows))


def show_models(config: TableConfig) -> None:
    """Print all networks in Markdown: cost, published accuracy and its source, name in timm, recipe.

    python search.py table
    python search.py table --write README.md README_CN.md

    Raises:
        UserError: `--write` is given without files or files without `--write`, or as for `write_table`.
    """
    if config.write != bool(config.files):
        raise UserError(
            "--write and files belong together, such as `search.py table --write README.md`; give both or neither"
        )
    if config.write:
        write_table(config.files)
    else:
        print(ALL_NETWORKS.markdown())


def with_table(path: Path) -> str:
    """Return the text of a document with its table brought up to date.

    The opening marker says which table it is. Documents named *_CN.md or in a folder `zh` get Chinese headings.

    Raises:
        UserError: the file cannot be read, or does not hold the markers of one table once each and in order.
    """
    try:
        text = read_bytes(path).decode()  # not `read_text`: what is not the table stays as it is
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not a text in UTF-8; name a Markdown file") from None
    tables = [table for table in TABLES if table.begin in text]
    before, begin, rest = text.partition(tables[0].begin) if tables else (text, "", "")
    _, end, after = rest.partition(END)
    if len(tables) != 1 or not end or begin in rest or END in before + after:
        begins = " or ".join(f"`{table.begin}`" for table in TABLES)
        raise UserError(f"{path} has no place for a table: put the lines {begins} and `{END}` there, once each")
    chinese = path.stem.endswith("_CN") or "zh" in path.parts
    return f"{before}{begin}\n\n{tables[0].markdown(chinese)}\n\n{END}{after}"


def write_table(paths: tuple[Path, ...]) -> None:
    """Bring the tables of documents up to date. If one document cannot be read, no document is changed.

    Raises:
        UserError: as for `with_table`, or a file cannot be written.
    """
    for path, text in [(path, with_table(path)) for path in paths]:
        with atomic_write(path) as temporary:
            temporary.write_bytes(text.encode())


def _input(row: Published) -> str:
    return str(ARCHITECTURES[row.name].resolution)


def _parameters(row: Published) -> str:
    return f"{total_cost(ARCHITECTURES[row.name]).parameters:,}"


def _macs(row: Published) -> str:
    return f"{total_cost(ARCHITECTURES[row.name]).macs / 1e6:,.1f} M"


def _top1(row: Published) -> str:
    return UNKNOWN if row.top1 is None else str(row.top1)


def _top1_and_top5(row: Published) -> str:
    return f"{_top1(row)} ({row.top5})" if row.top5 else _top1(row)


def _first_weights(row: Published) -> str:
    return f"{row.weights[0].top1:.2f} `{row.weights[0].name}`" if row.weights else UNKNOWN


def _all_weights(row: Published) -> str:
    return "; ".join(map(_weights, row.weights)) or UNKNOWN


def _weights(weights: Weights) -> str:
    pixels = f", {weights.pixels} px" if weights.pixels else ""
    return f"{weights.top1:.2f} ({weights.top5:.2f}) `{weights.name}`{pixels}"


NETWORK = Column("network", "网络", lambda row: f"`{row.name}`")
COST = (
    Column("input", "输入", _input),
    Column("parameters", "参数量", _parameters),
    Column("MACs", "MACs", _macs),
)

ALL_NETWORKS = Table(
    "<!-- all networks: made by `python search.py table --write FILE` -->",
    (
        NETWORK,
        *COST,
        Column("top-1 (top-5), published", "公布的 top-1（top-5）", _top1_and_top5),
        Column("published by", "出处", lambda row: row.source or UNKNOWN),
        Column("name in timm", "timm 中的名称", lambda row: f"`{row.name}`" if row.timm else UNKNOWN),
        Column(
            "released weights: top-1 (top-5), measured by timm", "发布的权重：timm 实测的 top-1（top-5）", _all_weights
        ),
        Column("recipe in config/", "config/ 中的训练方案", lambda row: f"`{row.recipe}`"),
    ),
    tuple(ARCHITECTURES),
)
MAIN_NETWORKS = Table(
    "<!-- main networks: made by `python search.py table --write FILE` -->",
    (
        NETWORK,
        *COST,
        Column("top-1, published", "公布的 top-1", _top1),
        Column("top-1 of released weights", "发布的权重的 top-1", _first_weights),
    ),
    ("tinynet_a", "tinynet_b", "tinynet_c", "tinynet_d", "tinynet_e", "efficientnet_b0", "ghostnet_100"),
)
TABLES = (ALL_NETWORKS, MAIN_NETWORKS)
