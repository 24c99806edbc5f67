"""Runs behind a score file: what they were made with, and what that has cost."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asdkit.base.errors import AsdkitError
from asdkit.base.run_cost import Power
from asdkit.io.run_results import Entry, results_below
from asdkit.io.tables import PathName, read_table
from asdkit.report.cost_tables import is_training

MEASURES = ("score-metrics", "segment-metrics", "leak-check")  # they make nothing
ON_SPEECH = ("extract", "cm-score")  # their time is per second of speech


@dataclass(frozen=True)
class Made:
    """An entry of results.json, and where it stands.

    Attributes:
        folder: directory of its results.json.
        entry: as it stands there.
    """

    folder: Path
    entry: Entry

    @property
    def program(self) -> str:
        """Name of the program."""
        return str(self.entry["program"])

    @property
    def output(self) -> str:
        """Path of the output."""
        return os.path.normpath(self.folder / self.entry["output"])

    def inputs(self, *roles: str) -> list[str]:
        """Return paths of inputs in some roles, or in all."""
        found = self.entry["inputs"]
        return [
            os.path.normpath(self.folder / one["path"])
            for role in (roles or found)
            for one in found.get(role, [])
            if isinstance(one, dict) and isinstance(one.get("path"), str)
        ]

    def value(self, name: str) -> float | None:
        """Return a number that it has measured; None if it has not."""
        for one in self.entry.get("metrics", []):
            if one.get("name") == name:
                return float(one["value"])
        return None


@dataclass(frozen=True)
class Spent:
    """The cost of a system, None where it is not recorded.

    Attributes:
        parameters: trained parameters of its network or extractor.
        macs: multiply-accumulates of two seconds of speech.
        real_time_factor: CPU seconds per second of test speech.
        train_sec: wall seconds of all trainings.
        energy_wh: energy of all runs, measured or estimated.
    """

    parameters: float | None = None
    macs: float | None = None
    real_time_factor: float | None = None
    train_sec: float | None = None
    energy_wh: float | None = None


class Lineage:
    """All runs that left results below directories.

    Args:
        directories: where to look.

    Raises:
        DataError: a directory is missing, or a file is damaged.
    """

    def __init__(self, directories: Iterable[PathName]) -> None:
        self.all: list[Made] = []
        for directory in dict.fromkeys(os.path.normpath(x) for x in directories):
            for folder, entries in results_below(directory).items():
                self.all += [Made(folder, entry) for entry in entries.values()]
        self._makers: dict[str, list[Made]] = {}
        for made in self.all:
            if made.program not in MEASURES:
                self._makers.setdefault(os.path.abspath(made.output), []).append(made)

    def of(self, path: PathName) -> list[Made]:
        """Return the runs that a file was made by, the first last."""
        found: dict[int, Made] = {}
        waiting = [os.path.abspath(path)]
        seen = set()
        while waiting:
            here = waiting.pop(0)
            if here in seen:
                continue
            seen.add(here)
            # A file is made by who wrote it, or its directory.
            makers = self._makers.get(here) or self._makers.get(os.path.dirname(here))
            for made in makers or []:
                if id(made) not in found:
                    found[id(made)] = made
                    waiting += [os.path.abspath(x) for x in made.inputs()]
        return list(found.values())


def spent_on(runs: Sequence[Made], power: Power | None = None) -> Spent:
    """Add up what a system has cost.

    Args:
        runs: those behind its scores, from `Lineage.of`.
        power: how to estimate energy that was not measured; None for defaults.
    """
    power = power or Power()
    costs = [x.entry["cost"] for x in runs if _has_cost(x.entry)]
    trainings = [x for x in runs if is_training(x.entry) and _has_cost(x.entry)]
    measured = all(c.get("energy_counted") and c.get("energy_wh") for c in costs)
    energy = sum(
        c["energy_wh"] if measured else power.energy_wh(c["cpu_sec"], c["gpu_sec"])
        for c in costs
    )
    return Spent(
        _first(runs, "parameters"),
        _first(runs, "MACs"),
        _real_time_factor(runs),
        sum(x.entry["cost"]["wall_sec"] for x in trainings) if trainings else None,
        energy if costs else None,
    )


def _has_cost(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry states its cost, as numbers."""
    cost = entry.get("cost")
    names = "wall_sec", "cpu_sec", "gpu_sec"
    return isinstance(cost, dict) and all(
        isinstance(cost.get(name), (int, float)) for name in names
    )


def _first(runs: Sequence[Made], name: str) -> float | None:
    """Return what the run next to the scores says that measured it."""
    values = [x.value(name) for x in runs]
    return next((value for value in values if value is not None), None)


def _real_time_factor(runs: Sequence[Made]) -> float | None:
    """Divide the time of the run that saw the test speech by its length."""
    for made in runs:
        if made.program.endswith(ON_SPEECH) and _has_cost(made.entry):
            for data_dir in made.inputs("data_dir"):
                seconds = _speech_sec(data_dir)
                if seconds:
                    return float(made.entry["cost"]["cpu_sec"]) / seconds
    return None


def _speech_sec(data_dir: str) -> float | None:
    """Add up utt2dur; None where there is none."""
    try:
        return sum(map(float, read_table(f"{data_dir}/utt2dur").values()))
    except (AsdkitError, ValueError):
        return None
