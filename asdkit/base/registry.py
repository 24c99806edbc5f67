"""Build what a table names: networks, losses and whatever else is chosen by name.

A table is a literal dictionary, name -> `Reference` of a class or function whose
options have defaults; it is imported when it is built.  Every table is open to plug-ins
that the caller has named, see `asdkit.base.plugins`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from asdkit.base import signatures
from asdkit.base.plugins import is_plugin, plugin
from asdkit.base.references import Configurable, Reference, reference_to
from asdkit.base.signatures import MISSING
from asdkit.base.values import check_values


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


@dataclass(frozen=True)
class Chosen:
    """One entry of a table, and the options that differ from its defaults.

    Args:
        name: name in the table, e.g. of a network "resnet34".
        options: options of its constructor; the others keep their defaults.

    Example:
        >>> Chosen("resnet34", {"channels": 16}).options["channels"]
        16
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A copy, with lists as tuples: equal to what is read back from a file.
        copy = {name: _as_tuples(value) for name, value in self.options.items()}
        object.__setattr__(self, "options", copy)

    def complete(
        self, table: Mapping[str, Configurable], but: Collection[str] = ()
    ) -> Chosen:
        """Return the same choice with all options, defaults among them.

        Args:
            table: name -> constructor.
            but: parameters that cannot be chosen, because the data determine them.

        Raises:
            ValueError: the table has no such name, what it holds no such option, or an
                option has a value that cannot be.
        """
        known = defaults_of(table, self.name)
        known = {name: x for name, x in known.items() if name not in but}
        refuse_unknown(self.name, self.options, known)
        check_values(find(table, self.name), self.options)
        return Chosen(self.name, {**known, **self.options})


def _as_tuples(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(map(_as_tuples, value))
    return value


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
    parameters = [*signatures.parameters_of(reference).values()][len(args) :]
    refuse_unknown(name, options, [parameter.name for parameter in parameters])
    for parameter in parameters:
        if parameter.default is MISSING and parameter.name not in options:
            raise ValueError(f"{name} needs {parameter.name!r}")
    return reference(*args, **options)


def refuse_unknown(name: str, options: Iterable[str], known: Iterable[str]) -> None:
    """Raise a ValueError if one of the options is not among those that are known."""
    if unknown := sorted({*options} - {*known}):
        there = ", ".join(known) or "none"
        raise ValueError(f"{name} has no option {unknown[0]!r}; it has {there}")


def defaults_of(table: Mapping[str, Configurable], name: str) -> dict[str, Any]:
    """Return the options of what a table holds, with their defaults.

    A model file keeps these, so that it can be read when a default has changed.

    Raises:
        ValueError: the table has no such name.
        AsdkitError: it is a plug-in's that the caller has not named.
    """
    return signatures.defaults_of(find(table, name))
