"""Scores of pairs as other toolkits write them, told apart by what is in the file.

=============================  =================================================
``<enroll> <test> <score>``    asdkit, Kaldi, ASVspoof 2021's ASV scores
``<score> <enroll> <test>``    VoxSRC
``<enroll> <test> <score>``    WeSpeaker, with ``target|nontarget`` behind
``<enroll> <test> 1|0 ...``    SpeechBrain, with the score behind
``modelid segmentid side LLR`` NIST, a table with a header
=============================  =================================================

Words are separated by blanks, tabs or commas; gzip may have packed the file.  The list
of trials decides where the form does not: ids that are numbers look like scores.  Where
there is no list, scores are what has decimals, and ids what has none; a file that this
does not tell is refused.  Keys in a score file are compared with the trials and never
used.

Source: WeSpeaker, wespeaker/bin/score.py; SpeechBrain, recipes/VoxCeleb/SpeakerRec/
speaker_verification_cosine.py; the rules of VoxSRC 2020 to 2023; NIST 2018 Speaker
Recognition Evaluation Plan, section 6; asvspoof-challenge/2021, eval-package.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.numbers import is_number
from asdkit.io.ids import find_renaming
from asdkit.io.pair_tables import is_pair_table
from asdkit.io.tables import PathName
from asdkit.io.trials import PairReader, Pairs, Scores, Trials, read_scores
from asdkit.io.words import first_lines, read_span_numbers, read_spans

logger = logging.getLogger(__name__)
SAMPLE = 100  # lines from the top that tell the format
SEPARATORS = ",;"
KEYS = {"target": True, "nontarget": False, "1": True, "0": False}


class Format(NamedTuple):
    """The columns of a score file.

    Attributes:
        toolkit: whose it is.
        columns: "enroll", "test", "score", "key", or "" for what is not read.
        keys: words of the key, where there is one.
        separator: what is between words besides blanks.
        has_header: whether the first line names the columns.
    """

    toolkit: str
    columns: tuple[str, ...]
    keys: tuple[str, ...] = ()
    separator: str = ""
    has_header: bool = False

    def __str__(self) -> str:
        return f"{self.toolkit}'s {' '.join(f'<{name}>' for name in self.columns)!r}"


FORMATS = (
    Format("Kaldi", ("enroll", "test", "score")),
    Format("VoxSRC", ("score", "enroll", "test")),
    Format("WeSpeaker", ("enroll", "test", "score", "key"), ("target", "nontarget")),
    Format("SpeechBrain", ("enroll", "test", "key", "score"), ("1", "0")),
)
# Titles of columns in headers, in lower case, and what they hold.
TITLES = {
    **dict.fromkeys(
        ("modelid", "model", "enroll", "enrollment", "enroll_id"), "enroll"
    ),
    **dict.fromkeys(("spk", "speaker", "utt1", "file1"), "enroll"),
    **dict.fromkeys(("segmentid", "segment", "test", "test_id"), "test"),
    **dict.fromkeys(("filename", "utt2", "file2"), "test"),
    **dict.fromkeys(("llr", "score", "scores"), "score"),
    **dict.fromkeys(("cm-score", "asv-score", "sasv-score"), "score"),
    **dict.fromkeys(("key", "label", "target", "targettype"), "key"),
}


def read_scores_of(trials: Pairs | None, path: PathName) -> Scores:
    """Read the scores of trials, in whatever format they are.

    Ids that differ from those of the trials in one way throughout, e.g. by a suffix,
    become those of the trials, which is logged.

    Args:
        trials: what was scored; decides between formats.  None: any pairs.
        path: the score file.

    Raises:
        DataError: it has no known format, or several are possible; a line is wrong; or
            its keys contradict the trials.
    """
    if is_pair_table(path):
        return read_scores(path)
    form = find_format(path, trials)
    pairs, values = PairReader(), []
    keys: list[np.ndarray] = []
    places = {role: form.columns.index(role) for role in ("enroll", "test", "score")}
    expected = f"{len(form.columns)} words, as {form}"
    names = places["enroll"], places["test"]
    for block in read_spans(
        path, len(form.columns), expected, int(form.has_header), form.separator
    ):
        values.append(read_span_numbers(path, block, places["score"], names))
        pairs.add_spans(block, names)
        if "key" in form.columns:
            words = block.column(form.columns.index("key"))
            keys.append(np.array([KEYS.get(word.decode().lower()) for word in words]))
    scores = Scores(*pairs.finish(path), np.concatenate(values))
    if trials is not None:
        scores = _with_ids_of(trials, scores, path)
    if keys and isinstance(trials, Trials):
        _compare_keys(trials, scores, np.concatenate(keys), path)
    if form is not FORMATS[0]:
        logger.info("scores: %s: read as %s", path, form)
    return scores


def find_format(path: PathName, trials: Pairs | None) -> Format:
    """Tell the format of a score file from its first lines, and the ids of trials.

    Raises:
        DataError: it has none, or several are possible.
    """
    lines = first_lines(path, SAMPLE)
    separator = next((x for x in SEPARATORS if x in lines[0]), "")
    rows = [line.replace(separator or " ", " ").split() for line in lines]
    if not any(map(is_number, rows[0])):
        return _find_header(path, rows[0], separator)
    fitting = [form for form in FORMATS if all(_fits(form, row) for row in rows)]
    hint = "its ids are not those of the trials, which would tell"
    if len(fitting) > 1 and trials is None:
        fitting = [x for x in fitting if _has_decimals(x, rows)] or fitting
        forms = " or ".join(f"'{' '.join(x.columns)}'" for x in fitting)
        hint = f"say which, by a first line with the names of its columns: {forms}"
    elif len(fitting) > 1 and trials is not None:
        known = {form: _count_known(form, rows, trials) for form in fitting}
        most = max(known.values())
        fitting = [form for form in fitting if known[form] == most]
    if len(fitting) != 1:
        line = " ".join(rows[0])
        if fitting:
            problem = f"{line!r} may be {' or '.join(map(str, fitting))}"
            raise DataError(path, problem, line=1, hint=hint)
        wanted = ", ".join(map(str, FORMATS))
        problem = f"expected {wanted} or a header of NIST's; got {line!r}"
        raise DataError(path, problem, line=1)
    return fitting[0]._replace(separator=separator) if separator else fitting[0]


def _find_header(path: PathName, titles: Sequence[str], separator: str) -> Format:
    """Take the columns of a table from its header."""
    columns = tuple(TITLES.get(title.lower(), "") for title in titles)
    for role in ("enroll", "test", "score"):
        named = [x for x, c in zip(titles, columns, strict=True) if c == role]
        if len(named) != 1:
            got = f"columns {', '.join(named)}" if named else f"{' '.join(titles)!r}"
            problem = f"expected a header with one column of {role}, got {got}"
            hint = "e.g. 'modelid segmentid side LLR', as NIST's"
            if len(named) > 1:
                hint = f"keep one of {', '.join(named)}"
            raise DataError(path, problem, line=1, hint=hint)
    return Format("NIST", columns, separator=separator, has_header=True)


def _fits(form: Format, words: Sequence[str]) -> bool:
    """Tell whether a line can be one of a format without a header."""
    if len(words) != len(form.columns):
        return False
    named = dict(zip(form.columns, words, strict=True))
    return is_number(named["score"]) and named.get("key", "") in (form.keys or ("",))


def _has_decimals(form: Format, rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether only the scores are written with decimals, if the format is this."""
    integers = [x for x, name in enumerate(form.columns) if name in ("enroll", "test")]
    score = form.columns.index("score")
    return any(not _is_whole(row[score]) for row in rows) and all(
        _is_whole(row[place]) for row in rows for place in integers
    )


