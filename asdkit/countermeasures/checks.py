"""Check score files for errors before trusting their metrics.

A reader stops at the first problem; a check reads on.  Problems beyond single lines are
found by `asdkit.metrics.examination`, which all programs use that read scores with
their key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.numbers import parse_number
from asdkit.base.ranges import FilePath
from asdkit.countermeasures.keys import of_subset, read_cm_key
from asdkit.countermeasures.score_files import (
    are_of_pairs,
    label_of,
    read_asv,
    read_sasv_systems,
)
from asdkit.data.problems import Report
from asdkit.data.scores import Note, match_examined
from asdkit.io.cm_scores import FORMATS, WITH_HEADER, format_of
from asdkit.io.ids import find_difference
from asdkit.io.protocols import Protocol, read_enrollment
from asdkit.io.score_formats import read_scores_of
from asdkit.io.tables import PathName, read_lines, read_table
from asdkit.io.trials import read_trials
from asdkit.io.words import first_words
from asdkit.metrics.eer import eer
from asdkit.metrics.examination import Finding, examine
from asdkit.metrics.flavor_names import VERIFICATION

# LA_E_A3794758 and D_A0000000562 are utterances to enroll, LA_E_3794758 is not.
ENROLLMENT = re.compile(r"(?:(?:LA|PA|DF)_)?[TDE]_A\d+")


def check_all(
    trials: PathName,
    scores: Sequence[PathName],
    flavor: str,
    asv_scores: FilePath | None = None,
    asv_trials: FilePath | None = None,
    subset: str | None = None,
    enrollment: FilePath | None = None,
) -> tuple[str, Report]:
    """Check score files of one evaluation.

    Args:
        trials: the key: trials, a protocol of a challenge, utt2attack or asv_trials.
        scores: files to check.
        flavor: one of `asdkit.metrics.flavor_names.VERIFICATION` or ``SPOOFING``.
        asv_scores: ASV scores to check, too, for the t-DCF and the t-EER; None: no
            ASV scores.
        asv_trials: key of the ASV scores; None: in their own file.
        subset: subset of the evaluation data, e.g. progress; None: eval in ASVspoof
            2021, else all.
        enrollment: enrollment utterances, which must not be scored: asv_enroll.spk2utt
            or the list of a challenge; None: those of the challenges, recognized by
            name.

    Returns:
        a line per file, and what is wrong.

    Raises:
        DataError: the key is wrong, or a file is missing.
    """
    report, said = Report(), []
    place = trials, flavor
    for path in scores:
        first_words(path)  # a file that is not there is no problem among others
        if flavor in VERIFICATION:
            said.append(check_verification(trials, path, report))
        elif are_pairs(path):
            said.append(check_pairs(*place, path, report))
        else:
            said.append(check_cm(*place, path, report, subset, enrollment))
    if asv_scores:
        key = of_subset(trials, read_cm_key(*place), subset)
        asv = asv_scores, asv_trials, flavor, key, report
        said.append(check_asv(*asv, subset))
    return "\n".join(said), report


def check_verification(
    trials_path: PathName, scores_path: PathName, report: Report
) -> str:
    """Check the scores of speaker verification, and describe them.

    Args:
        trials_path: ``<enroll> <test> target|nontarget`` or VoxCeleb's form.
        scores_path: in any format of `asdkit.io.score_formats`.
        report: receives the problems.
    """
    trials = read_trials(trials_path)
    try:
        scores, note = read_scores_of(trials, scores_path), _noting(report)
        values = match_examined(trials, scores, trials_path, scores_path, note)
    except DataError as error:
        _note(report, error)
        return f"{scores_path}: not comparable"
    target, nontarget = values[trials.is_target], values[~trials.is_target]
    return _describe(scores_path, target=target, nontarget=nontarget)


def check_pairs(
    key_path: PathName, flavor: str, scores_path: PathName, report: Report
) -> str:
    """Check scores of pairs that include spoofs; arguments as in `check_cm`."""
    try:
        note = _noting(report)
        key, systems = read_sasv_systems(key_path, flavor, [scores_path], note=note)
    except DataError as error:
        _note(report, error)
        return f"{scores_path}: not comparable"
    values, keys = systems[f"{scores_path}"].sasv, np.array(key.key)
    target, nontarget = values[keys == "target"], values[keys == "nontarget"]
    return _describe(scores_path, target=target, nontarget=nontarget)


def check_cm(
    key_path: PathName,
    flavor: str,
    scores_path: PathName,
    report: Report,
    subset: str | None = None,
    enrollment: PathName | None = None,
) -> str:
    """Check the scores of a countermeasure, and describe them.

    Args:
        key_path: a CM protocol of the challenge, or utt2attack.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`.
        scores_path: the file in any of the formats of `asdkit.io.cm_scores`.
        report: receives the problems.
        subset: see `of_subset`.
        enrollment: utterances to enroll, ``<spk> <utt>,<utt>,...`` or spk2utt; None
            knows those of the challenges by their names.

    Raises:
        DataError: the key is wrong.
    """
    whole = read_cm_key(key_path, flavor)
    key = of_subset(key_path, whole, subset)
    try:
        format_name = format_of(scores_path)
    except DataError as error:
        _note(report, error)
        return f"{scores_path}: not readable"
    scores = _read(Path(scores_path), format_name, whole, report)
    enrolled = _read_enrolled(enrollment)
    _check_utterances(Path(scores_path), scores, key, whole, enrolled, report)
    kinds = dict(zip(key.utt, key.is_bonafide.tolist(), strict=True))
    known = {u: x for u, x in scores.items() if u in kinds and np.isfinite(x)}
    values = np.array(list(known.values()))  # in the order of the file
    is_bonafide = np.array([kinds[utt] for utt in known], dtype=bool)
    for finding in examine(values, is_bonafide, "bonafide", "spoof"):
        _noting(report)(scores_path, finding)
    bonafide, spoof = values[is_bonafide], values[~is_bonafide]
    return _describe(scores_path, bonafide=bonafide, spoof=spoof)


def check_asv(
    path: PathName,
    trials_path: PathName | None,
    flavor: str,
    cm_key: Protocol,
    report: Report,
    subset: str | None = None,
) -> str:
    """Check the scores of the ASV system used to evaluate a countermeasure.

    Args:
        path: see `asdkit.countermeasures.score_files.read_asv`.
        trials_path: key of the scores; None if they include it.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`.
        cm_key: key of the countermeasures.
        report: receives the problems.
        subset: see `of_subset`.
    """
    try:
        asv = read_asv(path, trials_path, flavor, cm_key, subset, _noting(report))
    except DataError as error:
        _note(report, error)
        return f"{path}: not comparable"
    target, nontarget, _ = asv.classes()
    return _describe(path, target=target, nontarget=nontarget)


def are_pairs(path: PathName) -> bool:
    """Tell scores of pairs from scores of utterances; False if it is neither."""
    try:
        return are_of_pairs(path)
    except DataError:
        return False


def _read(
    path: Path, format_name: str, key: Protocol, report: Report
) -> dict[str, float]:
    """Read the readable lines; report the others."""
    names = FORMATS[format_name]
    skipped = int(format_name in WITH_HEADER)
    attack_of = dict(zip(key.utt, key.attack, strict=True))
    scores: dict[str, float] = {}
    for number, line in enumerate(read_lines(path)[skipped:], start=1 + skipped):
        words = line.split()
        if len(words) != len(names):
            text = f"expected {len(names)} words, got {line!r}"
            report.add(path, number, "form", text, "one utterance and score per line")
            continue
        utt = words[names.index("utt" if "utt" in names else "filename")]
        try:
            score = parse_number(words[names.index("cm-score")])
        except ValueError:
            text = f"expected a score, got {line!r}"
            report.add(path, number, "number", text, "write a number")
            continue
        if not np.isfinite(score):
            text = f"the score of {utt!r} is {score}"
            cure = "what made it?  Silence, or a division by zero"
            report.add(path, number, "not finite", text, cure)
        if utt in scores:
            text = f"{utt!r} comes a second time"
            report.add(path, number, "duplicate", text, "score every utterance once")
        scores[utt] = score
        if "key" in names and utt in attack_of:
            _check_label(path, number, words, attack_of[utt], report)
    return scores


def _check_label(
    path: Path, number: int, words: list[str], attack: str, report: Report
) -> None:
    """Compare the attack and key in a line of 2019's format with the key."""
    if label_of(words[1], words[2]) != attack:
        text = f"it says {words[1]} {words[2]}, the key says {attack}"
        report.add(path, number, "label", text, "is it the score file of another part?")


