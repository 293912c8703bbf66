"""Figures of matplotlib, which is imported at the first use: made, lettered in any script, and written."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src.errors import UserError
from src.runtime.files import atomic_write, check_output
from src.runtime.texts import shortened

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontEntry
    from matplotlib.text import Text

logger = logging.getLogger(__name__)

AUTHOR = "tinynet-mindspore"  # in the metadata of each picture, so that a later call may replace it
AUTHOR_KEYS = {".png": "Software", ".pdf": "Creator"}
MARKS = ((b"\x89PNG", b"tEXtSoftware\0%s"), (b"%PDF", b"/Creator (%s)"))  # start of a file, and its author in it
NOT_OURS = "was not drawn by this project"
LAST_RESORT = "Last Resort"  # fonts with boxes for all characters
MOST_NAMED = 10  # characters in a log line
LEAST_SHOWN = 3  # letters of a name: its first and last one, and the sign for the others


def new_figure(width: float, height: float, flag: str) -> Figure:
    """Return an empty figure of `width` x `height` inches. `flag` asked for it, such as `--sheet`.

    Raises:
        UserError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise UserError(f"{flag} needs matplotlib; `pip install matplotlib`") from None
    return Figure(figsize=(width, height), layout="constrained")


def check_picture_path(path: Path, flag: str) -> None:
    """Check before long work that `write_figure` will be able to draw and may write `path`.

    Raises:
        UserError: matplotlib is not installed, or `path` is a file that this project did not draw.
    """
    new_figure(1, 1, flag)
    check_output(path, _is_own, fault=NOT_OURS)


def write_figure(figure: Figure, path: Path, dpi: int) -> None:
    """Write a figure as PNG or PDF. Characters that the default font lacks come from other installed fonts.

    Raises:
        UserError: the file cannot be written, or is one that this project did not draw.
    """
    check_output(path, _is_own, fault=NOT_OURS)
    missing = _choose_fonts(figure)
    if missing:
        named = " ".join(sorted(missing)[:MOST_NAMED]) + " ..." * (len(missing) > MOST_NAMED)
        logger.warning("%s: no installed font has %s; install one, such as Noto Sans CJK for Chinese", path, named)
    with atomic_write(path) as temporary, _quiet_about_glyphs():
        figure.savefig(temporary, dpi=dpi, metadata={AUTHOR_KEYS[path.suffix.lower()]: AUTHOR})


def fitted(figure: Figure, names: Sequence[str], inches: float, size: float) -> list[str]:
    """Return names for a figure, each at most `inches` wide in letters of `size` points; wider ones lose their middle.

    The width is that of the drawn letters: a Chinese one takes the place of two Latin ones.
    """
    from matplotlib.backends.backend_agg import RendererAgg

    renderer = RendererAgg(1, 1, figure.dpi)  # each text would make one as large as the figure, 20 ms
    probes = [figure.text(0, 0, literal(name), fontsize=size) for name in names]
    _choose_fonts(figure)
    with _quiet_about_glyphs():
        labels = [_fit(probe, name, inches * figure.dpi, renderer) for probe, name in zip(probes, names, strict=True)]
    for probe in probes:
        probe.remove()
    return labels


def _fit(probe: Text, name: str, widest: float, renderer: RendererAgg) -> str:
    """Return `name` with as many letters as `probe` shows in `widest` pixels."""
    longest = len(name)
    while longest > LEAST_SHOWN and (width := probe.get_window_extent(renderer).width) > widest:
        longest = max(LEAST_SHOWN, min(longest - 1, int(longest * widest / width)))
        probe.set_text(literal(shortened(name, longest)))
    return str(probe.get_text())


def literal(text: str) -> str:
    """Return a text that matplotlib prints unchanged: it would read a formula between dollar signs.

    Characters without a shape, and bytes of a file name that are not UTF-8, are written as escapes.
    """
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
    return shown.replace("$", r"\$")


@contextlib.contextmanager
def _quiet_about_glyphs() -> Iterator[None]:
    """Do without matplotlib's warning of each letter that is in no font; `write_figure` names them in one line."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing")
        yield


def _is_own(path: Path) -> bool:
    """Return whether this project drew the picture at `path`."""
    content = path.read_bytes()
    return any(content.startswith(start) and mark % AUTHOR.encode() in content for start, mark in MARKS)


def _choose_fonts(figure: Figure) -> set[str]:
    """Add fonts to the texts of a figure, so that each character is in one. Return those that no font has."""
    from matplotlib.font_manager import FontProperties, findfont, fontManager
    from matplotlib.text import Text

    texts: list[Any] = figure.findobj(Text)
    default = findfont(FontProperties())
    missing = {letter for text in texts for letter in text.get_text() if not _has(default, letter)} - {"\n"}
    chosen: list[str] = []
    while missing and (best := _best_font(fontManager.ttflist, missing)):
        chosen.append(best.name)
        missing = {letter for letter in missing if not _has(best.fname, letter)}
    if chosen:
        for text in texts:
            text.set_fontfamily([*text.get_fontfamily(), *chosen])
    return missing


def _best_font(fonts: Iterable[FontEntry], letters: set[str]) -> FontEntry | None:
    """Return the upright font of normal weight that has the most of `letters`; of equal ones the first by name."""
    upright = [font for font in fonts if font.style == "normal" and str(font.weight) in ("400", "normal")]
    counts = {
        font: sum(_has(font.fname, letter) for letter in letters)
        for font in sorted(upright, key=lambda font: font.name)
        if LAST_RESORT not in font.name
    }
    best = max(counts, key=lambda font: counts[font], default=None)
    return best if best and counts[best] else None


def _has(file: str, letter: str) -> bool:
    """Return whether a font file has an outline for a character."""
    from matplotlib.font_manager import get_font

    try:
        font = get_font(file)
    except (OSError, RuntimeError):  # an installed font may be damaged or of a kind that matplotlib cannot read
        return False
    return bool(font.scalable and font.get_char_index(ord(letter)))
