"""Evaluation keys, from a challenge's protocol or a data directory.

The number of words in a line tells which of the two it is, and which track of a
challenge.  A data directory's ``utt2attack`` brings its neighbors ``utt2spk`` and
``utt2codec`` along; its ``asv_trials`` bring ``utt2attack`` and ``utt2codec``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from asdkit.base.errors import DataError
from asdkit.data.agreement import require_agreement_of
from asdkit.io.asv_scores import AsvScores
from asdkit.io.protocols import (
    ABSENT,
    ASV_KEYS,
    ASV_LINES,
    BONAFIDE,
    CM_LINES,
    Protocol,
    kind_of,
    read_asv_protocol,
    read_cm_protocol,
)
from asdkit.io.tables import PathName, read_words
from asdkit.io.words import first_words

SUBSET = "eval"  # what ASVspoof 2021 ranks by; the rest is progress and hidden


def read_cm_key(path: PathName, flavor: str) -> Protocol:
    """Read which utterances are bona fide.

    Args:
        path: a CM protocol of the challenge, or utt2attack.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`, for its format.

    Raises:
        DataError: the file is missing or wrong, or one class is missing.
    """
    if len(first_words(path)) == 2:
        key = _read_utt2attack(path)
    else:
        key = read_cm_protocol(path, kind_of(path, CM_LINES, flavor))
    _check_classes(path, {"bonafide", "spoof"} - set(key.key))
    return key


def read_asv_key(path: PathName, flavor: str) -> Protocol:
    """Read which pairs of a speaker and an utterance are target, nontarget, spoof.

    Args:
        path: an ASV protocol of the challenge, or asv_trials.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`, for its format.

    Raises:
        DataError: the file is missing or wrong, or a class is missing.
    """
    if len(first_words(path)) == 3:
        key = _with_tables(path, read_asv_protocol(path, "asdkit"))
    else:
        key = read_asv_protocol(path, kind_of(path, ASV_LINES, flavor))
    _check_classes(path, set(ASV_KEYS) - set(key.key))
    return key


def of_subset(path: PathName, key: Protocol, subset: str | None) -> Protocol:
    """Keep one subset of the evaluation data.

    Args:
        path: the file, for messages.
        key: all of it.
        subset: the part; None takes ASVspoof 2021's "eval", and all of other corpora.

    Raises:
        DataError: there is no such part.
    """
    parts = set(key.subset)
    if subset is None and parts == {ABSENT}:
        return key
    chosen = np.array([name == (subset or SUBSET) for name in key.subset])
    if not chosen.any():
        got = ", ".join(sorted(parts))
        raise DataError(path, f"expected subset {subset or SUBSET!r}, got {got}")
    return select(key, chosen)


def select(key: Protocol, rows: np.ndarray) -> Protocol:
    """Keep (U,) bool rows of a key."""
    at = np.flatnonzero(rows).tolist()

    def pick(column: Sequence[str]) -> list[str]:
        return [column[row] for row in at]

    columns = {name: pick(column) for name, column in key.columns.items()}
    return Protocol(
        pick(key.utt),
        pick(key.spk),
        pick(key.attack),
        pick(key.codec),
        pick(key.subset),
        pick(key.key),
        key.is_bonafide[rows],
        columns,
    )


def columns_of(key: Protocol) -> dict[str, np.ndarray]:
    """Gather the attributes of every utterance or pair: name -> (N,) str."""
    columns = {name: np.array(column) for name, column in key.columns.items()}
    return columns | {"attack": np.array(key.attack), "codec": np.array(key.codec)}


def asv_scores_of(key: Protocol, values: np.ndarray) -> AsvScores:
    """Put (N,) ASV scores beside their key."""
    return AsvScores(np.array(key.key), values, columns_of(key))


def _read_utt2attack(path: PathName) -> Protocol:
    """Read a data directory's table, with its speakers and codecs if it has them."""
    table = read_words(path)
    require_agreement_of(path, table)
    utts, attacks = list(table), list(table.values())
    return Protocol(
        utts,
        _lookup(path, "utt2spk", utts),
        attacks,
        _lookup(path, "utt2codec", utts, may_lack=True),
        [ABSENT] * len(utts),
        [BONAFIDE if attack == BONAFIDE else "spoof" for attack in attacks],
        np.array([attack == BONAFIDE for attack in attacks], dtype=bool),
        {},
    )


def _with_tables(path: PathName, key: Protocol) -> Protocol:
    """Look up the attacks and codecs of our own ASV trials."""
    attacks = _lookup(path, "utt2attack", key.utt)
    codecs = _lookup(path, "utt2codec", key.utt, may_lack=True)
    for number, (utt, attack, trial) in enumerate(
        zip(key.utt, attacks, key.key, strict=True), start=1
    ):
        if attack != ABSENT and (attack == BONAFIDE) == (trial == "spoof"):
            problem = f"{utt!r} is {trial}, but utt2attack says {attack!r}"
            raise DataError(path, problem, line=number)
    named = [
        BONAFIDE if trial != "spoof" else attack
        for attack, trial in zip(attacks, key.key, strict=True)
    ]
    return key._replace(attack=named, codec=codecs)


def _lookup(
    path: PathName, name: str, utts: Sequence[str], may_lack: bool = False
) -> list[str]:
    """Look utterances up in a table beside a file; "-" if there is no such table.

    Args:
        path: the file that names them.
        name: of the table.
        utts: what to look up.
        may_lack: whether the table may lack some, which have "-" then: uncoded speech.
    """
    beside = Path(path).parent / name
    if not beside.exists():
        return [ABSENT] * len(utts)
    table: Mapping[str, str] = read_words(beside)
    for utt in utts if not may_lack else ():
        if utt not in table:
            raise DataError(beside, f"it lacks {utt!r}, which {path} names")
    return [table.get(utt, ABSENT) for utt in utts]


def _check_classes(path: PathName, missing: set[str]) -> None:
    """Refuse a key that lacks one of the classes."""
    if missing:
        raise DataError(path, f"there is no {' and no '.join(sorted(missing))} in it")
