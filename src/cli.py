"""From flags and YAML files to one checked configuration, and from an exception to an exit status.

Exit status: 0 done; 2 the user's mistake, reported in one line; 3 training diverged; 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from src.config import COMMANDS, Options, keys
from src.config.options import CONFLICT, expand_path, key_of
from src.design.architecture_file import SUFFIXES
from src.errors import Diverged, UserError, did_you_mean
from src.runtime import texts
from src.runtime.files import check_working_folder
from src.runtime.streams import flush_output, prepare_streams, print_error, report

Schema = TypeVar("Schema", bound=Options)
LONGEST_VALUE = 200  # characters of a value in an error line
COMMAND_LINE = "command line"  # as the place where a value was set
Command = tuple[type[Options], Callable[[Any], None]]  # a command's schema, and the function that does its work


def run(schema: type[Schema], action: Callable[[Schema], None], doc: str, argv: Sequence[str] | None = None) -> int:
    """Parse `argv`, call `action` and return the exit status: all that a root script does.

    Args:
        schema: the options of the script.
        action: the work; it gets the configuration.
        doc: the script's docstring, shown by `--help`.
        argv: arguments without the script's name; default those of this process.
    """
    return _act(Parser(schema, description=doc), action, list(sys.argv[1:] if argv is None else argv))


def run_commands(commands: Mapping[str, Command], doc: str, argv: Sequence[str] | None = None) -> int:
    """Run the command that the first argument names, and return the exit status; see `run`.

    The docstring of a command's function is its help: the first line in the list of commands, and all up to
    `Raises:` in its own `--help`. Without arguments, the commands are listed.
    """
    name, *argv = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    program = Parser(description=doc)
    choices = program.add_subparsers(title="commands", metavar="COMMAND")
    parsers = {}
    for command, (schema, action) in commands.items():
        text = cleandoc(action.__doc__ or "").partition("\nRaises:")[0]
        parsers[command] = choices.add_parser(command, schema=schema, help=text.partition("\n")[0], description=text)
    if name in commands:
        # Not through `program`, because argparse lets flags stand between words only in a parser without sub-parsers.
        return _act(parsers[name], commands[name][1], argv)
    prepare_streams()
    if name in ("-h", "--help"):
        try:
            program.print_help()
        except (UserError, OSError) as error:
            return report(error)
        return 0
    expected = f"expected {', '.join(commands)}; `{program.prog} --help` describes them"
    print_error(f"error: unknown command {name!r}{did_you_mean(name, commands)}; {expected}")
    return 2


def _act(parser: Parser, action: Callable[[Any], None], argv: Sequence[str]) -> int:
    prepare_streams()
    debug = "--debug" in argv
    try:
        check_working_folder()
        config = _configuration(parser, argv)
        debug = config.debug
        action(config)
        flush_output()
    except (UserError, Diverged, OSError, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        return report(error)
    return 0


def parse(schema: type[Schema], argv: Sequence[str], doc: str = "") -> Schema:
    """Return the configuration that flags and `--config` give.

    Raises:
        UserError: unknown flag or key, wrong type, value out of range, unreadable YAML.
    """
    return _configuration(Parser(schema, description=doc), argv)


def validate(schema: type[Schema], values: Mapping[str, Any], origin: Mapping[str, str]) -> Schema:
    """Return `values` (by key) as a configuration; `origin` says for each key where it was set.

    Raises:
        UserError: the first value that does not fit: where it was set, key, value, what is allowed.
    """
    for key, value in values.items():
        field = schema.model_fields[keys(schema)[key]]
        if isinstance(value, bool) and field.annotation is not bool:  # pydantic would take it for 0 or 1
            raise UserError(f"{origin.get(key)}: {key} is {str(value).lower()}, a boolean ({key}: {field.description})")
        if _is_number(field) and "_" in str(value):  # pydantic would read 1_0 as 10, as Python does; YAML does not
            raise UserError(f"{origin.get(key)}: {key} is {value!r}: expected digits without _")
    try:
        return schema.model_validate(values)
    except ValidationError as failure:
        error = failure.errors()[0]
        key = _blamed(error["ctx"]["keys"], origin) if error["type"] == CONFLICT else str(error["loc"][0])
        field = schema.model_fields[keys(schema)[key]]
        text = error["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
        value, place = _short(repr(values.get(key, field.default))), origin.get(key, "default")
        raise UserError(f"{place}: {key} is {value}: {text} ({key}: {field.description})") from None


def _blamed(keys: Sequence[str], origin: Mapping[str, str]) -> str:
    """Return the key that a user would change: one of the command line, else one of a file, else the first."""
    rank = {"default": 0, COMMAND_LINE: 2}
    return max(keys, key=lambda key: rank.get(origin.get(key, "default"), 1))


def read_yaml(file: Path, seen: tuple[str, ...] = ()) -> dict[str, tuple[Any, Path]]:
    """Return key -> (value, file that sets it) of a YAML file and its `base:` (a path relative to the file).

    A key of the file overrules the same key of its base. `seen` are the real paths of the files that led here.

    Raises:
        UserError: the file is missing, is not a mapping, has an unknown key, or is its own base.
    """
    real = os.path.realpath(file)
    if real in seen:
        raise UserError(f"{file}: `base:` leads back to the file itself; remove one of the links")
    content = _read_mapping(file)
    base = content.pop("base", None)
    known = {key for command in COMMANDS for key in keys(command)}
    for key in content:
        if key not in known:
            raise UserError(
                f"{file}: unknown key {key!r}{did_you_mean(str(key), known)}; `--help` of the command lists all keys"
            )
    for key in ("model", "recipe"):  # an architecture file and a recipe may be named relative to this file
        name = content.get(key)
        if isinstance(name, str) and Path(name).suffix in SUFFIXES and (file.parent / name).exists():
            content[key] = str(file.parent / name)
    values = {key: (value, file) for key, value in content.items()}
    if base is None:
        return values
    return read_yaml(file.parent / _path(base, str(file), "base"), (*seen, real)) | values


def _read_mapping(file: Path) -> dict[str, Any]:
    try:
        content = texts.read_yaml(file)
    except OSError as error:
        raise UserError(
            f"cannot read the configuration {file}: {error.strerror}; config/ holds those of this project"
        ) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UserError(f"{file} holds a {type(content).__name__}; expected lines of `key: value`")
    return content


class _Once(argparse.Action):
    """Stores the value of a flag. Another value of the same flag is a mistake; argparse would take the last one."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, flag: str | None = None
    ) -> None:
        earlier = getattr(namespace, self.dest, None)
        if earlier not in (None, values):
            both = " and ".join(" ".join(value) if isinstance(value, list) else value for value in (earlier, values))
            parser.error(f"{flag} is given twice, as {both}; leave one of them out")
        setattr(namespace, self.dest, values)


