"""A comparison of systems as a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asdkit.base.answers import Cell, Table, number
from asdkit.io.tables import PathName
from asdkit.io.words import first_words
from asdkit.report.comparison import parse_system
from asdkit.report.evaluations import Evaluated, Key, evaluate
from asdkit.report.markup import Content, Markup, data_table, element, figure
from asdkit.report.page import Section, evaluation_section, render
from asdkit.report.svg import Plot, mark, ticks

ROW = 30  # pixels from one comparison to the next


def comparison_page(
    tables: Sequence[Table],
    key_path: PathName,
    names: Sequence[str],
    flavor: str,
    asv_scores: str | None = None,
    asv_trials: str | None = None,
    subset: str | None = None,
) -> Markup:
    """Make a page of a comparison: verdicts, intervals, then curves of every file.

    Args:
        tables: of systems and of pairs, from `asdkit.report.comparison`.
        key_path: trials; or a CM protocol or utt2attack.
        names: systems, as `parse_system` reads them; the first is compared with.
        flavor: format of a CM protocol.
        asv_scores: scores of the ASV system in the t-DCF; None for none.
        asv_trials: their key; None where it is in their own file.
        subset: part of the evaluation data; None for the usual one.

    Raises:
        DataError: a file is wrong.
    """
    systems, pairs = tables
    sentences = [note for note in pairs.notes if note]
    listed = element("ul", [element("li", sentence) for sentence in sentences])
    verdicts: list[Content] = [
        listed,
        _forest(pairs),
        _as_html(systems, "Systems"),
        *(element("p", note, class_="soft") for note in systems.notes),
        _as_html(pairs, "Comparisons"),
    ]
    found = _evaluated(key_path, names, flavor, asv_scores, asv_trials, subset)
    curves = evaluation_section(found, "e0", 0)
    parts = [
        Section("comparison", "Comparison", verdicts),
        curves._replace(answer=None),
    ]
    return render(f"Comparison on {key_path}", parts)


def _evaluated(
    key_path: PathName,
    names: Sequence[str],
    flavor: str,
    asv_scores: str | None,
    asv_trials: str | None,
    subset: str | None,
) -> Evaluated:
    """Measure every file, named by its system and number of the seed."""
    key = Key("verification", f"{key_path}")
    if len(first_words(key_path)) != 3:
        key = Key(
            "countermeasure",
            f"{key_path}",
            flavor,
            asv_scores or "",
            asv_trials or "",
            subset or "",
        )
    name_of = {}
    for system in map(parse_system, names):
        for n, path in enumerate(system.paths, start=1):
            seed = f", seed {n}" if len(system.paths) > 1 else ""
            name_of[path] = f"{system.name}{seed}"
    found = evaluate(key, list(name_of), None)
    for one in found.systems:
        one.name = name_of[one.path]
    return found


def _forest(pairs: Table) -> Markup:
    """Draw changes in percent with their intervals, a row for each comparison."""
    rows = []
    for row in pairs.to_json()["rows"]:
        change = row["change %"]
        if isinstance(change, dict):
            label = f"{row['system']}, {row['metric']}"
            rows.append((label, change["value"], *change["interval"], row["verdict"]))
    if not rows:
        text = "Changes in percent are left out: a system has no errors in some draws."
        return element("p", text, class_="soft")
    low = min(0.0, *(row[2] for row in rows))
    high = max(0.0, *(row[3] for row in rows))
    edge = 0.05 * (high - low) or 1.0
    left = 24 + 6.6 * min(34, max(len(row[0]) for row in rows))
    y = len(rows) - 0.5, -0.5
    height = ROW * len(rows) + 60
    plot = Plot.sized((low - edge, high + edge), y, 760, height, left=left)
    labels = [(n, _cut(row[0])) for n, row in enumerate(rows)]
    parts = [plot.axes(ticks(low, high, 8), labels, "change in %", "")]
    zero = plot.x(0)
    parts.append(
        element("line", x1=zero, x2=zero, y1=10, y2=height - 40, class_="zero")
    )
    for n, (_, value, first, last, verdict) in enumerate(rows):
        color = {"better": 2, "worse": 1}.get(verdict, 7)
        at = float(plot.y(n))
        ends = {"x1": f"{plot.x(first):.1f}", "x2": f"{plot.x(last):.1f}"}
        parts.append(element("line", y1=at, y2=at, class_=f"s c{color}", **ends))
        parts.append(mark(n, float(plot.x(value)), at, 5, class_=f"m c{color}"))
    cells: list[list[Cell | str]] = [
        [row[0], *(number(value, ".1f") for value in row[1:4]), row[4]] for row in rows
    ]
    titles = ["comparison", "change %", "low", "high", "verdict"]
    text = "Changes against the first system, with intervals; left of the line is "
    text += "better."
    picture = plot.draw(parts, "Changes in percent", class_="plot full")
    return figure("Changes", text, picture, data_table(titles, cells, "Changes"))


def _as_html(table: Table, caption: str) -> Markup:
    """Write a table of the program's answer."""
    rows: Any = table.rows
    return data_table(list(table.titles), rows, caption, table.num_names)


def _cut(text: str) -> str:
    return text if len(text) <= 34 else f"{text[:32]}…"
