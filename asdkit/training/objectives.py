"""What a network can be trained to do, by name."""

from __future__ import annotations

from collections.abc import Callable

from asdkit.losses.objective import Labels, Objective

OBJECTIVES: dict[str, Callable[..., Objective]] = {
    "labels": Labels,
}
