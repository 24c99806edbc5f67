"""Bundles in words and numbers."""

from __future__ import annotations

from pathlib import Path

from asdkit.base.answers import Cell, Table, number
from asdkit.base.errors import DataError
from asdkit.inference.bundle import Bundle
from asdkit.inference.bundle_files import COPY, INDEX
from asdkit.inference.card import card_table
from asdkit.inference.cm_card import cm_card_table


def about_table(bundle: Bundle) -> list[Table]:
    """Describe a bundle: what its graphs cost, then its cards, if it has any.

    Raises:
        DataError: its description is damaged.
    """
    try:
        tables = [_cost_table(bundle)]
        if (card := bundle.card()) is not None:
            tables.append(card_table(card))
        if (card := bundle.cm_card()) is not None:
            tables.append(cm_card_table(card))
        return tables
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        where = Path(bundle.path, INDEX)
        raise DataError(where, f"or its card: damaged: {error!r}", hint=COPY) from None


def _cost_table(bundle: Bundle) -> Table:
    """Describe graphs, decisions and origin."""
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
        *_decisions(bundle),
        f"Recordings with less than {bundle.min_speech_sec:g} s of speech are refused.",
        f"Licence: {about['licence']}. Trained on: {about['data']}.",
    ]
    return Table(titles, rows, notes=notes, title=bundle.what)


def _decisions(bundle: Bundle) -> list[str]:
    """Say which decisions it takes, and which not: it decides what is calibrated."""
    found = []
    for graph, calibration, what, costs in (
        ("speaker.onnx", "calibration.npz", "same speaker", bundle.costs),
        ("cm.onnx", "cm_calibration.npz", "bona fide", bundle.cm_costs),
    ):
        if graph in bundle.files:
            text = f"{what} above {costs.threshold:.3f} ({costs})"
            if calibration not in bundle.files:
                text = f"{what} or not is undecided: no calibration"
            found.append(f"Decision: {text}.")
    return found