def _check_utterances(
    path: Path,
    scores: Mapping[str, float],
    key: Protocol,
    whole: Protocol,
    enrolled: set[str],
    report: Report,
) -> None:
    """Compare the utterances of a score file with the key's."""
    if difference := find_difference(key.utt, scores):
        cure = "write the ids as the key has them"
        report.add(path, 0, "ids", difference, cure)
        return
    for utt in key.utt:
        if utt not in scores:
            text, cure = f"there is no score for {utt!r}", "score the whole key"
            report.add(path, 0, "missing", text, cure)
    known = set(whole.utt)
    for utt in scores:
        if utt in known:
            continue
        if utt in enrolled or ENROLLMENT.fullmatch(utt):
            text, sort = f"{utt!r} is there to enroll a speaker", "enrollment"
            cure = "leave these files out: they are no trials"
        else:
            text, sort = f"{utt!r} is not in the key", "extra"
            cure = "is it the key of another part, year or track?"
        report.add(path, 0, sort, text, cure)


def _describe(path: PathName, **classes: np.ndarray) -> str:
    """Describe the scores of two classes."""
    (first, higher), (second, lower) = classes.items()
    counts = f"{len(higher)} {first}, {len(lower)} {second}"
    if not len(higher) or not len(lower):
        return f"{path}: {counts}: not comparable"
    return f"{path}: {counts}, EER {100 * eer(higher, lower):.2f} %"


def _noting(report: Report) -> Note:
    """Make a function that reports findings."""

    def note(path: PathName, finding: Finding) -> None:
        report.add(Path(path), 0, *finding)

    return note


def _read_enrolled(path: PathName | None) -> set[str]:
    """Read utterances to enroll, from a challenge's list or a table."""
    if path is None:
        return set()
    table = read_table(path)
    if any("," in utts for utts in table.values()):
        return {utt for utts in read_enrollment(path).values() for utt in utts}
    return {utt for utts in table.values() for utt in utts.split()}


def _note(report: Report, error: DataError) -> None:
    """Report what stopped a reader."""
    cure = error.hint or "see asdkit score-metrics --help for the formats"
    report.add(Path(error.path), error.line or 0, "reader", error.problem, cure)
