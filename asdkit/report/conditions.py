"""Attributes of trials, and error rates by each of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import AsdkitError
from asdkit.io.protocols import ABSENT, BONAFIDE
from asdkit.io.tables import read_words
from asdkit.metrics.eer import eer
from asdkit.report.evaluations import Evaluated

MOST_VALUES = 30  # a column of more names says nothing
FEW_NUMBERS = 6  # so many different numbers are categories
BINS = 4
# Tables that say how a data directory is stored, or who speaks.
STORAGE = {"utt2spk", "utt2num_frames", "utt2uniq", "utt2text"}
TITLES = {"dur": "duration in s", "snr": "SNR in dB", "gender": "sex", "age": "age"}


class ByCondition(NamedTuple):
    """Error rates by the values of an attribute.

    Attributes:
        title: the attribute, e.g. "duration in s".
        values: C values in order.
        counts: (C, 2) trials to accept and others.
        eers: (S, C) fractions, of every system.
    """

    title: str
    values: list[str]
    counts: np.ndarray
    eers: np.ndarray


def by_conditions(found: Evaluated) -> list[ByCondition]:
    """Measure all systems by every attribute of the key and of its data directory.

    An attribute whose values only spoofs have, e.g. an attack, is told from all bona
    fide speech.
    """
    results = []
    columns = {name.lower(): column for name, column in found.columns.items()}
    columns = _columns_beside(found) | columns
    for name, column in columns.items():
        if name in ("key", "spk", "utt", "subset", "trim", "tmp"):
            continue
        one = _measure(found, name, np.asarray(column))
        if one is not None:
            results.append(one)
    return results


def binned(numbers: np.ndarray) -> np.ndarray:
    """(N,) numbers -> (N,) names of ranges with about as many in each.

    >>> sorted(set(binned(np.arange(8.0)).tolist()))
    ['0 to 1.75', '1.75 to 3.5', '3.5 to 5.25', '5.25 to 7']
    """
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, BINS + 1)))
    edges = np.unique([float(f"{edge:.3g}") for edge in edges])
    if len(edges) < 3:
        return np.full(len(numbers), f"{edges[0]:g}")
    bins = np.clip(np.searchsorted(edges[1:-1], numbers, side="right"), 0, None)
    names = [f"{a:g} to {b:g}" for a, b in pairwise(edges)]
    return np.array(names)[bins]


def _measure(found: Evaluated, name: str, column: np.ndarray) -> ByCondition | None:
    """Measure by one attribute; None if it does not part the trials."""
    values = _ordered(set(column.tolist()) - {ABSENT, BONAFIDE})
    if not 1 < len(values) <= MOST_VALUES:
        return None
    is_positive = found.classes[0]
    of_positives = set(column[is_positive].tolist()) - {ABSENT, BONAFIDE}
    kept, counts, eers = [], [], []
    for value in values:
        rows = column == value
        positive = is_positive & (rows if of_positives else True)
        negative = ~is_positive & rows
        if positive.any() and negative.any():
            kept.append(value)
            counts.append((int(positive.sum()), int(negative.sum())))
            eers.append(
                [eer(x.scores[positive], x.scores[negative]) for x in found.systems]
            )
    if len(kept) < 2:
        return None
    title = TITLES.get(name, name)
    return ByCondition(title, kept, np.array(counts), np.array(eers).T)


def _columns_beside(found: Evaluated) -> dict[str, np.ndarray]:
    """Read utt2... and spk2... tables beside the key: name -> (N,) str."""
    folder = os.path.dirname(found.key.path) or "."
    columns = {}
    spk_of = _table(f"{folder}/utt2spk")
    for file in sorted(os.listdir(folder)):
        kind, two, name = file.partition("2")
        if file in STORAGE or not two or kind not in ("utt", "spk") or name == "utt":
            continue
        table = _table(f"{folder}/{file}")
        if kind == "utt":
            values = [table.get(utt, ABSENT) for utt in found.test]
        else:
            values = [table.get(spk_of.get(utt, ""), ABSENT) for utt in found.test]
        column = _as_categories(np.array(values))
        if kind == "spk" and found.enroll is not None and not _is_number(values):
            enrolled = [table.get(spk_of.get(x, x), ABSENT) for x in found.enroll]
            differs = column != np.array(enrolled)
            column = np.where(differs, "mixed", column)
        columns[name] = column
    return columns


def _as_categories(values: np.ndarray) -> np.ndarray:
    """Replace numbers by ranges where there are many."""
    known = values != ABSENT
    different = set(values[known].tolist())
    if len(different) <= FEW_NUMBERS or not _is_number(different):
        return values
    column = values.astype(object)
    column[known] = binned(values[known].astype(float))
    return column.astype(str)


def _is_number(values: Sequence[str] | set[str]) -> bool:
    """Tell whether all known values are numbers."""
    try:
        [float(value) for value in values if value != ABSENT]
    except ValueError:
        return False
    return True


def _ordered(values: set[str]) -> list[str]:
    """Sort ranges by where they begin, all else as text."""

    def place(value: str) -> tuple[float, str]:
        try:
            return float(value.partition(" to ")[0]), value
        except ValueError:
            return 0.0, value

    return sorted(values, key=place)


def _table(path: str) -> dict[str, str]:
    """Read a table of words; empty where it is none."""
    try:
        return read_words(path)
    except AsdkitError:
        return {}
