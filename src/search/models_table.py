"""The Markdown table of all networks: their cost, what was published of them; and documents that hold it."""

from __future__ import annotations

from pathlib import Path

from src.design.cost import total_cost
from src.design.families import ARCHITECTURES
from src.errors import UserError
from src.runtime.files import atomic_write
from src.search.published import ROWS, Published, Weights

BEGIN = "<!-- table of models: made by `python search.py table --write FILE` -->"
END = "<!-- end of the table of models -->"
UNKNOWN = "—"
HEADER = (
    *("network", "input", "parameters", "MACs", "top-1 (top-5), published", "by"),
    *("timm's network", "top-1 (top-5) of released weights, measured by timm", "recipe in config/"),
)
HEADER_CN = (
    *("网络", "输入", "参数量", "MACs", "已公布的 top-1（top-5）", "出处"),
    *("timm 中的网络", "timm 实测的已发布权重的 top-1（top-5）", "config/ 中的训练方案"),
)


def models_table(chinese: bool = False) -> str:
    """A line for each network by name."""
    rows = [HEADER_CN if chinese else HEADER, ("---",) * len(HEADER), *map(_row, ROWS)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def with_table(path: Path) -> str:
    """What a document (*_CN.md: a Chinese one) should hold: the table of today between its two marker comments.

    Raises:
        UserError: the file cannot be read, or does not have each marker once, in this order.
    """
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not a text in UTF-8; name a Markdown file") from None
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end) or BEGIN in rest or END in before + after:
        raise UserError(f"{path} has no place for the table: put the lines `{BEGIN}` and `{END}` there, once each")
    return f"{before}{BEGIN}\n\n{models_table(path.stem.endswith('_CN'))}\n\n{END}{after}"


def write_table(paths: tuple[Path, ...]) -> None:
    """Bring documents up to date: none of them where one cannot be, each of them whole.

    Raises:
        UserError: as for `with_table`, or a file cannot be written.
    """
    for path, text in [(path, with_table(path)) for path in paths]:
        with atomic_write(path) as temporary:
            temporary.write_bytes(text.encode())


def _row(known: Published) -> tuple[str, ...]:
    network = ARCHITECTURES[known.name]
    parameters, macs, _ = total_cost(network)
    return (
        *(f"`{known.name}`", str(network.resolution), f"{parameters:,}", f"{macs / 1e6:,.1f} M"),
        UNKNOWN if known.top1 is None else f"{known.top1}{f' ({known.top5})' if known.top5 else ''}",
        known.source or UNKNOWN,
        f"`{known.name}`" if known.timm else UNKNOWN,
        "; ".join(map(_measured, known.weights)) or UNKNOWN,
        f"`{known.recipe}`",
    )


def _measured(weights: Weights) -> str:
    pixels = f", {weights.pixels} px" if weights.pixels else ""
    return f"{weights.top1:.2f} ({weights.top5:.2f}) `{weights.name}`{pixels}"
