"""Bundles in words and numbers."""

from __future__ import annotations

from asdkit.base.answers import Cell, Table, number
from asdkit.inference.bundle import Bundle
from asdkit.inference.card import card_table


def about_table(bundle: Bundle) -> list[Table]:
    """Describe a bundle: its card first, if it has one, then what its graphs cost."""
    about = bundle.about
    rows: list[list[Cell | str]] = []
    for name, cost in about["footprint"].items():
        rows.append(
            [
                f"{name}.onnx",
                number(cost["size_mb"], ".2f"),
                number(cost["parameters"], ","),
                Cell(f"{cost['macs'] / 1e9:.3f} G", cost["macs"]),
                number(1e3 * cost["latency_sec"], ".1f"),
                number(cost["real_time_factor"], ".4f"),
                number(cost["peak_mb"], ".0f"),
            ]
        )
    titles = ["graph", "MB", "parameters", "MACs", "ms for 3 s", "RTF", "peak MB"]
    notes = [
        "One thread of the machine that made the bundle; MACs without the front end; "
        "memory beyond that of Python and ONNX Runtime.",
        f"Decision: same speaker above {bundle.costs.threshold:.3f} ({bundle.costs}); "
        f"refused below {bundle.min_speech_sec:g} s of speech.",
        f"Licence: {about['licence']}. Trained on: {about['data']}.",
    ]
    cost_table = Table(titles, rows, notes=notes, title=bundle.what)
    card = bundle.card()
    return [cost_table] if card is None else [cost_table, card_table(card)]
