"""Published checkpoints that model-import reads, by the name of their layout."""

from __future__ import annotations

from collections.abc import Mapping

from asdkit.base.references import Reference

# Each takes the path of a checkpoint and returns a `TrainedNetwork`.
FORMATS: Mapping[str, Reference] = {
    "ge2e": Reference("asdkit.models.ge2e_checkpoints:read_ge2e"),
    "wespeaker": Reference("asdkit.models.speaker_checkpoints:read_wespeaker"),
    "3dspeaker": Reference("asdkit.models.speaker_checkpoints:read_3dspeaker"),
    "aasist": Reference("asdkit.models.aasist_checkpoints:read_aasist"),
}
