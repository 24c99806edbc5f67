"""All results below directories, as tables, CSV or Markdown."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from asdkit.base.answers import Cell, Table, number
from asdkit.base.errors import DataError
from asdkit.io.run_results import (
    RUN_RESULTS,
    Entry,
    results_below,
    sha256_of,
)
from asdkit.io.tables import PathName
from asdkit.report.lineage import Made
from asdkit.report.recording import POOLED
from asdkit.report.result_tables import table as markdown_table

COSTS = {"wall_sec": "wall s", "cpu_sec": "CPU s", "peak_mb": "peak MB"}
WHOLE = ("trials", "parameters", "MACs")


def list_results(directories: Sequence[PathName]) -> list[Table]:
    """Tabulate what runs have measured, a table for each program and set of metrics.

    Args:
        directories: directories with results.json in them or below.

    Returns:
        tables; below the last a note names results whose files have changed since.

    Raises:
        DataError: there are no results, or a file is damaged.
    """
    found: dict[tuple[Any, ...], list[tuple[str, Entry]]] = {}
    changed = []
    num_entries = 0
    for directory in dict.fromkeys(directories):
        for folder, entries in results_below(directory).items():
            for entry in entries.values():
                num_entries += 1
                output = os.path.normpath(folder / entry["output"])
                if is_outdated(folder, entry):
                    changed.append(f"{output} ({entry['program']})")
                if "metrics" in entry:
                    found.setdefault(_group(entry), []).append((output, entry))
    if not num_entries:
        raise DataError(
            ", ".join(map(str, directories)),
            f"expected {RUN_RESULTS} in it or below, got none",
            hint="programs that train, extract, score or measure leave it",
        )
    tables = [_table(group[0], rows) for group, rows in sorted(found.items())]
    if not tables:
        tables = [Table(["output"], [], notes=["runs, but none with metrics"])]
    if changed:
        note = f"Files have changed since they were measured: {', '.join(changed)}."
        tables[-1] = Table(**{**vars(tables[-1]), "notes": [*tables[-1].notes, note]})
    return tables


def tables_of(runs: Iterable[Made]) -> list[Table]:
    """Tabulate the measurements of some runs."""
    found: dict[tuple[Any, ...], list[tuple[str, Entry]]] = {}
    for made in runs:
        if "metrics" in made.entry:
            group = found.setdefault(_group(made.entry), [])
            group.append((made.output, made.entry))
    return [_table(group[0], rows) for group, rows in sorted(found.items())]


def is_outdated(folder: Path, entry: Entry) -> bool:
    """Tell whether a hashed file of an entry is there, and another than then."""
    return any(
        "sha256" in one
        and (folder / one["path"]).is_file()
        and sha256_of(folder / one["path"]) != one["sha256"]
        for paths in entry["inputs"].values()
        for one in paths
    )


def as_csv(tables: Sequence[Table]) -> str:
    """Format tables as one of comma-separated values, numbers unrounded.

    A column is there for every metric of any table, and two for its interval.
    """
    rows = []
    for one in tables:
        for row in one.to_json()["rows"]:
            flat = {"program": one.title}
            for name, value in row.items():
                if isinstance(value, dict):
                    flat[name] = value["value"]
                    flat[f"{name} low"], flat[f"{name} high"] = value["interval"]
                else:
                    flat[name] = value
            rows.append(flat)
    titles = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, titles, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().removesuffix("\n")


def as_markdown(tables: Sequence[Table]) -> str:
    """Format tables as Markdown, each with its title and notes."""
    parts = []
    for one in tables:
        cells = [[_escaped(_text(x)) for x in row] for row in one.rows]
        titles = [_escaped(title) for title in one.titles]
        body = markdown_table(titles, cells, one.num_names)
        title = [f"**{_escaped(one.title)}**"] if one.title else []
        parts.append("\n\n".join([*title, body, *one.notes]))
    return "\n\n".join(parts)


def _group(entry: Entry) -> tuple[Any, ...]:
    """Name the table that an entry is in; measurements by their metrics."""
    names = dict.fromkeys(one["name"] for one in entry["metrics"])
    is_training = "cost" in entry
    return entry["program"], () if is_training else tuple(names)


def _table(program: str, entries: Sequence[tuple[str, Entry]]) -> Table:
    """Tabulate the results of one program."""
    rows = [row for output, entry in entries for row in _rows(output, entry)]
    names = [
        name
        for name in ("trials", "system", "condition")
        if len({row[name] for row in rows}) > 1
    ]
    metrics = dict.fromkeys(name for row in rows for name in row["metrics"])
    costs = [name for name in COSTS if any(name in row["cost"] for row in rows)]
    titles = ["output", *names, *metrics, *(COSTS[name] for name in costs)]
    body: list[list[Cell | str]] = []
    for row in rows:
        cells = [row["metrics"].get(name, number(None)) for name in metrics]
        spent = [number(row["cost"].get(name), ".1f") for name in costs]
        body.append([row["output"], *(row[name] for name in names), *cells, *spent])
    return Table(titles, body, num_names=1 + len(names), title=program)


def _rows(output: str, entry: Entry) -> Iterator[dict[str, Any]]:
    """Yield the rows of an entry: one for each system and condition."""
    rows: dict[tuple[str, str], dict[str, Cell]] = {}
    for one in entry["metrics"]:
        place = one.get("system", ""), one.get("condition", POOLED)
        title, cell = _cell(one)
        rows.setdefault(place, {})[title] = cell
    keys = entry["inputs"].get("trials", []) or entry["inputs"].get("data_dir", [])
    folder = output if entry["output"] == "." else os.path.dirname(output)
    paths = [os.path.normpath(os.path.join(folder, key["path"])) for key in keys]
    for (system, condition), metrics in rows.items():
        yield {
            "output": output,
            "trials": ", ".join(paths),
            "system": system,
            "condition": condition,
            "metrics": metrics,
            "cost": entry.get("cost", {}),
        }


def _cell(one: dict[str, Any]) -> tuple[str, Cell]:
    """Return the column and the cell of a metric."""
    name, value, unit = one["name"], one["value"], one["unit"]
    scale = 100.0 if unit == "fraction" else 1
    form = "," if unit in WHOLE else ".4f"
    cell = number(scale * value, form)
    if "interval" in one:
        ends = [scale * end for end in one["interval"]]
        text = f"{cell.text} [{ends[0]:.4f}, {ends[1]:.4f}]"
        cell = Cell(text, {"value": cell.value, "interval": ends})
    return f"{name} %" if unit == "fraction" else name, cell


def _text(cell: Cell | str) -> str:
    return cell if isinstance(cell, str) else cell.text


def _escaped(text: str) -> str:
    """Keep a text from ending its cell."""
    return text.replace("|", "\\|").replace("\n", " ")
