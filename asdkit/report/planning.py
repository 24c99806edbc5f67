"""The cost of an experiment on a larger corpus, from what a smaller one has cost.

Every finished run has left its cost (`asdkit.io.run_costs`) and its command, which
names the data directory that it went through.  Cost grows with the hours of that
directory, or with its utterances; with runs of two sizes, start-up is told apart from
work.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from asdkit.base.answers import Cell, Table, number
from asdkit.base.errors import AsdkitError, DataError
from asdkit.io.run_costs import RUN_COSTS
from asdkit.io.tables import PathName, read_table
from asdkit.report.cost_tables import runs_below

# The rest grows with the number of utterances, of which chunks or vectors are taken.
PER_HOUR = frozenset(
    {
        *("feats-compute", "vad-compute", "stats-extract", "ssl-extract"),
        *("ubm-train", "ivector-train", "ivector-extract", "cm-gmm-train"),
        *("nnet-extract", "cm-score", "cm-localize", "cm-attack"),
        *("noise-add", "room-apply", "codec-apply", "spoof-simulate", "speakers-draw"),
    }
)
# What these write grows; a model does not.
WRITING = ("compute", "extract", "add", "apply", "simulate", "draw", "splice")
PASSES = 3  # of a training step, in forward passes: forward, and backward twice as much


class Amount(NamedTuple):
    """The size of a data directory.

    Attributes:
        hours: of speech.
        utts: number of utterances.
    """

    hours: float
    utts: float

    def of(self, program: str) -> float:
        """Return what the cost of a program grows with."""
        return self.hours if program in PER_HOUR else self.utts


class Run(NamedTuple):
    """A run, and what it went through.

    Attributes:
        record: what it has left.
        data_dir: the data directory that its command names first; None for none.
        amount: the speech that this has.
    """

    record: dict[str, Any]
    data_dir: str | None
    amount: Amount | None


class Growth(NamedTuple):
    """A data directory, and how large it is planned to be."""

    data_dir: str
    planned: Amount


def read_growth(data_dir: str, hours: str, utts: str) -> Growth:
    """Read what grows from three words.

    Raises:
        AsdkitError: the last two are no numbers above 0.

    Example:
        >>> read_growth("data/train", "2360", "1092009").planned.utts
        1092009.0
    """
    try:
        planned = Amount(float(hours), float(utts))
    except ValueError:
        planned = Amount(0.0, 0.0)
    if not all(0 < x < np.inf for x in planned):
        problem = f"expected hours and utterances above 0, got {hours} {utts}"
        raise AsdkitError(f"--grow {data_dir}: {problem}")
    return Growth(data_dir, planned)


def plan_table(
    exp_dirs: Sequence[PathName],
    growths: Sequence[Growth],
    gpu_tflops: float | None = None,
) -> Table:
    """Tabulate the cost of experiments on larger data, a line for every output.

    A data directory stands for its copies, too, whose names begin as its own does.

    Args:
        exp_dirs: directories whose runs, including those below, count; the last run of
            an output does.
        growths: what grows.
        gpu_tflops: speed that a GPU sustains on such networks, in 10^12 operations per
            second, a multiplication and an addition being two; None: no GPU.

    Raises:
        DataError: there is no record of a run, or a damaged one.
        AsdkitError: nothing that was run took a directory that grows.
    """
    records = [record for path in exp_dirs for record in runs_below(path)]
    last = {(x["directory"], x["output"]): x for x in records}
    amount_of = functools.cache(_amount_of)  # many runs go through one directory
    runs = []
    for record in last.values():
        found = _data_of(record)
        name, size = (None, None) if found is None else (found[0], amount_of(found[1]))
        runs.append(Run(record, name, size))
    _require_growth(growths, [run.data_dir for run in runs])
    titles = ["program", "output", "data", "grows by", "CPU s", "planned CPU h"]
    titles += ["peak GB", "planned GB on disk"]
    titles += ["planned GPU h"] * (gpu_tflops is not None)
    rows: list[list[Cell | str]] = []
    sums, peak = np.zeros(4), 0.0
    for run in runs:
        program, measured = run.record["program"], run.record["cpu_sec"]
        factor, cpu_hours = 1.0, measured / 3600
        planned = _planned(run, growths)
        if run.amount is not None and planned is not None:
            amount = planned.of(program)
            factor = amount / run.amount.of(program)
            cpu_hours = _extrapolate(*_runs_alike(run, runs), amount) / 3600
        disk = _size_of(run, runs) / 1e9
        disk *= factor if program.endswith(WRITING) else 1.0
        gpu_hours = 0.0
        if gpu_tflops is not None:
            gpu_hours = _training_operations(run) * factor / gpu_tflops / 3.6e15
        sums += measured, cpu_hours, disk, gpu_hours
        peak = max(peak, run.record["peak_mb"])
        row: list[Cell | str] = [program, run.record["output"], run.data_dir or "-"]
        row += [
            number(factor, ".4g"),
            number(measured, ".1f"),
            number(cpu_hours, ".4g"),
            number(run.record["peak_mb"] / 1000, ".2f"),
            number(disk, ".4g"),
        ]
        if gpu_tflops is not None:
            row.append(number(gpu_hours or None, ".4g"))
        rows.append(row)
    total: list[Cell | str] = ["total", "", "", ""]
    total += [number(sums[0], ".1f"), number(sums[1], ".4g")]
    total += [number(peak / 1000, ".2f"), number(sums[2], ".4g")]
    if gpu_tflops is not None:
        total.append(number(sums[3], ".4g"))
    return Table(titles, [*rows, total], num_names=3, notes=_notes(gpu_tflops))


def _notes(gpu_tflops: float | None) -> list[str]:
    """Say what a plan rests on."""
    notes = [
        "CPU hours are of one core. With runs of one size, start-up counts as work: "
        "the plan is then too high; memory is as measured."
    ]
    if gpu_tflops is not None:
        notes.append(
            f"GPU hours: {PASSES} times the MACs of every chunk of a training, at "
            f"{gpu_tflops:g} TFLOP/s; a fraction of the peak is what GPUs sustain."
        )
    return notes


def _require_growth(growths: Sequence[Growth], data_dirs: Sequence[str | None]) -> None:
    """Raise an AsdkitError if something grows that nothing was run on."""
    for growth in growths:
        if not any(_is_of(x, growth.data_dir) for x in data_dirs if x):
            known = ", ".join(sorted({x for x in data_dirs if x})) or "none"
            problem = f"no run took the data directory {growth.data_dir}"
            raise AsdkitError(problem, hint=f"they took {known}")


def _is_of(data_dir: str, grown: str) -> bool:
    """Tell whether a data directory is one that grows, or a copy of it."""
    return data_dir.rstrip("/").startswith(grown.rstrip("/"))


def _planned(run: Run, growths: Sequence[Growth]) -> Amount | None:
    """Return the planned size of a run's data, None if they do not grow."""
    data_dir = run.data_dir or ""
    found = [x for x in growths if _is_of(data_dir, x.data_dir)]
    return max(found, key=lambda x: len(x.data_dir)).planned if found else None


