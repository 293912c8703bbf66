"""A report as one page of HTML that needs no other file and no network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from src.errors import UserError
from src.runtime.texts import printable
from src.search.report.document import Report

if TYPE_CHECKING:
    from jinja2 import Template

PAGE = Path(__file__).with_name("page.html")


def to_html(report: Report, images: Mapping[str, bytes], mark: str) -> str:
    """Return the page of a report.

    Args:
        report: the report.
        images: its pictures as PNG, by their names.
        mark: a comment in the second line, by which the page is known as this program's own.

    Raises:
        UserError: Jinja is not installed.
    """
    encoded = {name: b64encode(content).decode() for name, content in images.items()}
    return page_template().render(report=report, images=encoded, mark=mark)


@lru_cache(maxsize=1)
def page_template() -> Template:
    """Return the template of the page. It escapes all texts.

    Raises:
        UserError: Jinja is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError:
        raise UserError("a report needs jinja2; `pip install '.[search]'`") from None
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["printable"] = printable
    return environment.from_string(PAGE.read_text(encoding="utf-8"))
