"""Score files on the same trials, found by results.json and measured together."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import AsdkitError
from asdkit.countermeasures.evaluation import tandem_of
from asdkit.countermeasures.keys import columns_of
from asdkit.countermeasures.score_files import (
    are_of_pairs,
    read_asv,
    read_cm_systems,
    read_sasv_systems,
)
from asdkit.io.protocols import ABSENT, ASV_KEYS, Protocol
from asdkit.metrics.bootstrap import Speakers, speakers_of
from asdkit.metrics.flavor_names import SPOOFING
from asdkit.metrics.flavors import (
    CLLR,
    EER,
    MIN_CLLR,
    SASV,
    Metric,
    OperatingCosts,
    cm_metrics,
    dcf_metrics,
)
from asdkit.report.lineage import Lineage, Made
from asdkit.verification.evaluation import read_systems, speakers_of_trials

logger = logging.getLogger(__name__)
P_TARGET = 0.01
VERIFIED = (EER, *dcf_metrics(OperatingCosts(P_TARGET)), CLLR, MIN_CLLR)
KINDS = {
    "verification": "Speaker verification",
    "countermeasure": "Countermeasures",
    "sasv": "Spoofing-aware verification",
}


class Key(NamedTuple):
    """The key that score files are measured by.

    Attributes:
        kind: one of `KINDS`.
        path: trials, a protocol or utt2attack.
        flavor: formats of a challenge.
        asv_scores: scores of the ASV system in the t-DCF; "" for none.
        asv_trials: their key; "" for none.
        subset: part of the evaluation data; "" for the usual one.
    """

    kind: str
    path: str
    flavor: str = "kaldi"
    asv_scores: str = ""
    asv_trials: str = ""
    subset: str = ""


@dataclass
class System:
    """A score file.

    Attributes:
        name: as the report has it.
        path: the file.
        scores: (N,) in the order of the trials.
        values: metric's title -> value, as `score-metrics` has it before scaling.
        runs: those that it was made by.
    """

    name: str
    path: str
    scores: np.ndarray
    values: dict[str, float] = field(default_factory=dict)
    runs: list[Made] = field(default_factory=list)


@dataclass
class Evaluated:
    """Systems that scored the same N trials.

    Attributes:
        key: what they are measured by.
        sorts: names of the classes, e.g. target and nontarget.
        classes: (N,) bool of every class.
        enroll: N enrolled models; None for utterances.
        test: N test utterances.
        speakers: of the trials of every class; None where they are not known.
        metrics: less is better; the first one ranks.
        systems: the best first.
        columns: attributes that the key gives, name -> (N,) str.
        left_out: sentences on files that could not be measured.
    """

    key: Key
    sorts: Sequence[str]
    classes: list[np.ndarray]
    enroll: list[str] | None
    test: list[str]
    speakers: list[Speakers] | None
    metrics: Sequence[Metric]
    systems: list[System]
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def split(self, scores: np.ndarray) -> list[np.ndarray]:
        """(N,) scores -> (N_k,) of every class."""
        return [scores[rows] for rows in self.classes]

    def two(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N,) scores -> those to accept, and all others."""
        return scores[self.classes[0]], scores[~self.classes[0]]


def find_keys(lineage: Lineage) -> dict[Key, list[str]]:
    """Find score files and what each is measured by: key -> files in order.

    What score-metrics was told counts more than what the scores were made of.
    """
    keys: dict[str, Key] = {}
    for made in lineage.all:
        if made.program == "score-metrics":
            keys[made.output] = _measured_key(made)
    scored = [x for x in lineage.all if x.program != "score-metrics"]
    scored = [x for x in scored if os.path.isfile(x.output)]
    for made in scored:
        found = _scored_key(made, lineage)
        if found is not None:
            keys.setdefault(made.output, found)
    for _ in scored:  # normalized, then calibrated: as many as there can be
        before = len(keys)
        for made in scored:
            known = [keys[path] for path in made.inputs("scores") if path in keys]
            if known:
                keys.setdefault(made.output, known[0])
        if len(keys) == before:
            break
    groups: dict[Key, list[str]] = {}
    for path, key in sorted(keys.items()):
        groups.setdefault(key, []).append(path)
    return groups


def evaluate(key: Key, paths: Sequence[str], lineage: Lineage | None) -> Evaluated:
    """Read and measure score files; those that are broken are left out.

    Raises:
        DataError: the key is broken, or no file is left.
    """
    left_out: list[str] = []
    try:
        found = _read(key, paths)
    except AsdkitError:
        kept = _readable(key, paths, left_out)
        found = _read(key, kept)
    found.left_out = left_out
    for system in found.systems:
        classes = [np.sort(one) for one in found.split(system.scores)]
        for metric in found.metrics:
            system.values[metric.title] = float(metric.value(*classes))
        if lineage is not None:
            system.runs = lineage.of(system.path)
    first = found.metrics[0].title
    found.systems.sort(key=lambda system: system.values[first])
    return found


def names_of(paths: Sequence[str]) -> list[str]:
    """Name score files by what differs in their paths.

    >>> names_of(["exp/a/scores", "exp/b/scores"])
    ['a', 'b']
    >>> names_of(["exp/a/scores_plda", "exp/b/scores_plda", "exp/a/scores_cosine"])
    ['a/scores_plda', 'b/scores_plda', 'a/scores_cosine']
    """
    if len(paths) == 1:
        return ["/".join(paths[0].split(os.sep)[-2:])]
    parts = [path.split(os.sep) for path in paths]
    shared = _num_shared(parts)
    same = _num_shared([one[shared:][::-1] for one in parts])
    names = [one[shared : len(one) - same] for one in parts]
    if not all(names):
        names = [one[shared:] for one in parts]
    return ["/".join(one) for one in names]


