"""Build what a table names: networks, losses and whatever else is chosen by name.

A table is a literal dictionary, name -> `Reference` of a class or function whose
options have defaults; it is imported when it is built.  Every table is open to plug-ins
that the caller has named, see `asdkit.base.plugins`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asdkit.base import signatures
from asdkit.base.plugins import is_plugin, plugin
from asdkit.base.references import Configurable, Reference, reference_to
from asdkit.base.signatures import MISSING


def find(table: Mapping[str, Configurable], name: str) -> Reference:
    """Look a name up.

    Args:
        table: name -> constructor.
        name: one of the table's, or a plug-in's.

    Raises:
        ValueError: the table has no such name.
        AsdkitError: it is a plug-in's that the caller has not named.
    """
    if is_plugin(name):
        return plugin(name)
    if name not in table:
        raise ValueError(f"expected one of {', '.join(table)}; got {name!r}")
    return reference_to(table[name])


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
        ValueError: the table has no such name, what it holds no such option, or it
            needs another.
        AsdkitError: it is a plug-in's that the caller has not named.
    """
    reference = find(table, name)
    known = [*signatures.parameters_of(reference)][len(args) :]
    unknown = sorted(options.keys() - {*known})
    if unknown:
        options_known = ", ".join(known) or "none"
        raise ValueError(f"{name} has no option {unknown[0]!r}; it has {options_known}")
    for parameter in [*signatures.parameters_of(reference).values()][len(args) :]:
        if parameter.default is MISSING and parameter.name not in options:
            raise ValueError(f"{name} needs {parameter.name!r}")
    return reference(*args, **options)


def defaults_of(table: Mapping[str, Configurable], name: str) -> dict[str, Any]:
    """Return the options of what a table holds, with their defaults.

    A model file keeps these, so that it can be read when a default has changed.

    Raises:
        ValueError: the table has no such name.
        AsdkitError: it is a plug-in's that the caller has not named.
    """
    return signatures.defaults_of(find(table, name))
