"""What a class or function can be told: its parameters, and how they are annotated.

A class whose constructor passes ``**options`` on to its base has the base's parameters,
too, so that a default stands where the option is used and nowhere else.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from typing import Any


def parameters_of(configurable: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Return all named parameters, a class's own before those of its bases."""
    found = dict(inspect.signature(configurable).parameters)
    for constructor in _constructors(configurable):
        found = found | {
            name: parameter
            for name, parameter in inspect.signature(constructor).parameters.items()
            if name not in found and name != "self"
        }
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {name: x for name, x in found.items() if x.kind not in variable}


def defaults_of(configurable: Callable[..., Any]) -> dict[str, Any]:
    """Map every parameter that has a default to it."""
    parameters = parameters_of(configurable).values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def annotation_of(configurable: Callable[..., Any], name: str) -> Any:
    """Return how a parameter is annotated, with what `asdkit.base.ranges` adds."""
    while isinstance(configurable, functools.partial):
        configurable = configurable.func
    # The fields of a dataclass may be annotated in the modules of its bases.
    owner = configurable
    for constructor in _constructors(configurable):
        if name in inspect.signature(constructor).parameters:
            owner = constructor
            break
    return typing.get_type_hints(owner, include_extras=True)[name]


def _constructors(configurable: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Yield a class's constructor, and those of its bases as long as options go on."""
    while isinstance(configurable, functools.partial):
        configurable = configurable.func
    if not inspect.isclass(configurable) or is_dataclass(configurable):
        return
    for kind in configurable.__mro__:
        if "__init__" not in vars(kind) or kind is object:
            continue
        constructor = vars(kind)["__init__"]
        yield constructor
        parameters = inspect.signature(constructor).parameters.values()
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return
