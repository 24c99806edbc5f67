"""Trials and scores: text files of millions of short lines.

Trials are ``<enroll> <test> target|nontarget``, or VoxCeleb's ``1|0 <enroll> <test>``;
scores are ``<enroll> <test> <score>`` and never carry keys.  Every id is kept once;
rows are numbers.  Both have a binary form, too, by names that end in ``.npz``
(`asdkit.io.pair_tables`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asdkit.base.errors import DataError
from asdkit.io import pair_tables
from asdkit.io.files import write_atomic
from asdkit.io.id_numbers import IdNumbers
from asdkit.io.ids import find_difference
from asdkit.io.origins import Origin, check_origin, note_origin
from asdkit.io.pair_tables import (
    PairTable,
    is_binary_name,
    is_pair_table,
    read_pair_table,
    write_pair_table,
)
from asdkit.io.tables import PathName
from asdkit.io.words import Spans, convert_words, read_span_numbers, read_spans

LINES = 100_000  # lines to write at a time
KEYS = {b"target": True, b"nontarget": False}
SPOOF_KEYS = {**KEYS, b"spoof": False}
BITS = {b"1": True, b"0": False}


@dataclass(frozen=True)
class Pairs:
    """Pairs of an enrolled model and a test utterance.

    Attributes:
        enroll_ids: M models, in the order of their first occurrence.
        test_ids: U test utterances, likewise.
        enroll: (N,) int32 rows of enroll_ids.
        test: (N,) int32 rows of test_ids.
    """

    enroll_ids: list[str]
    test_ids: list[str]
    enroll: np.ndarray
    test: np.ndarray

    def __len__(self) -> int:
        return len(self.enroll)

    def name(self, row: int) -> str:
        """Name a pair as its file does."""
        return f"{self.enroll_ids[self.enroll[row]]} {self.test_ids[self.test[row]]}"


@dataclass(frozen=True)
class Trials(Pairs):
    """Pairs with their keys.

    Attributes:
        is_target: (N,) bool, True if both have the same speaker.
    """

    is_target: np.ndarray


@dataclass(frozen=True)
class Scores(Pairs):
    """Pairs with their scores.

    Attributes:
        values: (N,) float64, larger means target.
    """

    values: np.ndarray


def read_trials(path: PathName) -> Trials:
    """Read ``<enroll> <test> target|nontarget`` or ``1|0 <enroll> <test>`` lines.

    Raises:
        DataError: the file is missing or empty, or a line is neither; or they are of
            other utterances or speakers than there are now.
    """
    return _read_trials(path, KEYS, "target or nontarget")


def read_pairs(path: PathName) -> Pairs:
    """Read the pairs of trials, whose keys may be ``spoof``, too, and are not kept.

    Raises:
        DataError: the file is missing or empty, or a line is no trial.
    """
    trials = _read_trials(path, SPOOF_KEYS, "target, nontarget or spoof")
    return Pairs(trials.enroll_ids, trials.test_ids, trials.enroll, trials.test)


def read_scores(path: PathName) -> Scores:
    """Read ``<enroll> <test> <score>`` lines.

    Raises:
        DataError: the file is missing or empty, a line does not end in a number, or
            that is NaN.
    """
    if is_pair_table(path):
        scores = Scores(*read_pair_table(path, "Scores"))
        if np.isnan(scores.values).any():
            name = scores.name(int(np.argmax(np.isnan(scores.values))))
            raise DataError(path, f"the score of {name!r} is NaN")
        return scores
    pairs = PairReader()
    values = []
    for block in read_spans(path, 3, "three words"):
        values.append(read_span_numbers(path, block, 2, (0, 1)))
        pairs.add_spans(block, (0, 1))
    return Scores(*pairs.finish(path), np.concatenate(values))


def write_trials(
    path: PathName,
    trials: Trials,
    is_spoof: np.ndarray | None = None,
    origin: Origin | None = None,
) -> None:
    """Write ``<enroll> <test> target|nontarget`` lines, or spoof where (N,) is true.

    Args:
        path: the file; binary if its name ends in ``.npz``.
        trials: N of them.
        is_spoof: (N,) bool.
        origin: origin of the utterances and speakers; None if unknown.
    """
    keys = trials.is_target.astype(np.uint8)
    if is_spoof is not None:
        keys[is_spoof] = pair_tables.KEYS.index("spoof")
    if is_binary_name(path):
        write_pair_table(path, "Trials", _table_of(trials, keys))
    else:
        _write(path, trials, np.array(pair_tables.KEYS)[keys], "")
    note_origin(path, origin)


def write_scores(path: PathName, pairs: Pairs, values: np.ndarray) -> None:
    """Write ``<enroll> <test> <score>`` lines; seven digits, as Kaldi does.

    Args:
        path: the file; binary, and all digits, if its name ends in ``.npz``.
        pairs: N pairs, e.g. the trials.
        values: (N,) their scores.

    Raises:
        ValueError: there are not N scores, or one is NaN.
    """
    if np.shape(values) != (len(pairs),):
        raise ValueError(f"{len(pairs)} pairs but scores of shape {np.shape(values)}")
    if np.isnan(values).any():
        raise ValueError(f"{pairs.name(int(np.argmax(np.isnan(values))))!r} has NaN")
    if is_binary_name(path):
        write_pair_table(path, "Scores", _table_of(pairs, values))
    else:
        _write(path, pairs, values, ".7g")


def pairs_of(enroll: Sequence[str], test: Sequence[str]) -> Pairs:
    """Number N pairs of ids."""
    enroll_ids, test_ids = list(dict.fromkeys(enroll)), list(dict.fromkeys(test))
    rows = _renumber(enroll, enroll_ids), _renumber(test, test_ids)
    return Pairs(enroll_ids, test_ids, *(row.astype(np.int32) for row in rows))


def match_scores(
    trials: Pairs, scores: Scores, trials_path: PathName, scores_path: PathName
) -> np.ndarray:
    """Match scores with the trials.

    Files with the same pairs in the same order match line by line, repeated pairs
    included.  Otherwise every pair must be in both files exactly once.

    Args:
        trials: N trials.
        scores: as many scores.
        trials_path: the file, for messages.
        scores_path: the file, for messages.

    Returns:
        (N,) scores.

    Raises:
        DataError: a trial has no score, a score no trial, or a pair comes twice.
    """
    rows = match_rows(trials, scores, trials_path, scores_path)
    return scores.values if rows is None else scores.values[rows]


def match_rows(
    trials: Pairs, scores: Scores, trials_path: PathName, scores_path: PathName
) -> np.ndarray | None:
    """Find the score of every trial; arguments and errors as in `match_scores`.

    Returns:
        (N,) rows of the scores; None if they are in the order of the trials.
    """
    if (
        np.array_equal(trials.enroll, scores.enroll)
        and np.array_equal(trials.test, scores.test)
        and trials.enroll_ids == scores.enroll_ids
        and trials.test_ids == scores.test_ids
    ):
        return None
    num_tests = len(trials.test_ids)
    wanted = trials.enroll * np.int64(num_tests) + trials.test
    enroll = _renumber(scores.enroll_ids, trials.enroll_ids)[scores.enroll]
    test = _renumber(scores.test_ids, trials.test_ids)[scores.test]
    given = np.where((enroll < 0) | (test < 0), -1, enroll * num_tests + test)
    by_wanted, by_given = np.argsort(wanted), np.argsort(given)
    pairs = wanted[by_wanted]
    if not np.array_equal(pairs, given[by_given]) or np.any(pairs[1:] == pairs[:-1]):
        extra, missing = ~np.isin(given, wanted), ~np.isin(wanted, given)
        hint = find_difference(trials.enroll_ids, scores.enroll_ids)
        hint = hint or find_difference(trials.test_ids, scores.test_ids)
        _refuse(scores_path, scores, extra, f"no trial in {trials_path}", hint)
        _refuse(trials_path, trials, missing, f"no score in {scores_path}", hint)
        _refuse(trials_path, trials, _repeated(wanted), "been listed before")
        _refuse(scores_path, scores, _repeated(given), "been listed before")
    rows = np.empty(len(trials), dtype=np.int64)
    rows[by_wanted] = by_given
    return rows


def _read_trials(path: PathName, keys: dict[bytes, bool], expected: str) -> Trials:
    """Read trials with these keys, or VoxCeleb's."""
    check_origin(path)
    if is_pair_table(path):
        return _trials_of(path, read_pair_table(path, "Trials"), keys, expected)
    pairs, key_numbers = PairReader(), IdNumbers(bits=4)
    is_target = []
    for block in read_spans(path, 3, "three words"):
        places, table, wanted = (0, 1, 2), keys, expected
        if _starts_with_bits(block.first_words()):
            places, table, wanted = (1, 2, 0), BITS, "1 or 0"
        found = _number(key_numbers, block, places[2])
        try:
            is_true = np.array([table[key] for key in key_numbers.known], bool)[found]
        except KeyError:  # of this block, or of one before that had other keys
            words, look_up = block.column(places[2]), table.__getitem__
            is_true = convert_words(
                path, block.first_line, words, look_up, wanted, bool
            )
        is_target.append(is_true)
        pairs.add_spans(block, places[:2])
    return Trials(*pairs.finish(path), np.concatenate(is_target))


