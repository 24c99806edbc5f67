"""Build what a table names: networks, losses and whatever else is chosen by name.

A table is a literal dictionary, name -> `Reference` of a class or function whose
options have defaults; it is imported when it is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asdkit.base import signatures
from asdkit.base.references import Configurable, reference_to


def construct(
    table: Mapping[str, Configurable], name: str, *args: Any, **options: Any
) -> Any:
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
    return reference_to(table[name])(*args, **options)


def defaults_of(table: Mapping[str, Configurable], name: str) -> dict[str, Any]:
    """Return the options of what a table holds, with their defaults.

    A model file keeps these, so that it can be read when a default has changed.

    Raises:
        ValueError: the table has no such name.
    """
    if name not in table:
        raise ValueError(f"expected one of {', '.join(table)}; got {name!r}")
    return signatures.defaults_of(table[name])
