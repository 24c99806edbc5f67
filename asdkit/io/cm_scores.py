"""Scores of countermeasures (CMs), and of CM and ASV together, in all common formats.

Ours is ``<utt> <score>`` per line, as ASVspoof 2021's; higher means bona fide.  The
others are read only: ASVspoof 2019's ``<utt> <attack> <key> <score>``, whose attack and
key are not trusted, and ASVspoof 5's tables with a header.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.numbers import is_number
from asdkit.io.files import write_atomic
from asdkit.io.ids import find_difference
from asdkit.io.protocols import ABSENT
from asdkit.io.tables import PathName
from asdkit.io.words import first_words, read_numbers, read_words

FORMATS = {
    "ours": ("utt", "cm-score"),
    "asvspoof2019": ("utt", "attack", "key", "cm-score"),
    "asvspoof5": ("filename", "cm-score"),  # in a header line
    "asvspoof5_sasv": ("spk", "filename", "cm-score", "asv-score", "sasv-score"),
}
WITH_HEADER = ("asvspoof5", "asvspoof5_sasv")
WITHOUT_HEADER = ("ours", "asvspoof2019")
SCORES = ("cm-score", "asv-score", "sasv-score")
SEPARATORS = ",;|"
TWO_SCORES = (
    "these are two scores of an utterance; keep one, which rises with bona fide "
    "speech, e.g. their difference"
)


@dataclass(frozen=True)
class CmScores:
    """Scores of utterances.

    Attributes:
        utt: U utterances in file order.
        values: (U,) float64, higher means bona fide.
        columns: other columns of the file, by the names of `FORMATS`.
    """

    utt: list[str]
    values: np.ndarray
    columns: Mapping[str, list[str]]


@dataclass(frozen=True)
class SasvScores:
    """Scores of pairs of a claimed speaker and an utterance.

    Attributes:
        spk: N speakers.
        utt: N utterances.
        values: "cm-score", "asv-score", "sasv-score" -> (N,) float64; those given as
            "-" are missing.
    """

    spk: list[str]
    utt: list[str]
    values: Mapping[str, np.ndarray]


def format_of(path: PathName) -> str:
    """Tell which of `FORMATS` a score file has by its first line.

    Raises:
        DataError: it has none of them; the hint says what it looks like.
    """
    words = first_words(path)
    for name in WITH_HEADER:
        if tuple(words) == FORMATS[name]:
            return name
    for name in WITHOUT_HEADER:
        if len(words) == len(FORMATS[name]) and is_number(words[-1]):
            return name
    known = " or ".join(
        f"'{' '.join(f'<{word}>' for word in FORMATS[name])}'"
        for name in WITHOUT_HEADER
    )
    line = " ".join(words)
    problem = f"expected {known}, or a header of ASVspoof 5; got {line!r}"
    raise DataError(path, problem, line=1, hint=_guess(words))


def read_cm_scores(path: PathName) -> CmScores:
    """Read the scores of utterances.

    Raises:
        DataError: the file is missing, empty or in no known format, a line has another
            number of words than the first, or a score is no number, or NaN.
    """
    name = format_of(path)
    if name == "asvspoof5_sasv":
        raise DataError(
            path,
            "expected a score per utterance, got ASVspoof 5's SASV table",
            hint="its key is the ASV protocol, with target, nontarget and spoof",
        )
    names = FORMATS[name]
    columns: dict[str, list[str]] = {word: [] for word in names[:-1]}
    values = []
    expected = f"{len(names)} words, '{' '.join(f'<{word}>' for word in names)}'"
    for first_line, block in read_words(
        path, len(names), expected, int(name in WITH_HEADER)
    ):
        values.append(read_numbers(path, first_line, block[-1], block[:1]))
        for word, column in zip(columns, block, strict=False):
            columns[word] += [text.decode(errors="replace") for text in column]
    if not values:
        raise DataError(path, "expected a line per utterance, got only a header")
    utt = columns.pop(names[0])
    return CmScores(utt, np.concatenate(values), columns)


def read_sasv_scores(path: PathName) -> SasvScores:
    """Read ASVspoof 5's table of CM, ASV and SASV scores per pair.

    Raises:
        DataError: the file is missing, has another header, or a column is neither all
            numbers nor all "-".
    """
    names = FORMATS["asvspoof5_sasv"]
    if tuple(words := first_words(path)) != names:
        expected, got = " ".join(names), " ".join(words)
        raise DataError(path, f"expected the header {expected!r}, got {got!r}", line=1)
    ids: list[list[str]] = [[], []]
    values: dict[str, list[np.ndarray]] = {name: [] for name in SCORES}
    expected = f"{len(names)} words under {' '.join(names)!r}"
    for first_line, block in read_words(path, len(names), expected, 1):
        for column, texts in zip(ids, block, strict=False):
            column += [text.decode(errors="replace") for text in texts]
        for name, texts in zip(SCORES, block[2:], strict=True):
            if set(texts) != {ABSENT.encode()}:
                values[name].append(read_numbers(path, first_line, texts, block[:2]))
    if not ids[0]:
        raise DataError(path, "expected a line per trial, got only a header")
    found = {name: np.concatenate(parts) for name, parts in values.items() if parts}
    for name, scores in found.items():
        if len(scores) != len(ids[0]):
            raise DataError(path, f"{name} is '-' for some trials and given for others")
    return SasvScores(ids[0], ids[1], found)


def write_cm_scores(path: PathName, utt: Sequence[str], values: np.ndarray) -> None:
    """Write ``<utt> <score>`` lines; seven digits, as for trials.

    Args:
        path: the file.
        utt: U utterances.
        values: (U,) their scores.

    Raises:
        ValueError: there are not U scores, or one is NaN.
    """
    if np.shape(values) != (len(utt),):
        raise ValueError(f"{len(utt)} utterances, scores of shape {np.shape(values)}")
    if np.isnan(values).any():
        raise ValueError(f"{utt[int(np.argmax(np.isnan(values)))]!r} has NaN")
    with write_atomic(path) as stream:
        stream.writelines(
            f"{name} {value:.7g}\n" for name, value in zip(utt, values, strict=True)
        )


def match_cm_scores(
    wanted: Sequence[str],
    scores: CmScores,
    key_path: PathName,
    scores_path: PathName,
    known: Collection[str] = (),
) -> np.ndarray:
    """Put scores into the order of a key.

    Args:
        wanted: U utterances of the key.
        scores: their scores, in any order.
        key_path: the file, for messages.
        scores_path: the file, for messages.
        known: utterances that may have a score although not wanted, e.g. those of
            another subset.

    Returns:
        (U,) scores.

    Raises:
        DataError: an utterance has no score or two, or a score belongs to none.
    """
    if scores.utt == wanted:
        return scores.values
    row_of = {utt: row for row, utt in enumerate(scores.utt)}
    if len(row_of) < len(scores.utt):
        seen: set[str] = set()
        for number, utt in enumerate(scores.utt, start=1):
            if utt in seen:
                raise DataError(scores_path, f"{utt!r} comes twice", line=number)
            seen.add(utt)
    missing = [utt for utt in wanted if utt not in row_of]
    if missing:
        raise DataError(
            scores_path,
            f"{len(missing)} of {len(wanted)} utterances of {key_path} have no score: "
            + some(missing),
            hint=find_difference(wanted, scores.utt),
        )
    extra = row_of.keys() - set(wanted)
    extra -= set(known) if extra else set()
    if extra:
        raise DataError(
            scores_path,
            f"{len(extra)} of {len(row_of)} utterances are not in {key_path}: "
            + some(sorted(extra)),
            hint="asdkit score-check says more",
        )
    return scores.values[[row_of[utt] for utt in wanted]]


def has_two_scores(words: Sequence[str]) -> bool:
    """Tell a line with the outputs of both classes from one of a pair of ids."""
    return len(words) == 3 and all(
        is_number(word) and not word.isdecimal() for word in words[1:]
    )


def some(names: Sequence[str]) -> str:
    """Quote the first three names."""
    return ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")


def _guess(words: Sequence[str]) -> str | None:
    """Describe what a first line looks like."""
    for mark in SEPARATORS:
        if any(mark in word for word in words):
            return f"separate words by blanks or tabs, not by {mark!r}"
    if not any(map(is_number, words)):
        return "this looks like a header; leave it out"
    if has_two_scores(words):
        return TWO_SCORES
    if len(words) == 3:
        return "this looks like scores of pairs; a CM gives an utterance one score"
    return None