def _data_of(record: dict[str, Any]) -> tuple[str, Path] | None:
    """Find the data directory that a run's command names first: its name, and where."""
    root = Path(record["directory"])
    for word in str(record["command"]).split()[2:]:
        for path in (root / word, (root / word).parent):
            if (path / "utt2dur").is_file():
                inside = path.is_relative_to(root)
                return str(path.relative_to(root) if inside else path), path
    return None


def _amount_of(data_dir: Path) -> Amount:
    """Add up the durations of a data directory."""
    table = data_dir / "utt2dur"
    durations = read_table(table)
    try:
        seconds = sum(map(float, durations.values()))
    except ValueError as error:
        raise DataError(table, f"expected seconds: {error}") from None
    return Amount(seconds / 3600, len(durations))


def _runs_alike(run: Run, runs: Sequence[Run]) -> tuple[np.ndarray, np.ndarray]:
    """Return amounts and CPU seconds of the runs with a run's program and options."""
    options, program = _options_of(run.record), run.record["program"]
    points = [
        (other.amount.of(program), other.record["cpu_sec"])
        for other in runs
        if other.amount is not None and _options_of(other.record) == options
    ]
    x, y = np.array(points, dtype=float).T
    return x, y


def _options_of(run: dict[str, Any]) -> tuple[str, ...]:
    """Return a run's program and options, without the seed."""
    words = str(run["command"]).split()[1:]
    named = [
        (a, b)
        for a, b in itertools.pairwise(words)
        if a.startswith("--") and a != "--seed"
    ]
    return (run["program"], *(word for pair in sorted(named) for word in pair))


def _extrapolate(x: np.ndarray, y: np.ndarray, planned: float) -> float:
    """Go on from (N,) amounts and seconds to another amount.

    Least squares of a start-up and a rate, neither below zero; with one amount there is
    only a rate.
    """
    rate = float(x @ y / (x @ x))
    if len(np.unique(x)) == 1:
        return rate * planned
    slope, start = np.polyfit(x, y, 1)
    if start < 0 or slope < 0:
        return rate * planned
    return float(start + slope * planned)


def _size_of(run: Run, runs: Sequence[Run]) -> int:
    """Return the bytes of a run's output, without what others wrote below it."""
    path = _output_of(run)
    if path.is_file():
        return path.stat().st_size
    others = {_output_of(other) for other in runs} - {path}
    return sum(
        file.stat().st_size
        for file in path.rglob("*")
        if file.is_file()
        and file.name != RUN_COSTS
        and others.isdisjoint([file, *file.parents])
    )


def _output_of(run: Run) -> Path:
    """Return where a run wrote."""
    return Path(run.record["directory"]) / run.record["output"]


def _training_operations(run: Run) -> float:
    """Count the operations of a training of a network; 0 of anything else."""
    folder = _output_of(run)
    if run.record["program"] not in ("nnet-train", "cm-train"):
        return 0.0
    if not (folder / "network.pt").is_file():
        return 0.0
    from asdkit.models.networks import load_network
    from asdkit.nnet.complexity import num_macs
    from asdkit.training.plan import TrainingPlan

    trained, plan = load_network(folder / "network.pt"), TrainingPlan.read(folder)
    steps = plan.loop.num_epochs * trained.options["data"]["steps_per_epoch"]
    macs = num_macs(trained.network, plan.data.chunk_frames)
    return 2.0 * PASSES * macs * plan.data.batch_size * steps