def _is_whole(word: str) -> bool:
    return word.lstrip("+-").isdecimal()


def _count_known(form: Format, rows: Sequence[Sequence[str]], trials: Pairs) -> int:
    """Count the lines whose ids are those of trials, if the format is this."""
    at = [form.columns.index("enroll"), form.columns.index("test")]
    known = []
    for place, ids in zip(at, (trials.enroll_ids, trials.test_ids), strict=True):
        found = {row[place] for row in rows}
        renamed = find_renaming(ids, found)
        known.append(found & set(ids) if renamed is None else found)
    return sum(row[at[0]] in known[0] and row[at[1]] in known[1] for row in rows)


def _with_ids_of(trials: Pairs, scores: Scores, path: PathName) -> Scores:
    """Give both sides of scores the trials' ids where they differ in one way."""
    sides = []
    for wanted, found in (
        (trials.enroll_ids, scores.enroll_ids),
        (trials.test_ids, scores.test_ids),
    ):
        renamed = find_renaming(wanted, found)
        names: Mapping[str, str] = {} if renamed is None else renamed.names
        if renamed is not None:
            logger.info("scores: %s: %s; matched so", path, renamed.text)
        sides.append([names.get(name, name) for name in found])
    return replace(scores, enroll_ids=sides[0], test_ids=sides[1])


def _compare_keys(
    trials: Trials, scores: Scores, keys: np.ndarray, path: PathName
) -> None:
    """Raise if (N,) keys of a score file contradict the trials' of the same pairs."""
    pairs = zip(trials.enroll.tolist(), trials.test.tolist(), strict=True)
    key_of = {
        (trials.enroll_ids[i], trials.test_ids[j]): key
        for (i, j), key in zip(pairs, trials.is_target.tolist(), strict=True)
    }
    rows = zip(scores.enroll.tolist(), scores.test.tolist(), strict=True)
    wrong = [
        row
        for row, ((i, j), key) in enumerate(zip(rows, keys.tolist(), strict=True))
        if key is not None
        and key_of.get((scores.enroll_ids[i], scores.test_ids[j]), key) != key
    ]
    if wrong:
        problem = f"{len(wrong)} of {len(keys)} keys contradict the trials, first of "
        problem += repr(scores.name(wrong[0]))
        raise DataError(path, problem, hint="is it the score file of other trials?")
