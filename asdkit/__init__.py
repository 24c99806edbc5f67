"""Speaker verification and anti-spoofing, from data to results, in small programs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asdkit.training.plan import TrainingPlan

__all__ = ["TrainingPlan"]
__version__ = "0.2.0"

# The front door: name -> module, imported when it is asked for.
_LAZY = {
    "TrainingPlan": "asdkit.training.plan",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'asdkit' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
