"""Record the measurements of a run in results.json beside its output."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asdkit.base.answers import Answer, Cell, Table
from asdkit.base.measured import Measured
from asdkit.base.provenance import provenance
from asdkit.io.run_results import Entry, describe_inputs, place_of, store_result

logger = logging.getLogger(__name__)
CONDITION, POOLED = "condition", "pooled"
COUNTED = ("target", "nontarget", "bonafide", "spoof")
BITS = ("Cllr", "minCllr")
UNITS = {
    **{"parameters": "parameters", "MACs": "MACs", "MB": "MB", "peak MB": "MB"},
    **{"ms for 3 s": "ms", "RTF": "s per s"},
}
# What parts two measurements of the same output: the key, and what it is taken for.
KEYS = ("trials", "data_dir", "asv_trials", "asv_scores")


@dataclass
class Run:
    """A finished run, as its command line describes it.

    Attributes:
        program: its name.
        outputs: what it wrote; or the files that it measured.
        measures: whether it only measured them, so that there may be several
            measurements of one.
        inputs: role -> existing files and directories, roles as arguments are called.
        options: those that were given, and the flavor.
    """

    program: str
    outputs: Sequence[str]
    measures: bool = False
    inputs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


def record(
    run: Run,
    answer: Answer | None,
    measured: Measured,
    cost: Mapping[str, Any] | None = None,
) -> None:
    """Leave an entry for every output of a run.

    Args:
        run: what ran.
        answer: the tables that it prints; None if it prints none.
        measured: noted while it ran.
        cost: as `asdkit.base.run_cost.Meter` has it; None if it was not metered.
    """
    for output in run.outputs:
        directory, name = place_of(output)
        try:
            inputs = describe_inputs(directory, _inputs_of(run, output))
        except OSError as error:
            logger.warning("results: %s: %s", error.filename, error.strerror)
            continue
        entry: Entry = {
            "program": run.program,
            "output": name,
            "inputs": inputs,
            "options": dict(run.options),
        }
        values = metrics_of(answer, output, alone=len(run.outputs) == 1)
        values += [
            {"name": name, "value": value, "unit": unit}
            for name, (value, unit) in measured.values.items()
            if math.isfinite(value)
        ]
        if values:
            entry["metrics"] = values
        if measured.history:
            entry["history"] = [_finite(step) for step in measured.history]
        if cost:
            entry["cost"] = dict(cost)
        entry["provenance"] = provenance()
        store_result(directory, _key(run, entry), entry)


def metrics_of(answer: Answer | None, output: str, alone: bool) -> list[dict[str, Any]]:
    """Read from tables what they say of an output; differences to others are left out.

    A column is a metric, behind those that name the row.  A table whose title begins
    with a metric has conditions as columns.

    Args:
        answer: tables; anything else says nothing.
        output: path as it was given, which begins a row.
        alone: whether rows that begin with something else are its, too, those of
            systems that it was measured with.
    """
    if answer is None or isinstance(answer, str):
        return []
    found: list[dict[str, Any]] = []
    for table in [answer] if isinstance(answer, Table) else answer:
        for row in table.rows:
            first = row[0] if isinstance(row[0], str) else row[0].text
            system, is_own = _name_of(table, row), first == output
            if first.startswith(f"{output}: "):
                system, is_own = first.removeprefix(f"{output}: "), True
            if is_own or alone:
                own = {} if first == output else {"system": system}
                found += [own | value for value in _values_of(table, row)]
    return found


def unit_of(title: str) -> tuple[str, str, float]:
    """Split the title of a column: name, unit, and what to divide its values by.

    >>> unit_of("EER %")
    ('EER', 'fraction', 100.0)
    >>> unit_of("minDCF(0.01)")
    ('minDCF(0.01)', 'cost', 1.0)
    >>> unit_of("min-spoof-sec")  # not known
    ('min-spoof-sec', '', 1.0)
    """
    if title.endswith(" %"):
        return title.removesuffix(" %"), "fraction", 100.0
    if title in COUNTED:
        return title, "trials", 1.0
    if title in UNITS:
        return title, UNITS[title], 1.0
    if title in BITS:
        return title, "bits", 1.0
    return title, "cost" if "DCF" in title else "", 1.0


def _name_of(table: Table, row: Sequence[Cell | str]) -> str:
    """Name what a row is about: its first cell, or all options that were tried."""
    names = [x if isinstance(x, str) else x.text for x in row[: table.num_names]]
    if len(names) < 2 or CONDITION in table.titles[: table.num_names]:
        return names[0]
    titled = zip(table.titles, names, strict=False)
    return ", ".join(f"{title} {name}" for title, name in titled)


def _values_of(table: Table, row: Sequence[Cell | str]) -> list[dict[str, Any]]:
    """List the numbers of a row."""
    names = dict(zip(table.titles[: table.num_names], row, strict=False))
    condition = names.get(CONDITION, POOLED)
    found = []
    columns = list(zip(table.titles, row, strict=True))[table.num_names :]
    for title, cell in columns:
        value = None if isinstance(cell, str) else cell.value
        interval: Sequence[float] | None = None
        if isinstance(value, dict):
            value, interval = value["value"], value["interval"]
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            continue
        name, unit, scale = unit_of(title)
        place = condition
        if table.title.startswith("EER %"):
            name, unit, scale = unit_of("EER %")
            place = title
        one = {"name": name, "value": _scaled(value, scale), "unit": unit}
        one["condition"] = place if isinstance(place, str) else place.text
        if interval is not None:
            one["interval"] = [_scaled(end, scale) for end in interval]
        found.append(one)
    return found


def _scaled(value: float, scale: float) -> float:
    """Divide; counts stay whole."""
    return value if scale == 1 else value / scale


def _finite(step: Mapping[str, float]) -> dict[str, float | None]:
    """Replace what JSON has no number for."""
    return {name: x if math.isfinite(x) else None for name, x in step.items()}


def _inputs_of(run: Run, output: str) -> dict[str, list[str]]:
    """List the inputs that belong to an output, without others that were measured."""
    return {
        role: [path for path in paths if path == output or path not in run.outputs]
        for role, paths in run.inputs.items()
    }


def _key(run: Run, entry: Entry) -> str:
    """Name an entry, so that the same run again replaces it."""
    words = [run.program, entry["output"]]
    if run.measures:
        words += [x for x in [run.options.get("flavor")] if x]
        words += [one["path"] for role in KEYS for one in entry["inputs"].get(role, [])]
    return " ".join(words)
