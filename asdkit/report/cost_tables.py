"""Tables of experiment costs, to set beside their error rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from asdkit.base.answers import Cell, Table, number
from asdkit.base.errors import DataError
from asdkit.base.run_cost import Power
from asdkit.io.run_costs import RUN_COSTS, read_run_costs
from asdkit.io.tables import PathName

TITLES = (
    *("runs in", "runs", "wall s", "CPU s", "GPU s", "peak MB", "Wh", "CO2e g"),
    "codecarbon Wh",
)
SUMMED = ("wall_sec", "cpu_sec", "gpu_sec")


def run_cost_table(
    directories: Sequence[PathName],
    by_program: bool = False,
    power: Power | None = None,
) -> Table:
    """Tabulate the cost of experiments, one line each.

    Every finished run counts, those that were repeated as often as they were.  The
    last column is what codecarbon said where it watched all runs of a line; energy is
    that if it was measured, for all runs of the table, else it is estimated.

    Args:
        directories: directories whose runs, including those below, count.
        by_program: print a line for every program instead of one per directory.
        power: how to estimate energy that was not measured; None for defaults.

    Raises:
        DataError: there is no record of a run, or a damaged one.
    """
    power = power or Power()
    groups: dict[str, list[dict[str, Any]]] = {}
    for directory in directories:
        runs = runs_below(directory)
        if by_program:
            for run in runs:
                groups.setdefault(f"{directory} {run['program']}", []).append(run)
        else:
            groups[str(directory)] = runs
    all_runs = [run for runs in groups.values() for run in runs]
    measured = all_measured(all_runs)
    rows = [_row(name, runs, power, measured) for name, runs in groups.items()]
    return Table(TITLES, rows, notes=[energy_note(all_runs, power)])


def runs_below(directory: PathName) -> list[dict[str, Any]]:
    """Return the records of all runs that wrote below a directory.

    Raises:
        DataError: there is none, or a damaged one.
    """
    paths = sorted(Path(directory).rglob(RUN_COSTS))
    runs = [run for path in paths for run in read_run_costs(path.parent)]
    if not runs:
        raise DataError(
            directory,
            f"expected {RUN_COSTS} in it or below, got none",
            hint="programs that train, extract, compute or score leave it",
        )
    return runs


def all_measured(runs: Sequence[dict[str, Any]]) -> bool:
    """Tell whether the energy of all runs of a table was measured.

    Where that of some was not, all are estimated, so that they compare.
    """
    return all(_is_measured(run) for run in runs)


def energy_of(
    runs: Sequence[dict[str, Any]], power: Power, measured: bool = False
) -> float:
    """Add up the measured or estimated energy of runs in Wh."""
    if measured:
        return sum(run["energy_wh"] for run in runs)
    return sum(power.energy_wh(run["cpu_sec"], run["gpu_sec"]) for run in runs)


class SeedCost(NamedTuple):
    """The average cost of a seed of an experiment.

    Attributes:
        train_sec: CPU seconds of trainings.
        other_sec: CPU seconds of all else.
        peak_mb: most memory of any run.
        energy_wh: measured or estimated.
    """

    train_sec: float
    other_sec: float
    peak_mb: float
    energy_wh: float


def is_training(run: Mapping[str, Any]) -> bool:
    """Tell whether a run was a training."""
    return str(run["program"]).endswith("-train")


def cost_per_seed(
    runs: Sequence[dict[str, Any]],
    num_seeds: int,
    power: Power,
    measured: bool = False,
) -> SeedCost:
    """Average the runs of an experiment over its seeds.

    Args:
        runs: those of all seeds.
        num_seeds: number of seeds.
        power: how to estimate energy.
        measured: whether the energy of all runs of the table was measured.
    """
    train = sum(run["cpu_sec"] for run in runs if is_training(run))
    whole = sum(run["cpu_sec"] for run in runs)
    return SeedCost(
        train / num_seeds,
        (whole - train) / num_seeds,
        max((run["peak_mb"] for run in runs), default=0.0),
        energy_of(runs, power, measured) / num_seeds,
    )


def energy_note(runs: Sequence[dict[str, Any]], power: Power) -> str:
    """State how the energy of a table's runs was obtained."""
    source = "measured by codecarbon"
    if not all_measured(runs):
        number = sum(_is_measured(run) for run in runs)
        source = (
            f"estimated: {power.core_watt:g} W x CPU s + {power.gpu_watt:g} W x GPU s, "
            f"PUE {power.pue:g}; {number} of {len(runs)} runs were measured"
        )
    return f"(energy {source}; CO2e: {power.grid_intensity:g} kg/kWh)"


def _is_measured(run: Mapping[str, Any]) -> bool:
    """Tell whether codecarbon watched a run, on a machine that counts energy."""
    return run["energy_wh"] is not None and run.get("energy_counted", False)


def _row(
    name: str, runs: Sequence[dict[str, Any]], power: Power, measured: bool
) -> list[Cell | str]:
    """Add up runs."""
    energy_wh = energy_of(runs, power, measured)
    watched = [run["energy_wh"] for run in runs if run["energy_wh"] is not None]
    return [
        name,
        number(len(runs)),
        *(number(sum(run[key] for run in runs), ".1f") for key in SUMMED),
        number(max(run["peak_mb"] for run in runs), ".0f"),
        number(energy_wh, ".4f"),
        number(power.co2e_g(energy_wh), ".4f"),
        number(sum(watched) if len(watched) == len(runs) else None, ".4f"),
    ]
