"""Build what a table names: networks, losses and whatever else is chosen by name.

A table is a literal dictionary, name -> class or function whose options have defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from asdkit.base import parameters

Built = TypeVar("Built")


def construct(
    table: Mapping[str, Callable[..., Built]], name: str, *args: Any, **options: Any
) -> Built:
    """Call what a table holds under a name.

    Args:
        table: name -> constructor.
        name: one of the table's.
        args: what the constructor takes without a default.
        options: what differs from the defaults.

    Raises:
        ValueError: the table has no such name, or what it holds no such option.
    """
    known = defaults_of(table, name)
    unknown = sorted(options.keys() - known.keys())
    if unknown:
        options_known = ", ".join(known) or "none"
        raise ValueError(f"{name} has no option {unknown[0]!r}; it has {options_known}")
    return table[name](*args, **options)


def defaults_of(table: Mapping[str, Callable[..., Any]], name: str) -> dict[str, Any]:
    """Return the options of what a table holds, with their defaults.

    A model file keeps these, so that it can be read when a default has changed.

    Raises:
        ValueError: the table has no such name.
    """
    if name not in table:
        raise ValueError(f"expected one of {', '.join(table)}; got {name!r}")
    return parameters.defaults_of(table[name])
