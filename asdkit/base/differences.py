"""Differences between two nested sets of options, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def differences(theirs: Any, ours: Any, name: str = "") -> Iterator[str]:
    """Name the options whose values differ, and both values."""
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        for key in {**theirs, **ours}:
            path = f"{name}.{key}" if name else key
            yield from differences(theirs.get(key), ours.get(key), path)
    elif theirs != ours:
        yield f"{name} = {theirs!r}, now {ours!r}"
