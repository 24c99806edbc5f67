"""Description of a bundle in words and numbers, read without opening its graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asdkit.base.answers import Cell, Table, number
from asdkit.base.errors import DataError
from asdkit.io.tables import PathName
from asdkit.metrics.decision_costs import DecisionCosts
from asdkit.models.bundle_files import (
    CARD,
    CM_CARD,
    COPY,
    INDEX,
    digest_of,
    read_index,
    read_json,
)


def described(folder: PathName) -> list[Table]:
    """Read what a bundle says of itself, see `tables_of`; its graphs stay closed.

    Raises:
        DataError: it is no bundle, or its description or a card is damaged.
    """
    about = read_index(folder)
    cards = []
    for name in (CARD, CM_CARD):
        file = Path(folder, name)
        card = None
        if name in about.get("files", {}):
            if digest_of(file) != about["files"][name]:
                raise DataError(file, "it has changed since it was made", hint=COPY)
            card = read_json(file)
        cards.append(card)
    return tables_of(folder, about, *cards)


def tables_of(
    folder: PathName,
    about: Mapping[str, Any],
    card: Mapping[str, Any] | None,
    cm_card: Mapping[str, Any] | None,
) -> list[Table]:
    """Describe a bundle: what its graphs cost, then its cards, if it has any.

    Args:
        folder: where it is, for messages.
        about: content of its `INDEX`.
        card: content of its `CARD`; None: none.
        cm_card: content of its `CM_CARD`; None: none.

    Raises:
        DataError: its description or a card is damaged.
    """
    try:
        tables = [footprint_table(about)]
        if card is not None:
            tables.append(card_table(card))
        if cm_card is not None:
            tables.append(cm_card_table(cm_card))
        return tables
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        where = Path(folder, INDEX)
        raise DataError(where, f"or its card: damaged: {error!r}", hint=COPY) from None


def footprint_table(about: Mapping[str, Any]) -> Table:
    """Show what a bundle's graphs cost; below, its decisions and its origin."""
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
    floor = about["min_speech_sec"]
    titles = ["graph", "MB", "parameters", "MACs", "ms for 3 s", "RTF", "peak MB"]
    notes = [
        "One thread of the machine that made the bundle; MACs without the front end; "
        "memory beyond that of Python and ONNX Runtime.",
        *_decisions(about),
        f"Recordings with less than {floor:g} s of speech are refused.",
        f"Licence: {about['licence']}. Trained on: {about['data']}.",
    ]
    return Table(titles, rows, notes=notes, title=about["what"])


def _decisions(about: Mapping[str, Any]) -> list[str]:
    """Say which decisions it takes, and which not: it decides what is calibrated."""
    found = []
    for graph, calibration, what, decision in (
        ("speaker.onnx", "calibration.npz", "same speaker", about["decision"]),
        ("cm.onnx", "cm_calibration.npz", "bona fide", about["cm_decision"]),
    ):
        costs = DecisionCosts(**decision)
        if graph in about["files"]:
            text = f"{what} above {costs.threshold:.3f} ({costs})"
            if calibration not in about["files"]:
                text = f"{what} or not is undecided: no calibration"
            found.append(f"Decision: {text}.")
    return found


def card_table(card: Mapping[str, Any]) -> Table:
    """Show how often a threshold errs, and on whom."""
    titles = (
        "group",
        "speakers",
        "target",
        "rejected %",
        "95 %",
        "nontarget",
        "accepted %",
        "its 95 %",
        "recordings",
        "refused",
    )
    rows: list[Sequence[Cell | str]] = []
    for row in card["rows"]:
        cells: list[Cell | str] = [row["group"], number(row.get("num_speakers"))]
        for rate in (row["false_rejections"], row["false_acceptances"]):
            if rate is None:
                cells += [number(None), number(None), ""]
                continue
            between = f"{100 * rate['low']:.1f} to {100 * rate['high']:.1f}"
            cells += [number(rate["num_trials"], ",")]
            cells += [Cell(f"{100 * rate['rate']:.2f}", rate["rate"]), between]
        cells += [number(row.get(x)) for x in ("num_recordings", "num_refused")]
        rows.append(cells)
    notes = [
        f"Threshold {card['threshold']:.3f}; trials: {card['trials']}.",
        *card.get("notes", ()),
    ]
    return Table(titles, rows, notes=notes, title=card["cannot"])


def cm_card_table(card: Mapping[str, Any]) -> Table:
    """Show how often a countermeasure errs, attack by attack."""
    rows: list[list[Cell | str]] = [
        [
            row["group"],
            number(row["num_recordings"], ","),
            Cell(f"{100 * row['rate']:.2f}", row["rate"]),
            f"{100 * row['low']:.1f} to {100 * row['high']:.1f}",
        ]
        for row in card["rows"]
    ]
    worth = f"EER {100 * card['eer']:.2f} %, Cllr {card['cllr']:.3f}"
    notes = [
        f"Threshold {card['threshold']:.3f}; recordings: {card['trials']}.",
        f"{worth} bits, at best {card['min_cllr']:.3f}; 1 is worth nothing.",
        *card["notes"],
    ]
    titles = ["recordings", "number", "%", "95 %"]
    return Table(titles, rows, notes=notes, title=card["cannot"])
