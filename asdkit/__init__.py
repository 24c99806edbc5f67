"""Speaker verification and anti-spoofing, from data to results, in small programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asdkit.base.registry import Chosen as Chosen
    from asdkit.distillation.stored_teachers import TeacherReader as TeacherReader
    from asdkit.inference.loading import load as load
    from asdkit.training.loop import Training as Training
    from asdkit.training.plan import TrainingPlan as TrainingPlan
    from asdkit.training.spoofing import (
        SpoofTrainingSetReader as SpoofTrainingSetReader,
    )
    from asdkit.training.training_set import TrainingSetReader as TrainingSetReader

__version__ = "0.2.0"

# The front door: name -> module that has it, imported when it is asked for.
_LAZY = {
    "load": "asdkit.inference.loading",
    "TrainingPlan": "asdkit.training.plan",
    # The parts of a plan.
    "Chosen": "asdkit.base.registry",
    "SpoofTrainingSetReader": "asdkit.training.spoofing",
    "TeacherReader": "asdkit.distillation.stored_teachers",
    "Training": "asdkit.training.loop",
    "TrainingSetReader": "asdkit.training.training_set",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    globals()[name] = found = getattr(import_module(_LAZY[name]), name)
    return found


def __dir__() -> list[str]:
    """List what has been imported, and what can be."""
    return sorted({*globals(), *_LAZY})
