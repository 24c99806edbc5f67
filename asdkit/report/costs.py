"""A table of what experiments have cost, to stand beside one of their errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asdkit.base.columns import columns
from asdkit.base.cost import Power
from asdkit.base.errors import DataError
from asdkit.io.costs import COSTS, read_costs
from asdkit.io.tables import PathName

TITLES = ("runs in", "runs", "wall s", "CPU s", "GPU s", "peak MB", "Wh", "CO2e g")
SUMMED = ("wall_sec", "cpu_sec", "gpu_sec")


def cost_table(
    directories: Sequence[PathName],
    by_program: bool = False,
    power: Power | None = None,
) -> str:
    """Set what was spent on experiments as a table, one line each.

    Every finished run counts, those that were repeated as often as they were.

    Args:
        directories: what was written in them, and below them, counts.
        by_program: whether every program has a line of its own.
        power: how energy is estimated where nobody measured it; None for defaults.

    Raises:
        DataError: there is no record of a run, or a damaged one.
    """
    power = power or Power()
    rows: list[tuple[str, ...]] = [TITLES]
    all_runs = []
    for directory in directories:
        runs = runs_below(directory)
        all_runs += runs
        groups = {str(directory): runs}
        if by_program:
            programs = dict.fromkeys(run["program"] for run in runs)
            groups = {
                f"{directory} {program}": [x for x in runs if x["program"] == program]
                for program in programs
            }
        rows += [_row(name, group, power) for name, group in groups.items()]
    return f"{columns(rows)}\n{energy_note(all_runs, power)}"


def runs_below(directory: PathName) -> list[dict[str, Any]]:
    """Return the records of all runs that wrote somewhere below a directory.

    Raises:
        DataError: there is none, or a damaged one.
    """
    paths = sorted(Path(directory).rglob(COSTS))
    runs = [run for path in paths for run in read_costs(path.parent)]
    if not runs:
        raise DataError(
            directory,
            f"expected {COSTS} in it or below, got none",
            hint="programs that train, extract, compute or score leave it",
        )
    return runs


def energy_of(runs: Sequence[dict[str, Any]], power: Power) -> float:
    """Add up the energy of runs in Wh, measured or estimated."""
    return sum(
        power.energy_wh(run["cpu_sec"], run["gpu_sec"])
        if run["energy_wh"] is None
        else run["energy_wh"]
        for run in runs
    )


def energy_note(runs: Sequence[dict[str, Any]], power: Power) -> str:
    """Say where the energy of runs is known from."""
    num_measured = sum(run["energy_wh"] is not None for run in runs)
    return (
        f"(energy of {num_measured} of {len(runs)} runs measured by codecarbon, else "
        f"estimated: {power.core_watt:g} W x CPU s + {power.gpu_watt:g} W x GPU s, PUE "
        f"{power.pue:g}; CO2e: {power.grid_intensity:g} kg/kWh)"
    )


def _row(name: str, runs: Sequence[dict[str, Any]], power: Power) -> tuple[str, ...]:
    """Add up runs."""
    energy_wh = energy_of(runs, power)
    return (
        name,
        f"{len(runs)}",
        *(f"{sum(run[key] for run in runs):.1f}" for key in SUMMED),
        f"{max(run['peak_mb'] for run in runs):.0f}",
        f"{energy_wh:.4f}",
        f"{power.co2e_g(energy_wh):.4f}",
    )
