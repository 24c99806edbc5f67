"""ASV scores of the ASVspoof challenges, for evaluating countermeasures in tandem.

The organizers publish ``<attack> <key> <score>`` lines, e.g. ``bonafide target 3.5``
and ``A07 spoof -1.2``: without names, so that they cannot be matched with trials, and a
file of the wrong year or track goes unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import DataError
from asdkit.io.protocols import ASV_KEYS, BONAFIDE
from asdkit.io.tables import PathName
from asdkit.io.words import read_numbers, read_words

KEYS = {key.encode() for key in ASV_KEYS}


class AsvScores(NamedTuple):
    """Scores of ASV trials on a corpus with spoofs.

    Attributes:
        key: (N,) str, "target", "nontarget" or "spoof".
        values: (N,) float64, higher means target.
        columns: name -> (N,) str, what is known of every trial: "attack", "codec", ...
    """

    key: np.ndarray
    values: np.ndarray
    columns: Mapping[str, np.ndarray]

    def classes(self, rows: np.ndarray | None = None) -> list[np.ndarray]:
        """Split the scores, of (N,) bool rows or of all, by key, as in `ASV_KEYS`."""
        chosen = np.ones(len(self.key), bool) if rows is None else rows
        return [self.values[chosen & (self.key == key)] for key in ASV_KEYS]


def read_asv_scores(path: PathName) -> AsvScores:
    """Read ``<attack> <key> <score>`` lines.

    Raises:
        DataError: the file is missing or empty, a line has another form, or an attack
            contradicts its key.
    """
    expected = "three words, '<attack> target|nontarget|spoof <score>'"
    columns: list[list[bytes]] = [[], []]
    values = []
    for first_line, block in read_words(path, 3, expected):
        for number, (attack, key) in enumerate(
            zip(*block[:2], strict=True), start=first_line
        ):
            if (attack == BONAFIDE.encode()) == (key == b"spoof") or key not in KEYS:
                got = b" ".join([attack, key]).decode(errors="replace")
                raise DataError(path, f"expected {expected}, got {got!r}", line=number)
        values.append(read_numbers(path, first_line, block[2], block[:2]))
        for column, words in zip(columns, block, strict=False):
            column += words
    if not values:
        raise DataError(path, f"expected lines of {expected}, got an empty file")
    attack, key = (
        np.array([word.decode(errors="replace") for word in column])
        for column in columns
    )
    return AsvScores(key, np.concatenate(values), {"attack": attack})