def _num_shared(parts: Sequence[Sequence[str]]) -> int:
    """Count the words that all lists begin with."""
    columns = zip(*parts, strict=False)
    return len(list(itertools.takewhile(lambda words: len(set(words)) == 1, columns)))


def _readable(key: Key, paths: Sequence[str], left_out: list[str]) -> list[str]:
    """Return the files that can be read; append a sentence for each of the others.

    Raises:
        DataError: there is none.
    """
    kept = []
    problem: AsdkitError | None = None
    for path in paths:
        try:
            _read(key, [path])
            kept.append(path)
        except AsdkitError as error:
            problem = error
            left_out.append(f"{error}.")
            logger.warning("report: left out: %s", error)
    if not kept:
        assert problem is not None
        raise problem
    return kept


def _measured_key(made: Made) -> Key:
    """Read from an entry of score-metrics how scores were measured."""
    flavor = str(made.entry.get("options", {}).get("flavor", "kaldi"))
    path = (made.inputs("trials") or [""])[0]
    if flavor not in SPOOFING:
        return Key("verification", path, "kaldi")
    asv_scores = (made.inputs("asv_scores") or [""])[0]
    asv_trials = (made.inputs("asv_trials") or [""])[0]
    kind = "countermeasure"
    with contextlib.suppress(AsdkitError):  # it is left out when it is read
        kind = "sasv" if are_of_pairs(made.output) else kind
    subset = str(made.entry.get("options", {}).get("subset", ""))
    return Key(kind, path, flavor, asv_scores, asv_trials, subset)


def _scored_key(made: Made, lineage: Lineage) -> Key | None:
    """Tell from an entry of a program that scores by what its scores are measured."""
    if not made.program.endswith("-score"):
        return None
    for path in made.inputs("trials"):
        try:
            kind = "verification"
            with open(path, encoding="utf-8", errors="replace") as stream:
                if any(line.split()[-1:] == ["spoof"] for line in stream):
                    return None  # score-metrics says which form they have
        except OSError:
            return None
        return Key(kind, path)
    data_dirs = made.inputs("data_dir")
    for path in made.inputs("vectors"):
        data_dirs += [x for run in lineage.of(path) for x in run.inputs("data_dir")]
    for data_dir in data_dirs:
        if os.path.isfile(path := f"{data_dir}/utt2attack"):
            return Key("countermeasure", path, "asvspoof2019")
    return None


def _read(key: Key, paths: Sequence[str]) -> Evaluated:
    """Read score files of one key."""
    names = names_of(paths)
    if key.kind == "verification":
        return _read_verification(key, paths, names)
    if key.kind == "countermeasure":
        return _read_countermeasures(key, paths, names)
    protocol, pairs = read_sasv_systems(key.path, key.flavor, paths, key.subset or None)
    keys = np.array(protocol.key)
    classes = [keys == sort for sort in ASV_KEYS]
    systems = [
        System(name, path, pairs[path].sasv)
        for name, path in zip(names, paths, strict=True)
    ]
    speakers = _speakers(protocol, classes)
    return Evaluated(
        key,
        ASV_KEYS,
        classes,
        protocol.spk,
        protocol.utt,
        speakers,
        SASV,
        systems,
        columns_of(protocol),
    )


def _read_verification(
    key: Key, paths: Sequence[str], names: Sequence[str]
) -> Evaluated:
    """Read scores of trials."""
    trials, classes, found = read_systems(key.path, paths)
    systems = []
    for name, path in zip(names, paths, strict=True):
        scores = np.empty(len(trials))
        for rows, values in zip(classes, found[path], strict=True):
            scores[rows] = values
        systems.append(System(name, path, scores))
    sides = speakers_of_trials(trials, key.path)
    return Evaluated(
        key,
        ("target", "nontarget"),
        classes,
        [trials.enroll_ids[row] for row in trials.enroll],
        [trials.test_ids[row] for row in trials.test],
        speakers_of(classes, *sides),
        VERIFIED,
        systems,
    )


def _read_countermeasures(
    key: Key, paths: Sequence[str], names: Sequence[str]
) -> Evaluated:
    """Read scores of utterances."""
    subset = key.subset or None
    protocol, found = read_cm_systems(key.path, key.flavor, paths, subset)
    classes = [protocol.is_bonafide, ~protocol.is_bonafide]
    tandem = None
    if key.asv_scores:
        of = key.asv_trials or None, key.flavor, protocol, subset
        asv = read_asv(key.asv_scores, *of)
        tandem = tandem_of(asv)
    systems = [
        System(name, path, found[path]) for name, path in zip(names, paths, strict=True)
    ]
    speakers = _speakers(protocol, classes)
    return Evaluated(
        key,
        ("bonafide", "spoof"),
        classes,
        None,
        protocol.utt,
        speakers,
        _ranked(cm_metrics(key.flavor, tandem)),
        systems,
        columns_of(protocol),
    )


def _speakers(
    protocol: Protocol, classes: Sequence[np.ndarray]
) -> list[Speakers] | None:
    """Number the speakers of a protocol; None if it does not name them."""
    if set(protocol.spk) == {ABSENT}:
        return None
    return speakers_of(classes, protocol.spk)


def _ranked(metrics: Sequence[Metric]) -> list[Metric]:
    """Put the EER first, by which systems are ranked."""
    return sorted(metrics, key=lambda metric: metric.title != EER.title)
