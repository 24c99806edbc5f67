"""Command-line options whose defaults live in the constructor they configure.

A default is written once, in the signature of the class or function that uses
it; the program reads it from there.  Kaldi's ``.conf`` files are more command
line: one ``--name=value`` per line, ``#`` starts a comment.
"""

from __future__ import annotations

import argparse
import functools
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.numbers import parse_integer, parse_number
from asdkit.base.parameters import annotation_of, defaults_of
from asdkit.base.ranges import Range

ANY = Range()
Parser: TypeAlias = "argparse.ArgumentParser | argparse._ArgumentGroup"


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
    return tuple(parse_integer(part) for part in text.split(","))


def add_options(parser: Parser, configurable: Callable[..., Any], **helps: str) -> None:
    """Give a program one option per named parameter of a class or function.

    Only the parameters named in ``helps`` become options; the type comes from
    the annotation, the default from the signature.

    Args:
        parser: the program's parser, or a group of its options.
        configurable: the class or function that owns the defaults.
        helps: parameter name -> help, without the default.

    Raises:
        TypeError: the parameter does not exist or has no default.
    """
    for name, text in helps.items():
        if name not in defaults_of(configurable):
            raise TypeError(f"{configurable.__name__} has no option {name!r}")
        default = defaults_of(configurable)[name]
        shown = f"{text} (default: {_show(default)})"
        _add_option(parser, configurable, name, default, shown)


def add_choice(
    parser: Parser,
    flag: str,
    choices: Mapping[str, Callable[..., Any]],
    text: str,
    listed: bool = False,
    /,
    **helps: str,
) -> None:
    """Give a program an option that chooses a class or function, and options for all.

    Names of choices have underscores; hyphens in their place are understood.

    Args:
        parser: the program's parser, or a group of its options.
        flag: the name of the option that chooses, e.g. "type".
        choices: name -> class or function that owns its defaults; the first is the
            default.
        text: what is chosen.
        listed: whether the options take lists, values with commas between them.
        helps: parameter name -> help, without the defaults.

    Raises:
        TypeError: no choice has a parameter of that name with a default.
    """
    first = next(iter(choices))
    parser.add_argument(
        f"--{flag}",
        type=lambda name: name.replace("-", "_"),
        choices=choices,
        default=first,
        help=f"{text} (default: {first})",
    )
    # What belongs to this choice: another one's may have parameters of these names.
    parser.set_defaults(**{f"{flag}_takes": frozenset(helps)})
    for name, help_text in helps.items():
        owner = next((c for c in choices.values() if name in defaults_of(c)), None)
        if owner is None:
            raise TypeError(f"none of {', '.join(choices)} has an option {name!r}")
        shown = f"{help_text} ({_show_defaults(name, choices)})"
        _add_option(parser, owner, name, argparse.SUPPRESS, shown, listed)


def choice_of(
    args: argparse.Namespace, flag: str, choices: Mapping[str, Callable[..., Any]]
) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the class or function that was chosen and the options that were given.

    Raises:
        AsdkitError: an option was given that only other choices have.
    """
    name = getattr(args, flag)
    takes = {n: x for n, x in vars(args).items() if n.endswith("_takes")}
    mine = takes.pop(f"{flag}_takes", frozenset())
    others = frozenset().union(*takes.values()) - mine
    given = {n: x for c in choices.values() for n, x in options_of(c, args).items()}
    taken = {n: x for n, x in given.items() if n not in others}
    known = defaults_of(choices[name])
    for option in taken:
        if option not in known:
            shown = option.replace("_", "-")
            raise AsdkitError(f"--{shown}: --{flag} {name} has no such option")
    return choices[name], {n: taken[n] for n in known if n in taken}  # in its order


def _add_option(
    parser: Parser,
    configurable: Callable[..., Any],
    name: str,
    default: Any,
    text: str,
    listed: bool = False,
) -> None:
    """Declare one option, parsed as its parameter is annotated."""
    parsing = parsing_of(annotation_of(configurable, name))
    parser.add_argument(
        f"--{name.replace('_', '-')}",
        default=default,
        help=text.replace("%", "%%"),
        **(_listed(**parsing) if listed else parsing),
    )


def _listed(
    type: Callable[[str], Any] = str,
    choices: Sequence[str] | None = None,
    metavar: str | None = None,
) -> dict[str, Any]:
    """Turn how argparse parses a value into how it parses a list of them."""

    def parse(text: str) -> list[Any]:
        parts = text.split(",")
        if wrong := [part for part in parts if choices and part not in choices]:
            known = ", ".join(choices or ())
            raise argparse.ArgumentTypeError(f"expected some of {known}, got {wrong}")
        return [type(part) for part in parts]

    word = metavar or f"{{{','.join(choices or ())}}}"
    return {"type": parse, "metavar": f"{word},..."}


def _show(default: Any) -> str:
    """Write a default as it would be typed."""
    return str(default).lower() if isinstance(default, bool) else str(default)


def _show_defaults(name: str, choices: Mapping[str, Callable[..., Any]]) -> str:
    """Say which choices have an option, and what its default is for each."""
    keys_of: dict[str, list[str]] = {}
    for key, choice in choices.items():
        if name in defaults_of(choice):
            keys_of.setdefault(_show(defaults_of(choice)[name]), []).append(key)
    if len(keys_of) == 1 and sum(map(len, keys_of.values())) == len(choices):
        return f"default: {next(iter(keys_of))}"
    return "; ".join(f"{', '.join(keys)}: {x}" for x, keys in keys_of.items())


def options_of(
    configurable: Callable[..., Any], args: argparse.Namespace
) -> dict[str, Any]:
    """Collect from parsed arguments what a class or function takes by keyword."""
    return {n: getattr(args, n) for n in defaults_of(configurable) if hasattr(args, n)}


def parsing_of(hint: Any, allowed: Range = ANY) -> dict[str, Any]:
    """Translate a type annotation into argparse's type, choices and metavar.

    Args:
        hint: a type, or one of `asdkit.base.ranges`.
        allowed: the range, if the type is a number and has none of its own.
    """
    if typing.get_origin(hint) is typing.Annotated:
        hint, allowed = typing.get_args(hint)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (arg for arg in typing.get_args(hint) if arg is not type(None))
        return parsing_of(hint, allowed)
    if typing.get_origin(hint) is typing.Literal:
        return {"choices": typing.get_args(hint)}
    if typing.get_origin(hint) is tuple:
        return {"type": numbers, "metavar": "N,N,..."}
    if hint is bool:
        return {"type": boolean, "metavar": "true|false"}
    if hint is str:
        return {"type": str, "metavar": "NAME"}
    metavar = {int: "N", float: "X"}[hint]
    return {"type": functools.partial(_number, hint, allowed), "metavar": metavar}


def _number(kind: type[int] | type[float], allowed: Range, text: str) -> float:
    """Parse a number that must lie in a range.

    Raises:
        argparse.ArgumentTypeError: it is no such number.
    """
    what = "an integer" if kind is int else "a number"
    try:
        value = (parse_integer if kind is int else parse_number)(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected {what}, got {text!r}") from None
    if value not in allowed:
        if value in (math.inf, -math.inf) or allowed == ANY:
            what = "a finite number"
        said = f"{what} {allowed}" if allowed != ANY else what
        raise argparse.ArgumentTypeError(f"expected {said}, got {text}")
    return value


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
