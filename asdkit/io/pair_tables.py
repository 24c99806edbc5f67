"""Trials and scores in binary: read in a tenth of the time of text, exact to the bit.

One ``.npz`` without pickle, as model files are (`asdkit.io.store`); its kind is
``Trials`` or ``Scores``.  With N pairs:

==============  =======  ===========================================================
array           dtype    what it holds
==============  =======  ===========================================================
``enroll_ids``  uint8    ids of the models in UTF-8, a newline after each
``test_ids``    uint8    ids of the test utterances, likewise
``enroll``      int32    (N,) row of each pair's model
``test``        int32    (N,) row of each pair's test utterance
``keys``        uint8    (N,) of trials: 0 nontarget, 1 target, 2 spoof
``values``      float64  (N,) of scores: larger means target
==============  =======  ===========================================================

Programs write it where a name ends in ``.npz``, and know it by its first bytes where
they read trials or scores (`asdkit.io.trials`).  Scores hold no keys in this form
either.
"""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import DataError
from asdkit.io.checksums import ZIP
from asdkit.io.store import kind_of, load_arrays, save_arrays
from asdkit.io.tables import PathName

COLUMN_OF = {"Trials": "keys", "Scores": "values"}
KEYS = ("nontarget", "target", "spoof")
DTYPES = {"enroll": "int32", "test": "int32", "keys": "uint8", "values": "float64"}


class PairTable(NamedTuple):
    """N pairs and a column of keys or scores; attributes as in the file."""

    enroll_ids: list[str]
    test_ids: list[str]
    enroll: np.ndarray
    test: np.ndarray
    column: np.ndarray


def is_pair_table(path: PathName) -> bool:
    """Tell whether a file is to be read as one; what cannot be opened is not."""
    try:
        with open(path, "rb") as stream:
            if stream.read(len(ZIP)) != ZIP:
                return False
    except OSError:
        return False
    if is_binary_name(path):
        return True
    with contextlib.suppress(DataError):  # any other archive
        return kind_of(path) in COLUMN_OF
    return False


def is_binary_name(path: PathName) -> bool:
    """Tell whether trials and scores are written in binary under this name."""
    return os.fspath(path).endswith(".npz")


def write_pair_table(path: PathName, kind: str, table: PairTable) -> None:
    """Write trials or scores; ids are listed in the order of their first pairs.

    Args:
        path: the file, whose name ends in ``.npz``.
        kind: "Trials" or "Scores".
        table: the pairs; ids that are in none of them are left out.
    """
    arrays = {COLUMN_OF[kind]: table.column.astype(DTYPES[COLUMN_OF[kind]])}
    for side in ("enroll", "test"):
        ids, rows = getattr(table, f"{side}_ids"), getattr(table, side)
        used, arrays[side] = _in_order(rows, len(ids))
        text = "".join(f"{ids[row]}\n" for row in used.tolist())
        arrays[f"{side}_ids"] = np.frombuffer(text.encode(), np.uint8)
    save_arrays(path, kind, {}, arrays)


def read_pair_table(path: PathName, kind: str) -> PairTable:
    """Read trials or scores.

    Raises:
        DataError: damaged, of another kind, or its arrays do not belong together.
    """
    found = kind_of(path)
    if found != kind:
        problem = f"expected {kind.lower()}, got {found!r}"
        raise DataError(path, problem, hint="asdkit model-info tells what it is")
    _, arrays = load_arrays(path, kind)
    try:
        column = arrays[COLUMN_OF[kind]]
        ids = _split(arrays["enroll_ids"]), _split(arrays["test_ids"])
        enroll, test = arrays["enroll"], arrays["test"]
        for name in ("enroll", "test", COLUMN_OF[kind]):
            if arrays[name].dtype != DTYPES[name] or arrays[name].shape != (len(test),):
                array = arrays[name]
                raise ValueError(f"{name} is {array.dtype} of shape {array.shape}")
        for names, rows in zip(ids, (enroll, test), strict=True):
            if not len(rows) or rows.min() < 0 or rows.max() >= len(names):
                raise ValueError("there are no pairs, or of ids that are not there")
            if len(set(names)) < len(names):
                raise ValueError("an id comes twice")
        if kind == "Trials" and column.max() >= len(KEYS):
            raise ValueError(f"a key is {column.max()}")
    except (KeyError, ValueError) as error:
        raise DataError(path, f"not a table of {kind.lower()}: {error}") from None
    return PairTable(*ids, enroll, test, column)


def _in_order(rows: np.ndarray, num_ids: int) -> tuple[np.ndarray, np.ndarray]:
    """Number ids by their first pair.

    Args:
        rows: (N,) rows of ids.
        num_ids: M.

    Returns:
        (M',) rows of the ids that are used, and (N,) int32 new rows.
    """
    first = np.full(num_ids, len(rows))
    first[rows[::-1]] = np.arange(len(rows))[::-1]  # the last assignment stays
    used = np.argsort(first, kind="stable")[: np.count_nonzero(first < len(rows))]
    new = np.zeros(num_ids, np.int32)
    new[used] = np.arange(len(used))
    return used, new[rows]


def _split(text: np.ndarray) -> list[str]:
    """Split ids, each of which ends with a newline."""
    return text.tobytes().decode().split("\n")[:-1]
