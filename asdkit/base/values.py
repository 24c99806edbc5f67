"""Checks of option values from Python or a file, by the same rules as for programs.

Types and ranges are written in signatures.  `asdkit.base.parsing` enforces them on a
command line; this enforces them on all other values.
"""

from __future__ import annotations

import argparse
import types
import typing
from collections.abc import Mapping
from typing import Any

from asdkit.base.parsing import find_parsing
from asdkit.base.references import Configurable
from asdkit.base.signatures import parameters_of


def check_values(configurable: Configurable, values: Mapping[str, Any]) -> None:
    """Check values against the annotations of their parameters.

    Parameters with annotations that no command line can be parsed by are not checked.

    Args:
        configurable: class or function that takes the values.
        values: parameter -> value.

    Raises:
        ValueError: a value has another type, or lies outside its range.

    Example:
        >>> from asdkit.base.device import choose_device
        >>> check_values(choose_device, {"device": "cpu"})
        >>> check_values(choose_device, {"device": "gpu"})
        Traceback (most recent call last):
        ValueError: device: expected one of auto, cpu, cuda; got 'gpu'
    """
    parameters = parameters_of(configurable)
    for name, value in values.items():
        hint = parameters[name].annotation
        if value is None and _may_be_none(hint):
            continue
        parsing = find_parsing(hint)
        if parsing is None:
            continue
        if (choices := parsing.get("choices")) is not None:
            if value not in choices:
                known = ", ".join(map(str, choices))
                raise ValueError(f"{name}: expected one of {known}; got {value!r}")
            continue
        try:
            parsing["type"](_typed(value))
        except (argparse.ArgumentTypeError, ValueError) as error:
            raise ValueError(f"{name}: {error}") from None


def _may_be_none(hint: Any) -> bool:
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return is_union and type(None) in typing.get_args(hint)


def _typed(value: Any) -> str:
    """Write a value as it would be typed."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value)