class _Switch(argparse.BooleanOptionalAction):
    """Stores whether a flag is on (--FLAG) or off (--no-FLAG). To give both is a mistake."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, flag: str | None = None
    ) -> None:
        is_on = not str(flag).startswith("--no-")
        if getattr(namespace, self.dest, None) not in (None, is_on):
            parser.error(f"{' and '.join(self.option_strings)} are both given; leave one of them out")
        setattr(namespace, self.dest, is_on)


class Parser(argparse.ArgumentParser):
    """An argparse parser with the flags of a schema; a mistake raises a `UserError` of one line."""

    def __init__(self, schema: type[Options] | None = None, **settings: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **settings)
        self.register("action", None, _Once)
        if schema is None:  # a program with several commands
            return
        self.schema = schema
        words = "".join(f" [{field.title} ...]" for field in schema.model_fields.values() if _is_positional(field))
        self.usage = self.usage or f"%(prog)s [--config YAML] [--FLAG VALUE ...]{words}"
        if "config" not in schema.model_fields:
            self.add_argument("--config", metavar="YAML", help="configuration file; flags overrule it")
        sections = {title: self.add_argument_group(title) for title in dict.fromkeys(schema.group_titles.values())}
        for name, title in schema.group_titles.items():
            _add_flag(sections[title], key_of(name, schema), schema.model_fields[name])

    def print_help(self, file: Any = None) -> None:
        super().print_help(file)
        flush_output()

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; `{self.prog} --help` lists all flags")

    def flags(self, argv: Sequence[str]) -> tuple[dict[str, str], list[str]]:
        """Return what the command line sets by key, still as text, and the words that the schema does not know."""
        found, unknown = self.parse_known_intermixed_args([underscored(word) for word in argv])
        return {key: value for key, value in vars(found).items() if value not in (None, [])}, unknown


def _configuration(parser: Parser, argv: Sequence[str]) -> Any:
    flags, unknown = parser.flags(argv)
    if unknown:
        flag = unknown[0].split("=")[0]
        known = [f"--{key}" for key in (*keys(parser.schema), "config")]
        what = "unknown flag" if flag.startswith("-") else "unexpected argument"
        raise UserError(f"{what} {flag!r}{did_you_mean(flag, known)}; `{parser.prog} --help` lists all flags")
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    if (config_file := flags.pop("config", None)) is not None:
        for key, (value, file) in read_yaml(_path(config_file, COMMAND_LINE, "config")).items():
            if key in keys(parser.schema):
                values[key], origin[key] = value, str(file)
            elif parser.schema.other_keys:
                raise UserError(f"{file}: {key} is no key of this command; {parser.schema.other_keys}")
    return validate(parser.schema, values | flags, origin | dict.fromkeys(flags, COMMAND_LINE))


def _path(text: Any, origin: str, key: str) -> Path:
    try:
        if not isinstance(text, str):
            raise ValueError("expected a path, which is a text")
        return Path(expand_path(text))
    except ValueError as error:
        raise UserError(f"{origin}: {key} is {text!r}: {error}") from None


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


def _add_flag(section: argparse._ArgumentGroup, key: str, field: FieldInfo) -> None:
    default = "" if field.default in (None, (), "") else f" [{_plain(field.default)}]"
    text = f"{field.description}{default}".replace("%", "%%")
    origin, parts = get_origin(field.annotation), get_args(field.annotation)
    if field.annotation is bool:
        section.add_argument(f"--{key}", action=_Switch, help=text, default=None)
    elif _is_positional(field):
        section.add_argument(key, action="store", nargs="*", metavar=field.title, help=text)
    elif origin is tuple:
        section.add_argument(f"--{key}", nargs=2, metavar=("MIN", "MAX"), help=text)
    elif origin is Literal:
        section.add_argument(f"--{key}", metavar="{" + ",".join(parts) + "}", help=text)
    else:  # a plain type, or an optional one: X | None
        kind: Any = parts[0] if parts else field.annotation
        section.add_argument(f"--{key}", metavar=field.title or kind.__name__.upper(), help=text)


def _is_number(field: FieldInfo) -> bool:
    """Return whether a field takes a number, none or a number, or two numbers."""
    return bool({field.annotation, *get_args(field.annotation)} & {int, float})


def _is_positional(field: FieldInfo) -> bool:
    """Return whether a field takes any number of words without a flag."""
    return get_origin(field.annotation) is tuple and Ellipsis in get_args(field.annotation)


def _plain(default: Any) -> str:
    return " ".join(f"{value:.4g}" for value in default) if isinstance(default, tuple) else str(default)


def underscored(word: str) -> str:
    """Return `--batch-size=8` as `--batch_size=8`; values stay as they are."""
    if not word.startswith("--"):
        return word
    flag, equals, value = word.partition("=")
    prefix = "--no-" if flag.startswith("--no-") else "--"
    return prefix + flag.removeprefix(prefix).replace("-", "_") + equals + value
