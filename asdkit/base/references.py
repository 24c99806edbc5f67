"""Classes and functions by name, so that a table of them costs no import.

A table of what can be chosen is a literal dictionary, ``name -> Reference``.  What it
names is imported when it is built; its options are read from its source before that
(`asdkit.base.signatures`).
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias


class Reference:
    """A class or function by name, imported when it is called.

    Args:
        path: module and name, e.g. ``asdkit.nnet.resnet:ResNet``.
        bound: options that are set already; a caller may set them otherwise.
    """

    def __init__(self, path: str, /, **bound: Any) -> None:
        self.path = path
        self.bound: Mapping[str, Any] = bound

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Import and call what is named."""
        return self.resolve()(*args, **{**self.bound, **options})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reference):
            return NotImplemented
        return (self.path, self.bound) == (other.path, other.bound)

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        bound = "".join(f", {name}={value!r}" for name, value in self.bound.items())
        return f"Reference({self.path!r}{bound})"

    @property
    def module(self) -> str:
        """The module it is defined in."""
        return self.path.partition(":")[0]

    @property
    def name(self) -> str:
        """Its name inside the module."""
        return self.path.partition(":")[2]

    def resolve(self) -> Any:
        """Import what is named, without what is bound."""
        found: Any = importlib.import_module(self.module)
        for part in self.name.split("."):
            found = getattr(found, part)
        return found


# What has options: a class or function, in person or by name.
Configurable: TypeAlias = "Reference | Callable[..., Any] | str"


def reference_to(configurable: Configurable) -> Reference:
    """Name a class or function.

    Args:
        configurable: the class or function, ``functools.partial`` of one, its name as
            in `Reference`, or a reference already.
    """
    if isinstance(configurable, Reference):
        return configurable
    if isinstance(configurable, str):
        return Reference(configurable)
    if isinstance(configurable, functools.partial):
        inner = reference_to(configurable.func)
        return Reference(inner.path, **{**inner.bound, **configurable.keywords})
    return Reference(f"{configurable.__module__}:{configurable.__qualname__}")
