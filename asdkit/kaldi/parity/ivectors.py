"""Parity of the extractor: EM steps and i-vectors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from asdkit.gmm.statistics import first_order, moments
from asdkit.io.kaldi import read_ivector_extractor
from asdkit.ivector.em import Batch, Totals
from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.kaldi_format import extractor_from_kaldi
from asdkit.kaldi.parity.experiment import Experiment, Part
from asdkit.kaldi.parity.mixtures import (
    name,
    read_aligner,
    read_all,
    steps,
    to_posteriors,
    with_lists,
)
from asdkit.kaldi.parity.table import Finding, Limit, differ, largest

STEP = Limit(1e-3, "rel")
IVECTORS = Limit(1e-3, "rel")  # of the vector's norm


def check_extractor_steps(experiment: Experiment) -> Iterator[Finding]:
    """Run EM for the extractor, one step from every model to the next."""
    pairs = list(steps(experiment.files("extractor", "*.ie")))
    batches, totals = _collect(experiment, read_extractor(pairs[0][0]).m_.shape[0])
    for before, after in pairs:
        extractor = read_extractor(before)
        extractor.update(extractor.accumulate(batches), totals)
        theirs = read_extractor(after)
        file, step = experiment.show(after), name(before, after)

        # The signs of the columns after the first are the eigensolver's.
        signs = np.sign((extractor.m_ * theirs.m_).sum(axis=(0, 1)))
        scale = np.abs(theirs.m_).max(axis=(0, 1))  # (R,)
        projections = differ(extractor.m_ * signs, theirs.m_, scale)
        projections |= differ(extractor.offset_, theirs.offset_)
        yield Finding(file, projections, STEP, f"{step}, projections")
        scale = np.abs(theirs.covars_).max(axis=(1, 2), keepdims=True)
        covars = differ(extractor.covars_, theirs.covars_, scale)
        yield Finding(file, covars, STEP, f"{step}, covariances")


def check_ivectors(experiment: Experiment, part: Part) -> Iterator[Finding]:
    """Extract i-vectors from Kaldi's features with Kaldi's models."""
    path = experiment.place("ivectors", part)
    theirs = dict(experiment.arrays(path))
    extractor = read_extractor(experiment.files("extractor", "*.ie")[-1])
    aligner, posterior = read_aligner(experiment), extractor.posterior()
    found = []
    for utt, x in experiment.first(experiment.voiced_frames(part)):
        if utt in theirs:
            frames = torch.from_numpy(x)
            n, f = first_order(frames, aligner.align(frames), np.array([0, len(x)]))
            ours = posterior.mean(n, f)[0].numpy()
            length = float(np.linalg.norm(theirs[utt]))
            found.append(differ(ours, theirs[utt], length))
    yield Finding(experiment.show(path), largest(found, path), IVECTORS)


def read_extractor(path: Path) -> IvectorExtractor:
    """Read an .ie."""
    return extractor_from_kaldi(read_ivector_extractor(path), path)


def _collect(experiment: Experiment, num_gauss: int) -> tuple[list[Batch], Totals]:
    """Compute the statistics of all training utterances from Kaldi's posteriors."""
    batches: list[Batch] = []
    sums: list[Tensor] = []
    posteriors_of = read_all(experiment, "extractor", "post*.gz")
    for frames, lists in with_lists(experiment, posteriors_of):
        posteriors = to_posteriors(lists, num_gauss)
        batches.append(first_order(frames, posteriors, np.array([0, len(frames)])))
        found = moments(frames, posteriors)
        sums = [a + b for a, b in zip(sums, found, strict=True)] if sums else [*found]
    return batches, Totals(len(batches), *sums)
