"""Texts that users edit, on any system and in any editor: their encoding, YAML and JSON without surprises.

YAML is read by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema). PyYAML follows YAML 1.1,
where `1e-3` is a text, `on` a boolean, `010` the number 8 and `1:30` the number 90.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import yaml

from src.errors import UserError

MOST_NODES = 100_000  # of a YAML file whose aliases are written out; an architecture has a few hundred
DEEPEST = 100  # lists and mappings in each other; an architecture has 3
# Control characters and line separators, which would break a line of output, and bytes of names that are not UTF-8.
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def read_bytes(path: Path) -> bytes:
    """Return the content of a file or a pipe that a user names.

    Raises:
        OSError: it cannot be read.
        UserError: it is a device; `/dev/zero` has no end.
    """
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise UserError(f"{path} is a device; give a file or a pipe")
    return path.read_bytes()


def read_text(path: Path, errors: str = "strict") -> str:
    r"""Return a text in UTF-8, without its byte order mark, and with \n at the ends of its lines.

    Args:
        errors: what happens to bytes that are not UTF-8, as in `bytes.decode`.

    Raises:
        OSError: the file cannot be read.
        UserError: it is a device, or in another encoding.
    """
    content = read_bytes(path)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UserError(f"{path} is in UTF-16; save it as UTF-8")
    try:
        text = content.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        line, byte = content.count(b"\n", 0, error.start) + 1, content[error.start]
        raise UserError(f"{path}: line {line} is not UTF-8 (byte 0x{byte:02x}); save the file as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path) -> list[str]:
    """Return the lines of a text without blanks at their ends.

    Raises:
        OSError, UserError: as `read_text`.
    """
    return [line.rstrip(" \t\n") for line in io.StringIO(read_text(path))]


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file; None if it is empty.

    Raises:
        OSError: the file cannot be read.
        UserError: it is not YAML in UTF-8, or a key stands twice in a mapping.
    """
    try:
        return _load_yaml(read_text(path))
    except UserError:
        raise
    except (yaml.YAMLError, ValueError, KeyError) as error:
        raise UserError(f"{path} is not valid YAML: {_yaml_fault(error)}") from None


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        OSError: the file cannot be read.
        UserError: it is not JSON in UTF-8, or a key stands twice in an object.
    """
    try:
        return json.loads(read_text(path), object_pairs_hook=_unique)
    except UserError:
        raise
    except RecursionError:
        raise UserError(f"{path} is not valid JSON: it is nested too deeply") from None
    except ValueError as error:
        raise UserError(f"{path} is not valid JSON: {error}") from None


def printable(text: str) -> str:
    r"""Return a text for one line of any output: line breaks as \n, bytes of a name that are not UTF-8 as \udcXX."""
    return HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def printable_lines(text: str) -> str:
    """Return a text for a terminal: its lines, each without control characters, which a name in it may have."""
    return "\n".join(map(printable, text.split("\n")))


def utf8_name(name: str) -> str:
    """Return the name of a file as programs see it in a UTF-8 locale: weights keep the names of classes everywhere."""
    return os.fsencode(name).decode("utf-8", "surrogateescape")


def shortened(text: str, longest: int) -> str:
    """Return a text of at most `longest` characters: a longer one loses its middle, between its start and end."""
    if len(text) <= longest:
        return text
    end = longest // 2
    return f"{text[: longest - end - 1]}\u2026{text[-end:]}"


class Dumper(yaml.SafeDumper):
    """Writes YAML that reads the same by YAML 1.1 and 1.2: texts that either takes for numbers are quoted."""


FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
CORE_SCHEMA = {  # kind of scalar -> form of the text, and its possible first characters; the first that fits counts
    "null": (r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (FLOAT, list("-+.0123456789")),
    "merge": (r"<<", ["<"]),
}
KINDS = (*CORE_SCHEMA, "str", "seq", "map")


def _tag(kind: str) -> str:
    return f"tag:yaml.org,2002:{kind}"


class _Loader(yaml.SafeLoader):
    """Reads YAML by the core schema of YAML 1.2. A key that stands twice is an error, as YAML demands."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # without those of YAML 1.1
    yaml_constructors = {
        tag: constructor for tag, constructor in yaml.SafeLoader.yaml_constructors.items() if tag in [*map(_tag, KINDS)]
    }

    depth = 0  # of the node that is being read

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.depth == DEEPEST:
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, f"nested more than {DEEPEST} deep", mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.composer.ComposerError(None, None, f"the key {key.value!r} stands twice", key.start_mark)
            seen.add(key.value)
        return node

    def construct_core_int(self, node: yaml.ScalarNode) -> int:
        text = str(self.construct_scalar(node))
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)

    def refuse_tag(self, node: yaml.Node) -> None:
        raise yaml.constructor.ConstructorError(None, None, f"unknown tag {node.tag}", node.start_mark)


for _kind, (_form, _first) in CORE_SCHEMA.items():
    for _class in (_Loader, Dumper):
        _class.add_implicit_resolver(_tag(_kind), re.compile(f"(?:{_form})$"), _first)
_Loader.add_constructor(_tag("int"), _Loader.construct_core_int)
_Loader.add_constructor(None, _Loader.refuse_tag)


def _load_yaml(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            _check_aliases(node)
        return None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _check_aliases(node: yaml.Node) -> None:
    size = _written_out(node, {})
    if size == float("inf"):
        raise ValueError("a list or mapping contains itself by an alias")
    if size > MOST_NODES:
        raise ValueError(f"its aliases stand for more than {MOST_NODES:,} values")


def _written_out(node: yaml.Node, sizes: dict[int, float]) -> float:
    """Return how many values a node holds if its aliases are written out; infinity if it contains itself."""
    if id(node) not in sizes:
        sizes[id(node)] = float("inf")  # until it is known: what contains itself finds this
        inside = node.value if isinstance(node, yaml.CollectionNode) else []
        parts = [part for item in inside for part in (item if isinstance(item, tuple) else (item,))]
        sizes[id(node)] = 1 + sum(_written_out(part, sizes) for part in parts)
    return sizes[id(node)]


def _yaml_fault(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        hint = "; put spaces in the place of the tab" if "'\\t'" in str(error.problem) else ""
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}{hint}"
    return " ".join(str(error).split())


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice")
    return content
