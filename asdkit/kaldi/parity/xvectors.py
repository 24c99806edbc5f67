"""Parity of an x-vector system: front end, network file, embeddings, back-end, scores.

The back-end and the scores are those of `asdkit.kaldi.parity.backend`, on x-vectors and
in the places of x-vectors.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from asdkit.features.frontend import FrontEnd
from asdkit.kaldi.nnet3.reader import read_nnet3
from asdkit.kaldi.nnet3.writer import write_nnet3
from asdkit.kaldi.parity.experiment import Experiment, NotFoundError, Part
from asdkit.kaldi.parity.frames import COMPRESSED, compression_step, is_compressed
from asdkit.kaldi.parity.table import (
    IDENTICAL,
    Difference,
    Finding,
    Limit,
    differ,
    largest,
)
from asdkit.kaldi.xvector_networks import RAW, read_xvector
from asdkit.nnet.nnet3.nnet3_network import Nnet3

FRAMES = Limit(1e-4, "abs")
XVECTORS = Limit(1e-3, "rel")  # of the vector's norm


def of_xvectors(experiment: Experiment) -> Experiment:
    """Return the same experiment with x-vectors where the i-vectors are."""
    scores = experiment.xvector_scores
    if not experiment.exists("ivectors", "test"):  # a recipe with x-vectors alone
        scores = f"{scores},{experiment.plda_scores}"
    return replace(
        experiment,
        ivectors=experiment.xvectors,
        backend=experiment.xvector_backend,
        plda_scores=scores,
        adapted_scores=experiment.xvector_adapted_scores,
        frontend=FrontEnd(delta_order=0, cmn_window=experiment.frontend.cmn_window),
    )


def on_xvectors(
    check: Callable[..., Iterator[Finding]], **options: str
) -> Callable[[Experiment], Iterator[Finding]]:
    """Make a check of i-vectors one of x-vectors."""

    def checked(experiment: Experiment) -> Iterator[Finding]:
        return check(of_xvectors(experiment), **options)

    return checked


def check_frames(experiment: Experiment, part: Part) -> Iterator[Finding]:
    """Subtract the sliding mean and leave out pauses, as Kaldi's egs were prepared."""
    experiment = of_xvectors(experiment)
    path = experiment.place("xvector_feats", part)
    theirs = dict(experiment.first(experiment.arrays(path)))
    compressed = is_compressed(experiment, path)
    found = [
        differ(frames, theirs[utt], _scale(theirs[utt]) if compressed else None)
        for utt, frames in experiment.voiced_frames(part)
        if utt in theirs
    ]
    limit = COMPRESSED if compressed else FRAMES
    yield Finding(experiment.show(path), largest(found, path), limit)


def _scale(feats: np.ndarray) -> np.ndarray:
    """(T, D) compressed frames -> (D,) how far they may be off."""
    return FRAMES.value + compression_step(feats)


def check_network(experiment: Experiment) -> Iterator[Finding]:
    """Read the network, write it, and read it again; compare number by number."""
    path = experiment.file("xvector_net", RAW)
    before = read_nnet3(path)
    network = read_xvector(path).network
    assert isinstance(network, Nnet3)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / RAW
        write_nnet3(copy, network.lines, network.described_components())
        after = read_nnet3(copy)
    worst = Difference()
    if before.graph != after.graph:
        worst = Difference(np.inf, np.inf)
    for place, array in before.arrays.items():
        worst |= differ(after.arrays[place], array)
    what = f"{len(before.components)} components"
    yield Finding(experiment.show(path), worst, IDENTICAL, what)


def check_embeddings(experiment: Experiment, part: Part) -> Iterator[Finding]:
    """Extract x-vectors from Kaldi's features and decisions with Kaldi's network."""
    experiment = of_xvectors(experiment)
    path = experiment.place("ivectors", part)
    network = read_xvector(experiment.file("xvector_net", RAW)).network
    theirs = dict(experiment.arrays(path))
    found = []
    for utt, frames in experiment.first(experiment.voiced_frames(part)):
        if utt in theirs and len(frames) >= network.min_frames:
            if frames.shape[1] != network.feat_dim:
                has = f"features of {network.feat_dim} dimensions"
                raise NotFoundError(f"{has}; those of {utt!r} have {frames.shape[1]}")
            with torch.inference_mode():
                ours = network(torch.from_numpy(frames[None]))[0].numpy()
            length = float(np.linalg.norm(theirs[utt]))
            found.append(differ(ours, theirs[utt], length))
    yield Finding(experiment.show(path), largest(found, path), XVECTORS)
