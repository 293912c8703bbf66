"""From the command line and YAML files to one checked configuration; from an exception to an exit status.

Exit status: 0 done; 2 the user's mistake, in one line; 3 training diverged; 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from src.config import COMMANDS, Options, keys
from src.design.architecture_file import SUFFIXES
from src.errors import Diverged, UserError, did_you_mean

Schema = TypeVar("Schema", bound=Options)


def run_command(
    commands: dict[str, tuple[type[Options], Callable[[Any], None]]], doc: str, argv: Sequence[str] | None = None
) -> int:
    """`run` the command that the first word names: of a root script that has several."""
    program = Path(sys.argv[0]).name
    name, *argv = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in commands:
        schema, action = commands[name]
        return run(schema, action, cleandoc(action.__doc__ or "").partition("\nRaises:")[0], argv, f"{program} {name}")
    summary = {key: (action.__doc__ or "").partition("\n")[0] for key, (_, action) in commands.items()}
    if name in ("-h", "--help"):
        print(f"usage: {program} {{{','.join(commands)}}} ...\n\n{doc}")
        print("\n".join(f"  {key:10}{text}" for key, text in summary.items()))
        print(f"\n`{program} {next(iter(commands))} --help` and so on list the flags.")
        return 0
    print(f"error: there is no command {name!r}{did_you_mean(name, commands)} ({', '.join(commands)})", file=sys.stderr)
    return 2


def run(
    schema: type[Schema],
    action: Callable[[Schema], None],
    doc: str,
    argv: Sequence[str] | None = None,
    program: str | None = None,
) -> int:
    """Parse, act, and turn what goes wrong into an exit status (the whole of a root script)."""
    argv = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in argv
    try:
        config = parse(schema, argv, doc, program)
        debug = config.debug
        action(config)
    except (UserError, Diverged) as error:
        if debug:
            traceback.print_exc()
        print(f"error: {error}", file=sys.stderr)
        return 3 if isinstance(error, Diverged) else 2
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has seen enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the interpreter's own flush at exit
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


def parse(schema: type[Schema], argv: Sequence[str], doc: str = "", program: str | None = None) -> Schema:
    """The configuration that flags and `--config` give; `program` is its name in messages, default the script's.

    Raises:
        UserError: unknown flag or key, wrong type, out of range, unreadable YAML.
    """
    flags = _flags(schema, argv, doc, program)
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    if config_file := flags.pop("config", None):
        for key, (value, file) in read_yaml(Path(config_file)).items():
            if key in keys(schema):
                values[key], origin[key] = value, str(file)
    for key, value in flags.items():
        values[key], origin[key] = value, "command line"
    return validate(schema, values, origin)


def validate(schema: type[Schema], values: dict[str, Any], origin: dict[str, str]) -> Schema:
    """`values` checked against the schema; `origin` names where each key was set, for the error.

    Raises:
        UserError: the first value that does not fit: where, key, value, what is allowed.
    """
    for key, value in values.items():
        if isinstance(value, bool) and schema.model_fields[keys(schema)[key]].annotation is not bool:
            raise UserError(f"{origin.get(key)}: {key} is {value}; YAML takes on, off, yes and no for that: quote them")
    try:
        return schema.model_validate(values)
    except ValidationError as failure:
        error = failure.errors()[0]
        key = str(error["loc"][0])
        text = error["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
        described = schema.model_fields[keys(schema)[key]].description
        shown = values.get(key, error["input"])
        raise UserError(f"{origin.get(key, 'default')}: {key} is {shown!r}: {text} ({key}: {described})") from None


def read_yaml(file: Path, seen: tuple[Path, ...] = ()) -> dict[str, tuple[Any, Path]]:
    """Key -> (value, file that set it) of a YAML file laid over its `base:` (a path relative to the file).

    Raises:
        UserError: the file is missing, is not a mapping, has a key that no command knows, or is its own base.
    """
    if file.resolve() in seen:
        raise UserError(f"{file}: `base:` leads back to the file itself; remove one of the links")
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise UserError(
            f"cannot read the configuration {file}: {error.strerror}; see config/ for those there are"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{file} holds a {type(content).__name__}; expected lines of `key: value`")
    base = content.pop("base", None)
    known = {key for command in COMMANDS for key in keys(command)}
    for key in content:
        if key not in known:
            raise UserError(
                f"{file}: unknown key {key!r}{did_you_mean(str(key), known)}; `train.py --help` lists all keys"
            )
    model = content.get("model")
    if isinstance(model, str) and Path(model).suffix in SUFFIXES and (file.parent / model).exists():
        content["model"] = str(file.parent / model)  # an architecture file, seen from this one
    merged = read_yaml(file.parent / str(base), (*seen, file.resolve())) if base else {}
    return merged | {key: (value, file) for key, value in content.items()}


class Parser(argparse.ArgumentParser):
    """argparse whose complaints are one line and raise."""

    def error(self, message: str) -> None:
        raise UserError(f"{message}; `{self.prog} --help` lists all flags")


def _flags(schema: type[Options], argv: Sequence[str], doc: str, program: str | None) -> dict[str, Any]:
    """What the command line sets, by key, still as text: the schema checks types."""
    words = "".join(f" [{field.title} ...]" for field in schema.model_fields.values() if _is_positional(field))
    parser = Parser(
        prog=program,
        usage=f"%(prog)s [--config YAML] [--FLAG VALUE ...]{words}",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--config", metavar="YAML", help="configuration file; flags overrule it")
    for group in reversed(schema.__mro__):
        declared = [name for name in getattr(group, "__annotations__", {}) if name in schema.model_fields]
        if issubclass(group, Options) and declared:
            section = parser.add_argument_group((group.__doc__ or "").strip().rstrip("."))
            for name in declared:
                _add_flag(section, schema, name)
    known = [option for action in parser._actions for option in action.option_strings]
    argv = [underscored(word) for word in argv]
    found, unknown = parser.parse_known_intermixed_args(argv)
    for word in unknown:
        flag = word.split("=")[0]
        what = "unknown flag" if word.startswith("-") else "unexpected argument"
        raise UserError(f"{what} {flag!r}{did_you_mean(flag, known)}; `{parser.prog} --help` lists all flags")
    return {key: value for key, value in vars(found).items() if value not in (None, [])}


def _add_flag(section: argparse._ArgumentGroup, schema: type[Options], name: str) -> None:
    field = schema.model_fields[name]
    key = field.alias or name
    default = "" if field.default in (None, ()) else f" [{_plain(field.default)}]"
    text = f"{field.description}{default}".replace("%", "%%")
    origin, parts = get_origin(field.annotation), get_args(field.annotation)
    if field.annotation is bool:
        section.add_argument(f"--{key}", action=argparse.BooleanOptionalAction, help=text, default=None)
    elif _is_positional(field):
        section.add_argument(key, nargs="*", metavar=field.title, help=text)
    elif origin is tuple:
        section.add_argument(f"--{key}", nargs=2, metavar=("MIN", "MAX"), help=text)
    elif origin is Literal:
        section.add_argument(f"--{key}", metavar="{" + ",".join(parts) + "}", help=text)
    else:  # a plain type, or one that may be left out: X | None
        kind = parts[0] if parts else field.annotation
        section.add_argument(f"--{key}", metavar=field.title or kind.__name__.upper(), help=text)


def _is_positional(field: FieldInfo) -> bool:
    """Any number of values, without a flag."""
    return get_origin(field.annotation) is tuple and Ellipsis in get_args(field.annotation)


def _plain(default: Any) -> str:
    return " ".join(f"{value:.4g}" for value in default) if isinstance(default, tuple) else str(default)


def underscored(word: str) -> str:
    """`--batch-size=8` as `--batch_size=8`; values are left alone."""
    if not word.startswith("--"):
        return word
    flag, equals, value = word.partition("=")
    prefix = "--no-" if flag.startswith("--no-") else "--"
    return prefix + flag.removeprefix(prefix).replace("-", "_") + equals + value
