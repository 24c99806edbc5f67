"""Estimators as stored in model files: options and fitted attributes.

The name of an attribute that fitting sets ends in ``_``.  A class annotates those that
a model cannot do without; others may come with it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any


def split_state(estimator: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the constructor's arguments, and the arrays that fitting set, by name."""
    state = vars(estimator)
    options = {name: x for name, x in state.items() if not name.endswith("_")}
    return options, {name: x for name, x in state.items() if name.endswith("_")}


def set_arrays(estimator: Any, arrays: Mapping[str, Any], prefix: str = "") -> None:
    """Restore attributes that fitting had set.

    Args:
        estimator: as its constructor makes it.
        arrays: those of `split_state`, each name after the prefix; others are ignored.
        prefix: prefix of this estimator's array names.

    Raises:
        KeyError: one that the class annotates is missing.
    """
    for kind in type(estimator).__mro__:
        for name in inspect.get_annotations(kind):
            if name.endswith("_") and prefix + name not in arrays:
                raise KeyError(prefix + name)
    for key, array in arrays.items():
        name = key.removeprefix(prefix)
        if key.startswith(prefix) and "." not in name:
            setattr(estimator, name, array)
