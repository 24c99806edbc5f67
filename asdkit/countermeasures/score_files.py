"""Score files of spoofing evaluations: matched with the key and examined."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import DataError
from asdkit.countermeasures.keys import (
    asv_scores_of,
    of_subset,
    read_asv_key,
    read_cm_key,
)
from asdkit.data.scores import Note
from asdkit.io.asv_scores import AsvScores, read_asv_scores
from asdkit.io.cm_scores import (
    FORMATS,
    TWO_SCORES,
    CmScores,
    has_two_scores,
    match_cm_scores,
    read_cm_scores,
    read_sasv_scores,
)
from asdkit.io.ids import find_renaming
from asdkit.io.protocols import ASV_KEYS, BONAFIDE, Protocol
from asdkit.io.tables import PathName
from asdkit.io.trials import Scores, match_rows, match_scores, pairs_of, read_scores
from asdkit.io.words import first_words
from asdkit.metrics.examination import Finding, examine, warn

logger = logging.getLogger(__name__)


class SasvSystem(NamedTuple):
    """A system's scores of N pairs.

    Attributes:
        sasv: (N,) score of the decision.
        cm: (N,) score of its countermeasure; None if not given.
        asv: (N,) score of its ASV system; None if not given.
    """

    sasv: np.ndarray
    cm: np.ndarray | None = None
    asv: np.ndarray | None = None


def are_of_pairs(path: PathName) -> bool:
    """Tell scores of pairs of a speaker and an utterance from those of utterances.

    Raises:
        DataError: there are two scores of an utterance, or the file cannot be read.
    """
    words = first_words(path)
    if has_two_scores(words):
        problem = f"expected one score in a line, got {' '.join(words)!r}"
        raise DataError(path, problem, line=1, hint=TWO_SCORES)
    return len(words) == 3 or tuple(words) == FORMATS["asvspoof5_sasv"]


def read_cm_systems(
    key_path: PathName,
    flavor: str,
    score_paths: Sequence[PathName],
    subset: str | None = None,
    note: Note = warn,
) -> tuple[Protocol, dict[str, np.ndarray]]:
    """Read the scores that countermeasures give to the utterances of a key.

    Args:
        key_path: a CM protocol of the challenge, or utt2attack.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`.
        score_paths: a file per system; see `asdkit.io.cm_scores` for the formats.
        subset: see `of_subset`.
        note: receives findings about the scores; the default logs a warning.

    Returns:
        the key of U utterances, and for every file (U,) scores.

    Raises:
        DataError: a file is wrong, lacks an utterance, or has one more.
    """
    whole = read_cm_key(key_path, flavor)
    key = of_subset(key_path, whole, subset)
    systems = {}
    for path in score_paths:
        scores = _with_ids_of(whole.utt, read_cm_scores(path), path)
        systems[f"{path}"] = match_cm_scores(
            key.utt, scores, key_path, path, known=whole.utt
        )
        for finding in [*_examine_labels(scores, key), *_examine_cm(scores, key)]:
            note(path, finding)
    return key, systems


def read_sasv_systems(
    key_path: PathName,
    flavor: str,
    score_paths: Sequence[PathName],
    subset: str | None = None,
    note: Note = warn,
) -> tuple[Protocol, dict[str, SasvSystem]]:
    """Read the scores that systems give to pairs of a speaker and an utterance.

    Args:
        key_path: an ASV protocol of the challenge, or asv_trials.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`.
        score_paths: a file per system, ``<spk> <utt> <score>`` or ASVspoof 5's table.
        subset: see `of_subset`.
        note: receives findings about the scores; the default logs a warning.

    Returns:
        the key of N pairs, and for every file its scores.

    Raises:
        DataError: a file is wrong, lacks a pair, has one more, or has no SASV score.
    """
    key = of_subset(key_path, read_asv_key(key_path, flavor), subset)
    systems = {f"{p}": _read_system(key_path, key, p, note) for p in score_paths}
    return key, systems


def read_tandem(
    trials_path: PathName,
    flavor: str,
    asv_path: PathName,
    cm_path: PathName,
    note: Note = warn,
) -> tuple[Protocol, np.ndarray, np.ndarray]:
    """Read ASV scores of pairs, and countermeasure scores of their utterances.

    Args:
        trials_path: an ASV protocol of the challenge, or asv_trials.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`.
        asv_path: ``<spk> <utt> <score>`` lines.
        cm_path: scores of utterances, in any format of `asdkit.io.cm_scores`; those
            that are in no trial are left out.
        note: receives findings about the scores; the default logs a warning.

    Returns:
        the key of N pairs, (N,) ASV scores and (N,) CM scores.

    Raises:
        DataError: a file is wrong, or an ASV or a CM score is missing.
    """
    key = of_subset(trials_path, read_asv_key(trials_path, flavor), None)
    asv = _match_pairs(trials_path, key, asv_path, note)
    scores = read_cm_scores(cm_path)
    for finding in _examine_cm(scores, key):
        note(cm_path, finding)
    utts = list(dict.fromkeys(key.utt))
    values = match_cm_scores(utts, scores, trials_path, cm_path, known=scores.utt)
    score_of = dict(zip(utts, values.tolist(), strict=True))
    return key, asv, np.array([score_of[utt] for utt in key.utt])


def read_asv(
    path: PathName,
    trials_path: PathName | None,
    flavor: str,
    cm_key: Protocol,
    subset: str | None = None,
    note: Note = warn,
) -> AsvScores:
    """Read the scores of the ASV system used to evaluate countermeasures.

    Args:
        path: ``<spk> <utt> <score>``, or ``<attack> <key> <score>`` as 2019's.
        trials_path: the key of the former; None for the latter.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`.
        cm_key: key of the countermeasures, for attacks and consistency checks.
        subset: see `of_subset`.
        note: receives findings about the scores; the default logs a warning.

    Raises:
        DataError: a file is wrong, does not match its key, or is of other attacks than
            the countermeasures'.
    """
    is_anonymous = first_words(path)[1:2] in ([key] for key in ASV_KEYS)
    if is_anonymous and trials_path is None:
        scores = read_asv_scores(path)
    elif is_anonymous or trials_path is None:
        raise DataError(
            path,
            "scores of ASVspoof 2019 have their key in them"
            if is_anonymous
            else "expected '<attack> target|nontarget|spoof <score>' lines",
            hint="give --asv-trials with '<spk> <utt> <score>' lines, and only then",
        )
    else:
        key = of_subset(trials_path, read_asv_key(trials_path, flavor), subset)
        values = _match_pairs(trials_path, key, path, note)
        scores = asv_scores_of(_with_attacks(key, cm_key), values)
    check_attacks(path, scores, cm_key)
    findings = _examine_counts(scores, cm_key)
    if is_anonymous:
        findings += _examine_asv(scores.values, scores.key)
    for finding in findings:
        note(path, finding)
    return scores


def check_attacks(path: PathName, asv: AsvScores, cm_key: Protocol) -> None:
    """Refuse ASV scores with attacks other than those of the countermeasures' key.

    Raises:
        DataError: they are of another year, track or part, or lack an attack.
    """
    spoofed = asv.columns["attack"][asv.key == "spoof"].tolist()
    of_asv, of_cm = set(spoofed), set(np.array(cm_key.attack)[~cm_key.is_bonafide])
    if of_asv != of_cm:
        expected, got = _list(of_cm), _list(of_asv)
        raise DataError(
            path,
            f"expected spoofs of the key's attacks, {expected}; got {got}",
            hint="are these the ASV scores of another year, track or part?",
        )


def label_of(attack: str, kind: str) -> str:
    """Return what a line of 2019's format says of its utterance, as keys do."""
    return BONAFIDE if kind == BONAFIDE else attack


