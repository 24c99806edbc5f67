"""Command-line options whose defaults live in the constructor they configure.

A default is written once, in the signature of the class or function that uses
it; the program reads it from there.  Kaldi's ``.conf`` files are more command
line: one ``--name=value`` per line, ``#`` starts a comment.
"""

from __future__ import annotations

import argparse
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from asdkit.base.errors import DataError


def boolean(text: str) -> bool:
    """Parse ``true`` or ``false``, as Kaldi spells them.

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"expected true or false, got {text!r}")
    return text == "true"


def numbers(text: str) -> tuple[int, ...]:
    """Parse integers separated by commas, e.g. ``3,4,6,3``."""
    return tuple(int(part) for part in text.split(","))


def add_options(
    parser: argparse.ArgumentParser, configurable: Callable[..., Any], **helps: str
) -> None:
    """Give a program one option per named parameter of a class or function.

    Only the parameters named in ``helps`` become options; the type comes from
    the annotation, the default from the signature.

    Args:
        parser: the program's parser.
        configurable: the class or function that owns the defaults.
        helps: parameter name -> help, without the default.

    Raises:
        TypeError: the parameter does not exist or has no default.
    """
    parameters = inspect.signature(configurable).parameters
    hints = typing.get_type_hints(
        configurable.__init__ if inspect.isclass(configurable) else configurable
    )
    for name, text in helps.items():
        if (
            name not in parameters
            or parameters[name].default is inspect.Parameter.empty
        ):
            raise TypeError(f"{configurable.__name__} has no option {name!r}")
        default = parameters[name].default
        shown = str(default).lower() if isinstance(default, bool) else default
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            default=default,
            help=f"{text} (default: {shown})".replace("%", "%%"),
            **_parsing_of(hints[name]),
        )


def options_of(
    configurable: Callable[..., Any], args: argparse.Namespace
) -> dict[str, Any]:
    """Collect from parsed arguments what a class or function takes by keyword."""
    parameters = inspect.signature(configurable).parameters
    return {
        name: getattr(args, name)
        for name, parameter in parameters.items()
        if hasattr(args, name) and parameter.default is not inspect.Parameter.empty
    }


def _parsing_of(hint: Any) -> dict[str, Any]:
    """Translate a type annotation into argparse's type, choices and metavar."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (arg for arg in typing.get_args(hint) if arg is not type(None))
    if typing.get_origin(hint) is typing.Literal:
        return {"choices": typing.get_args(hint)}
    if typing.get_origin(hint) is tuple:
        return {"type": numbers, "metavar": "N,N,..."}
    if hint is bool:
        return {"type": boolean, "metavar": "true|false"}
    return {"type": hint, "metavar": {int: "N", float: "X", str: "NAME"}[hint]}


def read_conf(path: str | Path) -> list[str]:
    """Turn a Kaldi ``.conf`` file into command-line arguments.

    Raises:
        DataError: the file is missing, or a line is not ``--name=value``.
    """
    try:
        lines = Path(path).read_text().splitlines()
    except OSError as error:
        raise DataError(path, f"cannot read it: {error.strerror}") from None
    arguments = []
    for number, line in enumerate(lines, start=1):
        option = line.partition("#")[0].strip()
        if not option:
            continue
        if not option.startswith("--") or "=" not in option:
            raise DataError(path, f"expected --name=value, got {line!r}", line=number)
        arguments.append(option)
    return arguments


def expand_conf(argv: Sequence[str]) -> list[str]:
    """Put the contents of every ``--config`` file before the other arguments.

    So the command line wins over the file wherever on the line ``--config``
    stands, and an option given twice takes its last value.
    """
    before: list[str] = []
    rest: list[str] = []
    arguments = iter(argv)
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name != "--config":
            rest.append(argument)
            continue
        if not equals:
            value = next(arguments, "")
        before += read_conf(value)
    return before + rest
