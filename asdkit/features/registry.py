"""Kinds of features by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from asdkit.base.references import Reference, reference_to

if TYPE_CHECKING:
    from asdkit.features.framing import Features

FEATURES: Mapping[str, Reference] = {
    "mfcc": Reference("asdkit.features.mel:Mfcc"),
    "fbank": Reference("asdkit.features.mel:Fbank"),
    "lfcc": Reference("asdkit.features.linear:Lfcc"),
    "spectrum": Reference("asdkit.features.linear:LogSpectrum"),
    "cqcc": Reference("asdkit.features.constant_q:Cqcc"),
    "waveform": Reference("asdkit.features.waveform:Waveform"),
}


def name_of(extractor: Features) -> str:
    """Return the name under which `FEATURES` has the class of an extractor.

    That of a plug-in is ``module:Class``.
    """
    kind = reference_to(type(extractor))
    return next((name for name, known in FEATURES.items() if known == kind), kind.path)


def stored() -> None:
    """Compute no features, because they are stored already."""


# Where a network's frames come from: what to compute from audio, if anything.
FRONT_ENDS: Mapping[str, Reference] = {
    "stored": Reference("asdkit.features.registry:stored"),
    **FEATURES,
}
