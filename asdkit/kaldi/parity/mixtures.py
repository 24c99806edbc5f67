"""Parity of the UBM: model files, EM steps of both mixtures, posteriors."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from asdkit.base.blas import matmul
from asdkit.base.errors import DataError
from asdkit.gmm.accumulators import GmmStats
from asdkit.gmm.aligner import Aligner
from asdkit.gmm.diagonal import DiagGmm
from asdkit.gmm.full import FullGmm, products
from asdkit.gmm.posteriors import Posteriors
from asdkit.gmm.statistics import moments
from asdkit.io.kaldi import read_diag_gmm, read_full_gmm
from asdkit.io.kaldi_posteriors import FrameLists, read_gselect, read_posteriors
from asdkit.ivector.kaldi_format import diag_gmm_from_kaldi, full_gmm_from_kaldi
from asdkit.kaldi.parity.experiment import Experiment, NotFoundError
from asdkit.kaldi.parity.table import Finding, Limit, differ, largest

DIAGONAL_STEP = Limit(1e-4, "rel")
FULL_STEP = Limit(1e-3, "rel")  # posteriors of hundreds of nats, in float32
POSTERIORS = Limit(1e-3, "abs")


def check_diagonal_steps(experiment: Experiment) -> Iterator[Finding]:
    """Run EM for the diagonal mixture, one step from every model to the next."""
    selected = read_all(experiment, "diag_ubm", "gselect*.gz")
    for before, after in steps(experiment.files("diag_ubm", "*.dubm")):
        gmm = read_diagonal(before)
        stats = GmmStats.zeros(gmm.num_gauss, gmm.means_.shape[1], False, "cpu")
        for frames, lists in with_lists(experiment, selected):
            stats += gmm.accumulate(frames, _rectangle(lists))
        gmm.update(stats)
        theirs = read_diagonal(after)
        worst = differ(gmm.weights_, theirs.weights_, theirs.weights_)
        worst |= differ(gmm.means_, theirs.means_, np.sqrt(theirs.vars_))
        worst |= differ(gmm.vars_, theirs.vars_, theirs.vars_)
        yield Finding(experiment.show(after), worst, DIAGONAL_STEP, name(before, after))


def check_full_steps(experiment: Experiment) -> Iterator[Finding]:
    """Run EM for the full mixture, one step from every model to the next."""
    selected = read_all(experiment, "full_ubm", "gselect*.gz")
    for before, after in steps(experiment.files("full_ubm", "*.ubm")):
        gmm = read_full(before)
        stats = GmmStats.zeros(gmm.num_gauss, gmm.means_.shape[1], True, "cpu")
        projection = gmm.projection().float()
        for frames, lists in with_lists(experiment, selected):
            loglikes = matmul(products(frames), projection)  # (T, G)
            loglikes = loglikes.gather(1, _rectangle(lists))  # (T, K)
            values = loglikes.softmax(dim=1).flatten().numpy()
            posteriors = to_posteriors(lists._replace(values=values), gmm.num_gauss)
            total = loglikes.logsumexp(dim=1).sum(dtype=torch.float64)
            stats += GmmStats(*moments(frames, posteriors), total)
        gmm.update(stats)
        theirs = read_full(after)
        variances = np.diagonal(theirs.covars_, axis1=1, axis2=2)
        worst = differ(gmm.weights_, theirs.weights_, theirs.weights_)
        worst |= differ(gmm.means_, theirs.means_, np.sqrt(variances))
        largest = variances.max(axis=1)[:, None, None]
        worst |= differ(gmm.covars_, theirs.covars_, largest)
        yield Finding(experiment.show(after), worst, FULL_STEP, name(before, after))


def check_posteriors(experiment: Experiment) -> Iterator[Finding]:
    """Align training frames with the UBM."""
    aligner = read_aligner(experiment)
    path = experiment.files("extractor", "post*.gz")[0]  # one job is as good as all
    theirs = dict(experiment.first(read_posteriors(path)))
    found = (
        differ(
            _dense(aligner.align(frames)),
            _dense(to_posteriors(lists, aligner.num_gauss)),
        )
        for frames, lists in with_lists(experiment, theirs)
    )
    yield Finding(experiment.show(path), largest(found, path), POSTERIORS)


def read_diagonal(path: Path) -> DiagGmm:
    """Read a .dubm."""
    return diag_gmm_from_kaldi(read_diag_gmm(path), path)


def read_full(path: Path) -> FullGmm:
    """Read a .ubm."""
    return full_gmm_from_kaldi(read_full_gmm(path), path)


def read_aligner(experiment: Experiment) -> Aligner:
    """Read the UBM that i-vectors were extracted with."""
    full = read_full(experiment.file("extractor", "final.ubm"))
    try:
        diag = read_diagonal(experiment.file("extractor", "final.dubm"))
    except NotFoundError:
        diag = full.diagonal()
    return Aligner(diag, full, **experiment.alignment)


def read_all(experiment: Experiment, of: str, pattern: str) -> dict[str, FrameLists]:
    """Read the selections or posteriors of all jobs."""
    read = read_gselect if pattern.startswith("gselect") else read_posteriors
    return {
        utt: lists
        for path in experiment.files(of, pattern)
        for utt, lists in read(path)
    }


def to_posteriors(lists: FrameLists, num_gauss: int) -> Posteriors:
    """Convert posteriors as they are read to posteriors as they are used."""
    assert lists.values is not None
    splits, gauss, values = map(torch.from_numpy, lists)
    return Posteriors(splits, gauss, values, num_gauss)


def steps(models: list[Path]) -> Iterator[tuple[Path, Path]]:
    """Pair 0.x with 1.x, and so on; final.x follows the last number.

    Raises:
        NotFoundError: no two models follow each other.
    """
    numbers = [int(m.stem) if m.stem.isdecimal() else None for m in models]
    pairs = [
        (before, after)
        for (before, i), (after, k) in pairwise(zip(models, numbers, strict=True))
        if i is not None and k in (i + 1, None)
    ]
    if not pairs:
        raise NotFoundError(f"models of two iterations beside {models[0].name}")
    yield from pairs


def name(before: Path, after: Path) -> str:
    """Name a step, e.g. ``0 -> 1``."""
    return f"{before.stem} -> {after.stem}"


def with_lists(
    experiment: Experiment, lists_of: dict[str, FrameLists]
) -> Iterator[tuple[Tensor, FrameLists]]:
    """Pair the (V, D) frames of training utterances with what is known of them."""
    num_found = 0
    for utt, frames in experiment.voiced_frames("train"):
        if utt not in lists_of:
            continue
        num_frames = len(lists_of[utt].splits) - 1
        if num_frames != len(frames):
            problem = f"{utt!r}: {len(frames)} voiced frames but lists of {num_frames}"
            raise DataError(experiment.root, problem)
        num_found += 1
        yield torch.from_numpy(frames), lists_of[utt]
        if num_found == len(lists_of):
            return
    missing = len(lists_of) - num_found
    raise DataError(experiment.root, f"no voiced frames of {missing} utterances")


def _rectangle(lists: FrameLists) -> Tensor:
    """(T, K) int64 of lists that have K entries each."""
    return torch.from_numpy(lists.gauss.reshape(len(lists.splits) - 1, -1)).long()


def _dense(posteriors: Posteriors) -> np.ndarray:
    """(T, G) posteriors."""
    dense = torch.zeros(len(posteriors.splits) - 1, posteriors.num_gauss)
    dense[posteriors.frames(), posteriors.gauss.long()] = posteriors.values
    return dense.numpy()
