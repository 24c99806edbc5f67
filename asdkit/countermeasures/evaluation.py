"""Result tables of countermeasures (CMs) and spoofing-aware verification.

A row is a condition: all trials pooled, an attack against all bona fide speech, or a
codec.  The ASV system that a CM is judged with is measured on the trials of the same
condition, as ASVspoof 2021 does, so that C0, C1 and C2 differ from row to row.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from asdkit.base.answers import Cell, Table
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.ranges import FilePath, Names, Natural, Positive, Probability
from asdkit.countermeasures.keys import asv_scores_of, columns_of
from asdkit.countermeasures.score_files import (
    are_of_pairs,
    read_asv,
    read_cm_systems,
    read_sasv_systems,
)
from asdkit.io.asv_scores import AsvScores
from asdkit.io.protocols import ABSENT, ASV_KEYS, BONAFIDE, Protocol
from asdkit.io.tables import PathName, read_words
from asdkit.metrics.bootstrap import speakers_of
from asdkit.metrics.eer import eer
from asdkit.metrics.flavors import (
    SASV,
    TDCF,
    Metric,
    OperatingCosts,
    Tandem,
    cm_metrics,
    operating_points,
    tandem_metrics,
    without_value,
)
from asdkit.metrics.metric_table import DIGITS, SORTS, Draws, measure
from asdkit.metrics.tdcf import asv_rates, tandem_weights

logger = logging.getLogger(__name__)

BY = "attack,codec"  # the columns of a key to split results by


class Resampling(NamedTuple):
    """Whether and how to bootstrap intervals.

    Attributes:
        num_replicates: number of bootstrap draws of speakers; 0 for no intervals.
        seed: of the draws.
        utt2spk: speaker of every utterance, where the key has none; for pairs, speakers
            on both sides.
    """

    num_replicates: int = 0
    seed: int = 0
    utt2spk: PathName | None = None


NO_INTERVALS = Resampling()


class Condition(NamedTuple):
    """The trials of one row.

    Attributes:
        column: column that has the same value in all of them; "" for all trials.
        value: the value, e.g. an attack or codec.
    """

    column: str = ""
    value: str = ""

    def __str__(self) -> str:
        value = "none" if self.value == ABSENT else self.value
        return f"{self.column} {value}" if self.column else "pooled"

    def rows(self, columns: Mapping[str, np.ndarray], num_trials: int) -> np.ndarray:
        """Choose trials by their attributes: (N,) bool."""
        if not self.column:
            return np.ones(num_trials, dtype=bool)
        chosen = columns[self.column] == self.value
        if not is_of_spoofs(columns, self.column):
            return chosen
        return chosen | (columns["attack"] == BONAFIDE)


POOLED = Condition()


def is_of_spoofs(columns: Mapping[str, np.ndarray], name: str) -> bool:
    """Tell whether no bona fide speech has a column's values, (N,) each.

    An attack, its vocoder, the loudspeaker of a replay: spoofs of these are told from
    all bona fide speech.
    """
    of_bonafide = columns[name][columns["attack"] == BONAFIDE]
    return bool(np.isin(of_bonafide, [BONAFIDE, ABSENT]).all())


def spoofing_metrics(
    key_path: PathName,
    score_paths: Sequence[PathName],
    flavor: str,
    asv_scores: FilePath | None = None,
    asv_trials: FilePath | None = None,
    by: Names = BY,
    subset: str | None = None,
    bootstrap: Natural = 0,
    seed: Natural = 0,
    utt2spk: FilePath | None = None,
    p_target: tuple[Probability, ...] = (),
    c_miss: tuple[Positive, ...] = (1.0,),
    c_fa: tuple[Positive, ...] = (1.0,),
    digits: Natural = DIGITS,
) -> list[Table]:
    """Measure score files of utterances, or of pairs with a speaker.

    Args:
        key_path: a CM protocol or utt2attack; for scores of pairs, an ASV protocol or
            asv_trials.
        score_paths: a file per system.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`.
        asv_scores: scores of an ASV system, for the t-DCF and the t-EER; None: neither
            is printed.
        asv_trials: key of the ASV scores; None: in their own file.
        by: columns of the key to split the results by, comma-separated: attack, codec,
            or others in the protocol, e.g. vocoder; none: pooled rows only.
        subset: subset of the evaluation data, e.g. progress; None: eval in ASVspoof
            2021, else all.
        bootstrap: number of bootstrap draws of speakers, for 95 % intervals; 0: no
            intervals.
        seed: random seed of the bootstrap.
        utt2spk: speakers of the utterances, for the bootstrap; None: those in the key,
            or the enrolled models.
        p_target: prior of targets, or of bona fide speech, in minDCF and actDCF; a list
            for several operating points; none: those of the flavor.
        c_miss: cost of rejecting a target; one, or one for every prior.
        c_fa: cost of accepting a nontarget; one, or one for every prior.
        digits: decimals of the numbers.

    Raises:
        AsdkitError: priors and costs do not fit each other, or scores of pairs have an
            a-DCF, which takes its own.
        DataError: a file is wrong or does not match the key.
    """
    resampling = Resampling(bootstrap, seed, utt2spk)
    points = operating_points(p_target, c_miss, c_fa)
    splits = () if by == "none" else tuple(by.split(","))
    if not are_of_pairs(score_paths[0]):
        key, systems = read_cm_systems(key_path, flavor, score_paths, subset)
        asv = None
        if asv_scores is not None:
            asv = read_asv(asv_scores, asv_trials, flavor, key, subset)
        form = points, digits
        return [cm_table(flavor, key, systems, asv, splits, resampling, *form)]
    if points:
        raise AsdkitError(
            "--p-target: scores of pairs are measured by a-DCF",
            hint="its costs are those of the flavor; score utterances for a minDCF",
        )
    pair_key, pairs = read_sasv_systems(key_path, flavor, score_paths, subset)
    scores = {name: system.sasv for name, system in pairs.items()}
    tables = [sasv_table(pair_key, scores, splits, resampling, digits)]
    for name, system in pairs.items():
        if system.cm is not None and system.asv is not None:
            asv = asv_scores_of(pair_key, system.asv)
            alone = {f"{name}: cm-score": system.cm}
            options = asv, splits, resampling, (), digits
            tables.append(cm_table(flavor, pair_key, alone, *options))
    return tables


def cm_table(
    flavor: str,
    key: Protocol,
    systems: Mapping[str, np.ndarray],
    asv: AsvScores | None = None,
    by: Sequence[str] = tuple(BY.split(",")),
    resampling: Resampling = NO_INTERVALS,
    points: Sequence[OperatingCosts] = (),
    digits: int = DIGITS,
) -> Table:
    """Measure countermeasures, one line per condition and system.

    Args:
        flavor: one of `asdkit.metrics.flavors.CM`.
        key: of U utterances.
        systems: name -> (U,) CM scores.
        asv: ASV system on the same corpus; None omits the t-DCF and the t-EER.
        by: columns to split by; those with a single value are skipped.
        resampling: how to make intervals.
        points: further operating points of the costs.
        digits: decimals of the numbers.

    Raises:
        DataError: there is no such column, or speakers are not known.
    """
    columns = columns_of(key)
    speakers = speakers_of_key(key, resampling)
    body = []
    for condition in _conditions(columns, by):
        rows = condition.rows(columns, len(key.utt))
        classes = [rows & key.is_bonafide, rows & ~key.is_bonafide]
        if not all(chosen.any() for chosen in classes):
            logger.warning("metrics: %s: trials of one class only: left out", condition)
            continue
        metrics = cm_metrics(flavor, points=points)
        if asv is not None:
            metrics += _tandem_columns(flavor, asv, condition)
        body += _rows(
            condition, systems, classes, metrics, speakers, resampling, digits
        )
    titles = [metric.title for metric in metrics]
    notes = [] if asv is None else [describe_asv(flavor, asv)]
    return _table([*titles, "bonafide", "spoof"], body, notes)


def sasv_table(
    key: Protocol,
    systems: Mapping[str, np.ndarray],
    by: Sequence[str] = tuple(BY.split(",")),
    resampling: Resampling = NO_INTERVALS,
    digits: int = DIGITS,
) -> Table:
    """Measure systems that must reject nontargets and spoofs alike.

    Args:
        key: of N pairs, from an ASV protocol.
        systems: name -> (N,) scores.
        by: columns to split by; those with a single value are skipped.
        resampling: how to make intervals.
        digits: decimals of the numbers.

    Raises:
        DataError: there is no such column, or speakers are not known.
    """
    columns = columns_of(key)
    keys = np.array(key.key)
    speakers = speakers_of_key(key, resampling, in_pairs=True)
    body = []
    for condition in _conditions(columns, by):
        rows = condition.rows(columns, len(key.utt))
        classes = [rows & (keys == name) for name in ASV_KEYS]
        if not all(chosen.any() for chosen in classes):
            logger.warning("metrics: %s: no trials of a class: left out", condition)
            continue
        body += _rows(condition, systems, classes, SASV, speakers, resampling, digits)
    return _table([*(metric.title for metric in SASV), *SORTS[3]], body)


def tandem_of(asv: AsvScores, condition: Condition = POOLED) -> Tandem | None:
    """Measure an ASV system in a condition; None if it has no trials of a class."""
    if condition.column and condition.column not in asv.columns:
        return None
    rows = condition.rows(asv.columns, len(asv.key))
    classes = asv.classes(rows)
    if not all(map(len, classes)):
        return None
    return Tandem(tandem_weights(asv_rates(*classes)), classes)


def describe_asv(flavor: str, asv: AsvScores) -> str:
    """Describe in a line the ASV system's part in the pooled t-DCF."""
    tandem = tandem_of(asv)
    if tandem is None:
        return "ASV: trials of a class are missing"
    target, nontarget, _ = tandem.scores
    weights = tandem.weights
    shown = ", ".join(
        f"{name} = {value:.6f}"
        for name, value in zip(("C0", "C1", "C2"), weights, strict=True)
    )
    line = f"ASV: EER {100 * eer(target, nontarget):.4f} %, {shown}"
    has_floor = TDCF[flavor][0] == "2021"
    return f"{line}, floor = {weights.floor:.4f}" if has_floor else line


def _conditions(
    columns: Mapping[str, np.ndarray], by: Sequence[str]
) -> Iterator[Condition]:
    """Yield the pooled condition, then every value of every column.

    Having none is a value, too, where bona fide speech may have one: without a codec.
    """
    yield POOLED
    for name in by:
        if name not in columns:
            known = ", ".join(sorted(columns))
            raise DataError("--by", f"expected columns of the key, {known}; got {name}")
        absent = {ABSENT} if is_of_spoofs(columns, name) else set()
        values = sorted(set(columns[name].tolist()) - {BONAFIDE} - absent)
        if len(values) > 1:
            yield from (Condition(name, value) for value in values)


def _tandem_columns(
    flavor: str, asv: AsvScores, condition: Condition
) -> tuple[Metric, ...]:
    """List the metrics that involve the ASV system, empty where it cannot take part."""
    tandem = tandem_of(asv, condition)
    if tandem is not None:
        return tandem_metrics(flavor, tandem)
    pooled = tandem_of(asv)
    if pooled is None:
        raise DataError("ASV scores", "there are no trials of one of the classes")
    return tuple(without_value(metric) for metric in tandem_metrics(flavor, pooled))


def _rows(
    condition: Condition,
    systems: Mapping[str, np.ndarray],
    classes: Sequence[np.ndarray],
    metrics: Sequence[Metric],
    speakers: tuple[Sequence[str], Sequence[str] | None] | None,
    resampling: Resampling,
    digits: int,
) -> list[list[Cell | str]]:
    """Measure all systems in one condition."""
    split = {name: [s[rows] for rows in classes] for name, s in systems.items()}
    draws = None
    if speakers is not None:
        numbered = speakers_of(classes, *speakers)
        draws = Draws(numbered, resampling.num_replicates, resampling.seed)
    found = measure(split, metrics, draws, digits)
    return [[name, f"{condition}", *cells] for name, *cells in found]


def _table(
    titles: Sequence[str],
    body: Sequence[Sequence[Cell | str]],
    notes: Sequence[str] = (),
) -> Table:
    """Make a table with systems and conditions to the left."""
    return Table(["scores", "condition", *titles], body, num_names=2, notes=notes)


def speakers_of_key(
    key: Protocol, resampling: Resampling, in_pairs: bool = False
) -> tuple[Sequence[str], Sequence[str] | None] | None:
    """Find the speakers of the utterances or pairs of a key.

    Args:
        key: of N utterances or pairs.
        resampling: how to make intervals, and where speakers are named.
        in_pairs: whether a trial has a speaker on both sides.

    Returns:
        N names, and N of the other side or None; None if no intervals are made.

    Raises:
        DataError: speakers are not known.
    """
    if not resampling.num_replicates:
        return None
    if resampling.utt2spk is None:
        if set(key.spk) == {ABSENT}:
            problem = "the key does not name the speakers to draw"
            raise DataError("--bootstrap", problem, hint="give --utt2spk, too")
        return key.spk, None
    utt2spk = read_words(resampling.utt2spk)
    missing = [utt for utt in key.utt if utt not in utt2spk]
    if missing:
        raise DataError(resampling.utt2spk, f"it lacks {missing[0]!r}, and others")
    of_utt = [utt2spk[utt] for utt in key.utt]
    return (key.spk, of_utt) if in_pairs else (of_utt, None)