def _with_ids_of(utts: Sequence[str], scores: CmScores, path: PathName) -> CmScores:
    """Give scores the key's ids where they differ in one way, e.g. by a path."""
    renamed = find_renaming(utts, scores.utt)
    if renamed is None:
        return scores
    logger.info("scores: %s: %s; matched so", path, renamed.text)
    return replace(scores, utt=[renamed.names[utt] for utt in scores.utt])


def _examine_labels(scores: CmScores, key: Protocol) -> list[Finding]:
    """Compare the attacks and keys in a file of 2019's format with the key."""
    if "key" not in scores.columns:
        return []
    attack_of = dict(zip(key.utt, key.attack, strict=True))
    wrong = []
    columns = scores.columns["attack"], scores.columns["key"]
    for number, (utt, attack, kind) in enumerate(
        zip(scores.utt, *columns, strict=True), start=1
    ):
        expected = attack_of.get(utt)
        if expected not in (None, label_of(attack, kind)):
            wrong.append(f"line {number}: {attack} {kind}, the key says {expected}")
    if not wrong:
        return []
    text = f"{len(wrong)} of {len(scores.utt)} lines contradict the key, {wrong[0]}"
    return [Finding("label", text, "is it the score file of another part?")]


def _examine_cm(scores: CmScores, key: Protocol) -> list[Finding]:
    """Examine a CM's scores in the order of their file."""
    kinds = dict(zip(key.utt, key.is_bonafide.tolist(), strict=True))
    rows = [row for row, utt in enumerate(scores.utt) if utt in kinds]
    is_bonafide = np.array([kinds[scores.utt[row]] for row in rows], dtype=bool)
    return examine(scores.values[rows], is_bonafide, BONAFIDE, "spoof")