def _trials_of(
    path: PathName, table: PairTable, keys: dict[bytes, bool], expected: str
) -> Trials:
    """Check the keys of trials in binary form."""
    trials = Trials(*table[:-1], table.column == pair_tables.KEYS.index("target"))
    for number, key in enumerate(pair_tables.KEYS):
        at = np.flatnonzero(table.column == number)
        if key.encode() not in keys and len(at):
            name = trials.name(int(at[0]))
            raise DataError(path, f"expected {expected}, got {key!r} of {name!r}")
    return trials


class PairReader:
    """Number ids as they come."""

    def __init__(self) -> None:
        self.numbers = [IdNumbers() for _ in range(2)]
        self.rows: list[list[np.ndarray]] = [[], []]

    def add_spans(self, block: Spans, places: Sequence[int]) -> None:
        """Take two columns of a block."""
        for numbers, rows, place in zip(self.numbers, self.rows, places, strict=True):
            rows.append(_number(numbers, block, place))

    def finish(
        self, path: PathName
    ) -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
        """Return what `Pairs` holds.

        Raises:
            DataError: there was nothing, or an id is not UTF-8.
        """
        if not self.rows[0]:
            raise DataError(path, "expected lines of three words, got an empty file")
        try:
            enroll_ids, test_ids = (
                [word.decode() for word in numbers.known] for numbers in self.numbers
            )
        except UnicodeDecodeError as error:
            raise DataError(path, f"expected UTF-8 text, got {error}") from None
        enroll, test = map(np.concatenate, self.rows)
        return enroll_ids, test_ids, enroll, test


