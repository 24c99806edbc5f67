"""Systems that were trained with several seeds, as one system with a spread."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from asdkit.report.evaluations import System

SEED = re.compile(r"(?:(?<=_)|(?<=/)|^)seed\d+(?=/|$)")  # exp/net/seed0, exp/net_seed0


class SeedGroup(NamedTuple):
    """Systems that differ in their seed only; or one system.

    Attributes:
        name: without the seed; a single system's own.
        members: their places among the systems, in the order of these.
    """

    name: str
    members: list[int]

    @property
    def is_several(self) -> bool:
        """Whether there are several seeds."""
        return len(self.members) > 1


def group_seeds(systems: Sequence[System], metric: str) -> list[SeedGroup]:
    """Group systems by what they are without their seed.

    Args:
        systems: of one evaluation.
        metric: title of what groups are ordered by: the lowest mean comes first.
    """
    groups: dict[str, list[int]] = {}
    for s, system in enumerate(systems):
        groups.setdefault(SEED.sub("seed", system.path), []).append(s)
    found = [
        SeedGroup(_name([systems[s] for s in members]), members)
        for members in groups.values()
    ]
    found.sort(key=lambda one: mean_and_spread(one, systems, metric)[0])
    return found


def mean_and_spread(
    group: SeedGroup, systems: Sequence[System], metric: str
) -> tuple[float, float]:
    """Return a metric's mean over seeds, and its deviation; NaN for one seed.

    The deviation is that of a sample (divided by one less than the number of seeds).
    """
    values = np.array([systems[s].values[metric] for s in group.members])
    spread = values.std(ddof=1) if group.is_several else np.nan
    return float(values.mean()), float(spread)


def _name(systems: Sequence[System]) -> str:
    """Name seeds by what is left of the name of one; or by the folder that holds it.

    >>> _name([System("net/seed0", "", np.zeros(0)), System("net/seed1", "", ())])
    'net'
    """
    first = systems[0]
    if len(systems) == 1:
        return first.name
    words = [word.strip("_") for word in SEED.sub("", first.name).split("/")]
    if name := "/".join(word for word in words if word):
        return name
    before = SEED.split(first.path)[0].strip("_/").split(os.sep)
    return before[-1] or first.name
