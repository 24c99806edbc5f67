"""Numbers that a program measures while it runs, for its entry in results.json.

The library notes a number where it is known, e.g. the loss of an epoch; the command
collects it.  Outside of a program nothing is kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass
class Measured:
    """Numbers that a program has measured so far.

    Attributes:
        values: name -> number and unit.
        history: entries of steps or epochs, name -> number, in order.
    """

    values: dict[str, tuple[float, str]] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)


_measured: Measured | None = None


@contextlib.contextmanager
def measuring() -> Iterator[Measured]:
    """Collect what is noted from here on."""
    global _measured
    before, _measured = _measured, Measured()
    try:
        yield _measured
    finally:
        _measured = before


def note_value(name: str, value: float, unit: str) -> None:
    """Note a number; of several with one name the last counts.

    Args:
        name: as a table would have it.
        value: a fraction where it is a share.
        unit: "fraction", "parameters", ...
    """
    if _measured is not None:
        _measured.values[name] = value, unit


def note_step(entry: Mapping[str, float]) -> None:
    """Note what one step of a training has measured, an epoch or an iteration."""
    if _measured is not None:
        _measured.history.append(dict(entry))


def note_steps(entries: list[dict[str, float]]) -> None:
    """Note all steps of a training, those of an earlier run that it resumed, too."""
    if _measured is not None:
        _measured.history[:] = [dict(entry) for entry in entries]