def _number(numbers: IdNumbers, block: Spans, place: int) -> np.ndarray:
    """Number the words at a place of N lines; (N,) int32."""
    return numbers.number(
        block.text, block.letters, block.starts[place], block.ends[place]
    )


def _starts_with_bits(words: Sequence[bytes]) -> bool:
    """Tell VoxCeleb's form from Kaldi's by the first line of a block."""
    return words[0] in BITS and words[2] not in KEYS


def _table_of(pairs: Pairs, column: np.ndarray) -> PairTable:
    """Combine pairs and a column of keys or scores."""
    ids = pairs.enroll_ids, pairs.test_ids
    return PairTable(*ids, pairs.enroll, pairs.test, column)


def _write(path: PathName, pairs: Pairs, values: np.ndarray, form: str) -> None:
    """Write a value per pair."""
    enroll_ids, test_ids = pairs.enroll_ids, pairs.test_ids
    with write_atomic(path, "wb") as stream:
        for start in range(0, len(pairs), LINES):
            now = slice(start, start + LINES)
            block = zip(
                pairs.enroll[now].tolist(),
                pairs.test[now].tolist(),
                values[now].tolist(),
                strict=True,
            )
            lines = [f"{enroll_ids[i]} {test_ids[j]} {v:{form}}\n" for i, j, v in block]
            stream.write("".join(lines).encode())


def _renumber(ids: Sequence[str], keys: Sequence[str]) -> np.ndarray:
    """Look up (M,) ids among the keys; -1 for those that are not there."""
    row_of = {key: row for row, key in enumerate(keys)}
    return np.array([row_of.get(name, -1) for name in ids], dtype=np.int64)


def _repeated(codes: np.ndarray) -> np.ndarray:
    """Tell for every number whether it occurred before."""
    is_first = np.zeros(len(codes), dtype=bool)
    is_first[np.unique(codes, return_index=True)[1]] = True
    return ~is_first


def _refuse(
    path: PathName,
    pairs: Pairs,
    is_bad: np.ndarray,
    problem: str,
    hint: str | None = None,
) -> None:
    """Raise if there are bad pairs; name the first few."""
    bad = np.flatnonzero(is_bad)
    if len(bad):
        names = _some([pairs.name(row) for row in bad[:4]])
        raise DataError(
            path, f"{len(bad)} of {len(pairs)} pairs have {problem}: {names}", hint=hint
        )


def _some(names: Sequence[str]) -> str:
    """Quote the first three names."""
    return ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")
