"""Comparison of systems by the files of their scores."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from asdkit.base.answers import Table
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.inputs import file_id
from asdkit.base.ranges import Count, FilePath, Natural, Positive, Probability
from asdkit.countermeasures.evaluation import Resampling, speakers_of_key, tandem_of
from asdkit.countermeasures.score_files import read_asv, read_cm_systems
from asdkit.io.tables import PathName
from asdkit.io.words import first_words
from asdkit.metrics.bootstrap import (
    Speakers,
    replicate,
    speakers_of,
)
from asdkit.metrics.comparison import compare, draw_seeds, require_draws
from asdkit.metrics.flavors import (
    EER,
    Metric,
    OperatingCosts,
    min_dcf_metric,
    tandem_metrics,
)
from asdkit.report.comparison_tables import count, pairs_table, systems_table
from asdkit.verification.evaluation import read_systems, speakers_of_trials

Scores = list[np.ndarray]  # (N_k,) of class k, for every k


class System(NamedTuple):
    """A system to compare: its name and its score files.

    Attributes:
        name: as the tables have it.
        paths: a score file for each seed.
    """

    name: str
    paths: list[str]


class Evaluation(NamedTuple):
    """Scores of all systems on the same trials.

    Attributes:
        scores: for every system, every seed.
        speakers: of the trials of every class.
        metrics: to compare them by; less is better.
        sorts: names of the classes.
    """

    scores: list[list[Scores]]
    speakers: list[Speakers]
    metrics: list[Metric]
    sorts: tuple[str, str]


def compare_systems(
    key_path: PathName,
    names: Sequence[str],
    flavor: str,
    p_target: Probability = 0.01,
    c_miss: Positive = 1.0,
    c_fa: Positive = 1.0,
    asv_scores: FilePath | None = None,
    asv_trials: FilePath | None = None,
    subset: str | None = None,
    utt2spk: FilePath | None = None,
    bootstrap: Count = 1000,
    seed: Natural = 0,
    level: Probability = 0.05,
    all_pairs: bool = False,
) -> list[Table]:
    """Compare systems that scored the same trials.

    Args:
        key_path: trials; or a CM protocol or utt2attack.
        names: two systems or more, as `parse_system` reads them.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`, of a CM protocol.
        p_target: prior of target trials in the minDCF of verification.
        c_miss: cost of rejecting a target.
        c_fa: cost of accepting a nontarget.
        asv_scores: scores of an ASV system, for the min t-DCF of countermeasures; None:
            EER only.
        asv_trials: key of the ASV scores; None: in their own file.
        subset: subset of the evaluation data, e.g. progress; None: eval in ASVspoof
            2021, else all.
        utt2spk: speakers of the utterances on both sides; None: those in the key, or
            in utt2spk beside the trials, or the enrolled models.
        bootstrap: number of bootstrap draws of speakers and seeds.
        seed: random seed of the bootstrap.
        level: significance level, the probability of any false verdict when no systems
            differ.
        all_pairs: compare all pairs of systems, not only each with the first.

    Returns:
        the systems; the comparisons, with a sentence for each.

    Raises:
        AsdkitError: there is one system, a name is used twice, or an option does not
            apply.
        DataError: a file is wrong, is given twice, or does not match the key.
        FitError: there is one speaker only, or there are too few draws.
    """
    systems = [parse_system(name) for name in names]
    _check(systems)
    if len(first_words(key_path)) == 3:
        if asv_scores or asv_trials or subset:
            problem = "trials of verification take no --asv-scores, -trials, --subset"
            raise DataError(key_path, problem)
        costs = OperatingCosts(p_target, c_miss, c_fa)
        found = _read_verification(key_path, systems, costs, utt2spk)
    else:
        found = _read_cm(
            *(key_path, systems, flavor, asv_scores, asv_trials, subset, utt2spk)
        )
    pairs = [(s, 0) for s in range(1, len(systems))]
    if all_pairs:
        pairs = [(s, other) for s in range(len(systems)) for other in range(s)]
    require_draws(bootstrap, len(pairs) * len(found.metrics), level)
    values = [
        [_measure(scores, found.metrics) for scores in one] for one in found.scores
    ]
    replicates = _resample(found, values, bootstrap, seed)
    estimates = np.array([np.mean(one, axis=0) for one in values])  # (S, Q)
    num_seeds = [len(one) for one in values]
    comparisons = compare(estimates, replicates, pairs, level)
    labels = [system.name for system in systems]
    trials = count(found.sorts, found.speakers)
    return [
        systems_table(labels, values, replicates, found.metrics, level, trials),
        pairs_table(labels, num_seeds, comparisons, found.metrics, level),
    ]


def parse_system(text: str) -> System:
    """Read a system: PATH, PATH,PATH for seeds, or NAME=PATH,PATH.

    What exists as a file is one, whatever is in its name.  Without a name one file has
    its path for a name, and several have the folder that they share.

    Raises:
        AsdkitError: there is no name before "=", or an empty path.

    Example:
        >>> parse_system("exp/net/seed0/scores,exp/net/seed1/scores").name
        'exp/net'
        >>> parse_system("LCNN=a,b")
        System(name='LCNN', paths=['a', 'b'])
    """
    if Path(text).is_file():
        return System(text, [text])
    name, equals, rest = text.rpartition("=") if "=" in text else ("", "", text)
    paths = rest.split(",")
    if not all(paths) or (equals and not name):
        raise AsdkitError(f"expected PATH, PATH,PATH or NAME=PATH,PATH; got {text!r}")
    if not name:
        name = text
        if len(paths) > 1 and len({Path(path).is_absolute() for path in paths}) == 1:
            name = os.path.commonpath(paths) or text
    return System(name, paths)


def _check(systems: Sequence[System]) -> None:
    """Refuse what cannot be compared."""
    if len(systems) < 2:
        raise AsdkitError(
            f"expected two systems or more, got {len(systems)}",
            hint="commas join the seeds of one system; spaces part systems",
        )
    seen: dict[tuple[int, int] | str, str] = {}
    for path in (path for system in systems for path in system.paths):
        before = seen.setdefault(file_id(path) or path, path)
        if before is not path:
            by_name = "" if before == path else f", first as {before}"
            raise DataError(path, f"this file is given twice{by_name}")
    names = [system.name for system in systems]
    for name in names:
        if names.count(name) > 1:
            problem = f"two systems are called {name!r}"
            raise AsdkitError(problem, hint="write NAME=PATH,PATH for both")


def _read_verification(
    key_path: PathName,
    systems: Sequence[System],
    costs: OperatingCosts,
    utt2spk: PathName | None,
) -> Evaluation:
    """Read scores of trials."""
    paths = [path for system in systems for path in system.paths]
    trials, classes, scores = read_systems(key_path, paths)
    speakers = speakers_of(classes, *speakers_of_trials(trials, key_path, utt2spk))
    metrics = [EER, min_dcf_metric(costs)]
    return Evaluation(
        _by_system(systems, scores), speakers, metrics, ("target", "nontarget")
    )


def _read_cm(
    key_path: PathName,
    systems: Sequence[System],
    flavor: str,
    asv_scores: PathName | None,
    asv_trials: PathName | None,
    subset: str | None,
    utt2spk: PathName | None,
) -> Evaluation:
    """Read scores of countermeasures."""
    paths = [path for system in systems for path in system.paths]
    key, scores = read_cm_systems(key_path, flavor, paths, subset)
    classes = [key.is_bonafide, ~key.is_bonafide]
    named = speakers_of_key(key, Resampling(1, utt2spk=utt2spk))
    assert named is not None  # they are needed
    metrics = [EER]
    if asv_scores is not None:
        tandem = tandem_of(read_asv(asv_scores, asv_trials, flavor, key, subset))
        if tandem is None:
            raise DataError(asv_scores, "there are no trials of one of the classes")
        metrics.append(tandem_metrics(flavor, tandem)[0])
    split = {path: [one[rows] for rows in classes] for path, one in scores.items()}
    return Evaluation(
        _by_system(systems, split),
        speakers_of(classes, *named),
        metrics,
        ("bonafide", "spoof"),
    )


def _by_system(
    systems: Sequence[System], scores: dict[str, Scores]
) -> list[list[Scores]]:
    """Group score files by system; refuse a seed that is another's copy."""
    for system in systems:
        for at, path in enumerate(system.paths):
            for other in system.paths[:at]:
                if all(map(np.array_equal, scores[path], scores[other])):
                    raise DataError(
                        path,
                        f"a seed of {system.name!r} with the same scores as {other}",
                        hint="give one of them; copies hide how far seeds differ",
                    )
    return [[scores[path] for path in system.paths] for system in systems]


def _resample(
    found: Evaluation,
    values: Sequence[Sequence[Sequence[float]]],
    num_replicates: int,
    seed: int,
) -> np.ndarray:
    """Measure all systems on drawn speakers and seeds: (R, S, Q)."""
    drawn = replicate(
        [scores for one in found.scores for scores in one],
        found.speakers,
        {m.title: m.statistic for m in found.metrics if m.statistic},
        num_replicates,
        seed,
    )
    of_files = np.array([metrics for one in values for metrics in one])  # (F, Q)
    return draw_seeds(drawn, of_files, [len(one) for one in values], seed)


def _measure(classes: Scores, metrics: Sequence[Metric]) -> list[float]:
    """Compute all metrics of one score file."""
    in_order = [np.sort(scores) for scores in classes]
    return [metric.value(*in_order) for metric in metrics]
