"""Parse option values by the annotated type of their parameter."""

from __future__ import annotations

import argparse
import functools
import math
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any

from asdkit.base.numbers import parse_integer, parse_number
from asdkit.base.ranges import Range

ANY = Range()


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


def parsing_of(hint: Any, allowed: Range = ANY) -> dict[str, Any]:
    """Translate a type annotation into argparse's type, choices and metavar.

    Args:
        hint: a type, or one of `asdkit.base.ranges`.
        allowed: the range, if the type is a number and has none of its own.

    Raises:
        KeyError, TypeError, ValueError: no command line is parsed by such a type.
    """
    if typing.get_origin(hint) is typing.Annotated:
        hint, note = typing.get_args(hint)
        if isinstance(note, str):
            return {"type": hint, "metavar": note}
        allowed = note
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (arg for arg in typing.get_args(hint) if arg is not type(None))
        return parsing_of(hint, allowed)
    if typing.get_origin(hint) is typing.Literal:
        return {"choices": typing.get_args(hint)}
    if typing.get_origin(hint) is tuple:
        (of, *_) = typing.get_args(hint)
        if of is int:
            return {"type": numbers, "metavar": "N,N,..."}
        return list_of(**parsing_of(of, allowed))
    if hint is bool:
        return {"type": boolean, "metavar": "true|false"}
    if hint is str:
        return {"type": str, "metavar": "NAME"}
    metavar = {int: "N", float: "X"}[hint]
    return {"type": functools.partial(_number, hint, allowed), "metavar": metavar}


def find_parsing(hint: Any) -> dict[str, Any] | None:
    """Translate a type annotation like `parsing_of`; None if it is no option's."""
    try:
        return parsing_of(hint)
    except (KeyError, TypeError, ValueError):
        return None


def list_of(
    type: Callable[[str], Any] = str,
    choices: Sequence[str] | None = None,
    metavar: str | None = None,
) -> dict[str, Any]:
    """Turn a parser of one value into a parser of comma-separated values.

    Args:
        type: as from `parsing_of`, like the other two.
        choices: the allowed values, None for any.
        metavar: placeholder of a value in the help.
    """

    def parse(text: str) -> list[Any]:
        parts = text.split(",")
        if wrong := [part for part in parts if choices and part not in choices]:
            known = ", ".join(choices or ())
            raise argparse.ArgumentTypeError(f"expected some of {known}, got {wrong}")
        return [type(part) for part in parts]

    word = metavar or f"{{{','.join(choices or ())}}}"
    return {"type": parse, "metavar": f"{word},..."}


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