def _examine_asv(values: np.ndarray, key: np.ndarray) -> list[Finding]:
    """Examine (N,) ASV scores with (N,) keys, spoofs left aside."""
    kept = key != "spoof"
    return examine(values[kept], key[kept] == "target")


def _examine_counts(asv: AsvScores, cm_key: Protocol) -> list[Finding]:
    """Compare how often the ASV system and the countermeasure met every attack."""
    ours = Counter(np.array(cm_key.attack)[~cm_key.is_bonafide].tolist())
    theirs = Counter(asv.columns["attack"][asv.key == "spoof"].tolist())
    findings = []
    for attack in sorted(ours):
        # Every spoofed utterance claims one speaker or several, none is left out.
        if theirs[attack] < ours[attack]:
            text = f"{theirs[attack]} trials of {attack}, whose {ours[attack]} "
            text += "utterances the countermeasure has scored"
            cure = "are these the ASV scores of another year, track or part?"
            findings.append(Finding("counts", text, cure))
    return findings


def _read_system(
    key_path: PathName, key: Protocol, path: PathName, note: Note
) -> SasvSystem:
    """Read one file of scores of pairs."""
    if len(first_words(path)) == 3:
        return SasvSystem(_match_pairs(key_path, key, path, note))
    table = read_sasv_scores(path)
    if "sasv-score" not in table.values:
        raise DataError(path, "the sasv-score is '-' for all trials")
    pairs = pairs_of(table.spk, table.utt)
    wanted = pairs_of(key.spk, key.utt)
    columns = {
        name.partition("-")[0]: match_scores(
            wanted, Scores(**vars(pairs), values=values), key_path, path
        )
        for name, values in table.values.items()
    }
    for name in columns.keys() - {"cm"}:
        for finding in _examine_asv(columns[name], np.array(key.key)):
            note(f"{path}: {name}-score", finding)
    if "cm" in columns:
        for finding in examine(columns["cm"], key.is_bonafide, BONAFIDE, "spoof"):
            note(f"{path}: cm-score", finding)
    return SasvSystem(**columns)


def _match_pairs(
    key_path: PathName, key: Protocol, path: PathName, note: Note
) -> np.ndarray:
    """Read ``<spk> <utt> <score>`` lines into the order of a key; examine them."""
    scores, keys = read_scores(path), np.array(key.key)
    rows = match_rows(pairs_of(key.spk, key.utt), scores, key_path, path)
    of_file = keys.copy()
    if rows is not None:
        of_file[rows] = keys
    for finding in _examine_asv(scores.values, of_file):
        note(path, finding)
    return scores.values if rows is None else scores.values[rows]


def _with_attacks(key: Protocol, cm_key: Protocol) -> Protocol:
    """Name the attacks of ASV trials by the countermeasures' key where missing."""
    attack_of = dict(zip(cm_key.utt, cm_key.attack, strict=True))
    named = [
        attack_of.get(utt, attack) if trial == "spoof" else attack
        for utt, attack, trial in zip(key.utt, key.attack, key.key, strict=True)
    ]
    return key._replace(attack=named)


def _list(names: set[str]) -> str:
    """List up to twelve names in order."""
    shown = sorted(names)[:12]
    return ", ".join(shown) + (", ..." if len(names) > len(shown) else "")
