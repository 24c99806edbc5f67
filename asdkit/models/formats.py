"""Published checkpoints that model-import reads, by the name of their layout."""

from __future__ import annotations

from collections.abc import Mapping

from asdkit.base.references import Reference

# Each takes the path of a checkpoint and returns a `TrainedNetwork`.
FORMATS: Mapping[str, Reference] = {
    "aasist": Reference("asdkit.models.aasist_checkpoints:read_aasist"),
}
