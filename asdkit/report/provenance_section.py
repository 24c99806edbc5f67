"""Provenance of a report: commands, versions, hashes of files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from asdkit.report.lineage import Made
from asdkit.report.markup import Content, Markup, element, scroll_box
from asdkit.report.results_listing import is_outdated


def provenance_table(runs: Iterable[Made]) -> list[Content]:
    """Tabulate runs with command, version, commit, host, time; then hashes of files."""
    listed = sorted(
        runs, key=lambda made: str(made.entry["provenance"].get("time", ""))
    )
    body, hashes = [], {}
    changed = []
    for made in listed:
        origin = made.entry["provenance"]
        cells: list[Content] = [element("th", made.output, scope="row")]
        cells.append(element("td", element("code", _word(origin, "command"))))
        version = f"{_word(origin, 'version')} ({_word(origin, 'commit')})"
        for text in (version, _word(origin, "host"), _word(origin, "time")):
            cells.append(element("td", text))
        body.append(element("tr", cells))
        hashes.update(_hashes(made))
        if is_outdated(made.folder, made.entry):
            changed.append(f"{made.output} ({made.program})")
    parts: list[Content] = [
        _table(("output", "command", "version", "host", "time"), body, "Runs")
    ]
    if changed:
        text = (
            "Files that have changed since they were read or measured; these numbers "
        )
        text += f"may not be reproduced: {', '.join(sorted(set(changed)))}."
        parts.append(element("p", text))
    rows = [
        element(
            "tr",
            [element("th", path, scope="row"), element("td", element("code", digest))],
        )
        for path, digest in sorted(hashes.items())
    ]
    if rows:
        table = _table(("file", "SHA-256"), rows, "Hashes of the files that were read")
        summary = element("summary", f"Hashes of {len(rows)} files")
        parts.append(element("details", [summary, table]))
    return parts


def _hashes(made: Made) -> dict[str, str]:
    """List the hashes of a run's inputs: path -> hash."""
    found = {}
    for role, paths in made.entry["inputs"].items():
        for path, one in zip(made.inputs(role), paths, strict=False):
            if isinstance(one, dict) and isinstance(one.get("sha256"), str):
                found[path] = one["sha256"]
    return found


def _table(titles: Sequence[str], body: Content, caption: str) -> Markup:
    head = element("tr", [element("th", title, scope="col") for title in titles])
    parts = [
        element("caption", caption),
        element("thead", head),
        element("tbody", body),
    ]
    return scroll_box(element("table", parts), caption)


def _word(origin: dict[str, Any], name: str) -> str:
    return str(origin.get(name, ""))
