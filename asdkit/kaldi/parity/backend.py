"""Parity of the back-end: mean, LDA, PLDA, its adaptation, scores, EER."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from asdkit.backends.adaptation import adapt_plda
from asdkit.backends.center import Center
from asdkit.backends.cosine import Dot
from asdkit.backends.kaldi_format import (
    center_from_kaldi,
    lda_to_kaldi,
    pipeline_from_kaldi,
    plda_from_kaldi,
)
from asdkit.backends.lda import Lda
from asdkit.backends.length_norm import LengthNorm
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.plda import Plda
from asdkit.io.kaldi import read_matrix, read_plda, read_vector
from asdkit.io.tables import read_table
from asdkit.io.trials import match_scores, read_scores, read_trials
from asdkit.kaldi.parity.experiment import Experiment, NotFoundError
from asdkit.kaldi.parity.table import Difference, Finding, Limit, differ
from asdkit.metrics.eer import kaldi_eer

MEAN = Limit(1e-5, "rel")  # seven digits of float32
MODEL = Limit(1e-3, "rel")
SCORES = Limit(1e-3, "abs")
EER = Limit(5e-5, "abs")  # the digits that a paper prints


def check_mean(experiment: Experiment) -> Iterator[Finding]:
    """Average the training i-vectors."""
    path = experiment.file("backend", "mean.vec")
    ours = Center().fit(experiment.vectors("train").x).mean_
    yield Finding(experiment.show(path), differ(ours, read_vector(path)), MEAN)


def check_lda(experiment: Experiment) -> Iterator[Finding]:
    """Train LDA on training i-vectors that Kaldi's mean was subtracted from."""
    path = experiment.file("backend", "transform.mat")
    theirs = read_matrix(path)
    x, spk = _training_vectors(experiment)
    x = _training_center(experiment).transform(x)
    ours = lda_to_kaldi(Lda(len(theirs), **experiment.lda).fit(x, spk))
    signs = np.sign((ours * theirs).sum(axis=1, keepdims=True))  # the eigensolver's
    yield Finding(experiment.show(path), differ(ours * signs, theirs), MODEL)


def check_plda(experiment: Experiment) -> Iterator[Finding]:
    """Train PLDA on training i-vectors that went through Kaldi's mean and LDA."""
    path = experiment.file("backend", "plda")
    pipeline = _read_pipeline(experiment, path, _training_center(experiment))
    x, spk = _training_vectors(experiment)
    ours = Plda().fit(pipeline.transform(x), spk)
    yield from _compare(experiment, path, ours)


def check_adaptation(experiment: Experiment) -> Iterator[Finding]:
    """Adapt Kaldi's PLDA to the test i-vectors."""
    path = experiment.file("backend", "plda_adapt")
    pipeline = _read_pipeline(experiment, experiment.file("backend", "plda"))
    ours = adapt_plda(
        pipeline.steps[-1],
        pipeline.transform(experiment.vectors("test").x),
        experiment.within_covar_scale,
        experiment.between_covar_scale,
    )
    yield from _compare(experiment, path, ours)


def check_scores(experiment: Experiment, of: str) -> Iterator[Finding]:
    """Score trials with Kaldi's models and i-vectors; compute the EER.

    Args:
        experiment: where they are.
        of: "plda_scores", "adapted_scores" or "cosine_scores".
    """
    path = experiment.place(of, "test")
    trials = experiment.place("trials", "test")
    if of == "cosine_scores":
        pipeline = Pipeline([_read_center(experiment), LengthNorm(), Dot()])
    else:
        name = "plda_adapt" if of == "adapted_scores" else "plda"
        pipeline = _read_pipeline(experiment, experiment.file("backend", name))
    yield from _compare_scores(experiment, pipeline, path, trials)

    multi = path.with_name(f"{path.name}_multi")
    spk2utt = trials.with_name("enroll.spk2utt")
    if multi.exists() and spk2utt.exists():
        trials = trials.with_name(f"{trials.name}_multi")
        yield from _compare_scores(experiment, pipeline, multi, trials, spk2utt)


def _compare_scores(
    experiment: Experiment,
    pipeline: Pipeline,
    path: Path,
    trials_path: Path,
    spk2utt: Path | None = None,
) -> Iterator[Finding]:
    """Compare our scores and our EER with those of a file of scores."""
    trials = read_trials(trials_path)
    theirs = match_scores(trials, read_scores(path), trials_path, path)
    vectors = experiment.vectors("test")
    test = vectors.find(trials.test_ids, trials_path)
    if spk2utt is None:
        enroll = vectors.find(trials.enroll_ids, trials_path)
        n = np.ones(len(enroll))
    else:
        enroll, n = vectors.average(spk2utt, trials.enroll_ids, trials_path)
    ours = pipeline.score_trials(enroll, n, test, trials.enroll, trials.test)
    file = experiment.show(path)
    several = "several utterances" if spk2utt else ""
    yield Finding(file, differ(ours, theirs), SCORES, several)
    rates = [
        kaldi_eer(scores[trials.is_target], scores[~trials.is_target])
        for scores in (ours, theirs)
    ]
    yield Finding(file, differ(*rates), EER, f"EER = {100 * rates[0]:.4f} %")


def _compare(experiment: Experiment, path: Path, ours: Plda) -> Iterator[Finding]:
    """Compare a PLDA model with the one in a file."""
    file, theirs = experiment.show(path), plda_from_kaldi(read_plda(path))
    yield Finding(file, differ(ours.psi_, theirs.psi_, theirs.psi_), MODEL, "psi")
    # Not the transforms: the eigensolver is free to choose their signs.
    worst = Difference()
    for a, b in zip(_covariances(ours), _covariances(theirs), strict=True):
        worst |= differ(a, b)
    worst |= differ(ours.mean_, theirs.mean_)
    yield Finding(file, worst, MODEL, "mean and covariances")


def _covariances(plda: Plda) -> tuple[np.ndarray, np.ndarray]:
    """Return (D, D) covariances within and between speakers."""
    a = np.linalg.inv(plda.transform_)
    return a @ a.T, a * plda.psi_ @ a.T


def _training_vectors(experiment: Experiment) -> tuple[np.ndarray, np.ndarray]:
    """Read (U, R) i-vectors and (U,) speakers of training utterances that have both."""
    utt2spk = read_table(experiment.file("data", "utt2spk"))
    vectors = experiment.vectors("train")
    utts = [utt for utt in vectors.keys if utt in utt2spk]
    if not utts:
        raise NotFoundError("speakers of the training i-vectors")
    spk = np.array([utt2spk[utt] for utt in utts])
    return vectors.find(utts, vectors.source), spk


def _read_center(experiment: Experiment) -> Center:
    """Read mean.vec."""
    return center_from_kaldi(read_vector(experiment.file("backend", "mean.vec")))


def _training_center(experiment: Experiment) -> Center:
    """Read mean.vec; average where it is elsewhere, of other data, as in sre16."""
    try:
        return _read_center(experiment)
    except NotFoundError:
        return Center().fit(experiment.vectors("train").x)


def _read_pipeline(
    experiment: Experiment, plda: Path, center: Center | None = None
) -> Pipeline:
    """Read transform.mat, a PLDA model and, if it is not given, mean.vec."""
    mean = (center or _read_center(experiment)).mean_
    transform = read_matrix(experiment.file("backend", "transform.mat"))
    return pipeline_from_kaldi(mean, transform, read_plda(plda), plda)
