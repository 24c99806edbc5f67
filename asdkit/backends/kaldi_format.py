"""Convert back-end files from and to Kaldi's formats.

A back-end of Kaldi's recipes is three files: ``mean.vec`` (ivector-mean),
``transform.mat`` (ivector-compute-lda; its last column is added after the product)
and ``plda`` (ivector-compute-plda, ivector-adapt-plda).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from asdkit.backends.center import Center
from asdkit.backends.lda import Lda
from asdkit.backends.length_norm import LengthNorm
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.plda import Plda
from asdkit.base.errors import DataError
from asdkit.io.kaldi import PldaFile
from asdkit.io.tables import PathName


def center_from_kaldi(mean: np.ndarray) -> Center:
    """Convert ``mean.vec``, (D,)."""
    center = Center()
    center.mean_ = mean.astype(np.float64)
    return center


def lda_from_kaldi(transform: np.ndarray, dim: int | None = None) -> Lda:
    """Convert ``transform.mat``.

    Args:
        transform: (lda_dim, D + 1), or (lda_dim, D) without an offset, which Kaldi's
            transform-vec takes, too.
        dim: D; None: there is an offset, as ivector-compute-lda writes one.
    """
    lda = Lda(lda_dim=len(transform))
    has_offset = dim is None or transform.shape[1] > dim
    num_columns = transform.shape[1] - has_offset
    lda.transform_ = transform[:, :num_columns].astype(np.float64)
    lda.offset_ = np.zeros(len(transform))
    if has_offset:
        lda.offset_ = transform[:, -1].astype(np.float64)
    return lda


def chain_transforms(transforms: Sequence[np.ndarray]) -> np.ndarray:
    """Make one transform of several that Kaldi applies one after another.

    Args:
        transforms: each (D'', D' + 1) with an offset in the last column; all but the
            first may be (D'', D') without.

    Returns:
        (D'', D + 1) of all.

    Raises:
        ValueError: one does not take what the one before gives.
    """
    total = transforms[0].astype(np.float64)
    for number, transform in enumerate(transforms[1:], start=2):
        dim = len(total)
        if transform.shape[1] not in (dim, dim + 1):
            wanted = f"{dim} or {dim + 1} columns"
            problem = f"expected {wanted}, got {transform.shape[1]}"
            raise ValueError(f"transform {number}: {problem}")
        lda = lda_from_kaldi(transform, dim)
        total = lda.transform_ @ total
        total[:, -1] += lda.offset_
    return total


def plda_from_kaldi(file: PldaFile) -> Plda:
    """Convert what `asdkit.io.kaldi.read_plda` read."""
    plda = Plda()
    plda.mean_, plda.transform_, plda.psi_ = (x.astype(np.float64) for x in file)
    return plda


def center_to_kaldi(center: Center) -> np.ndarray:
    """Convert to ``mean.vec``, (D,), which Kaldi's recipes write as text."""
    return center.mean_


def lda_to_kaldi(lda: Lda) -> np.ndarray:
    """Convert to ``transform.mat``, (lda_dim, D + 1) float32."""
    return np.hstack([lda.transform_, lda.offset_[:, None]]).astype(np.float32)


def plda_to_kaldi(plda: Plda) -> PldaFile:
    """Convert to what `asdkit.io.kaldi.write_object` writes.

    Smoothing and length normalization are options of scoring, in Kaldi, too:
    ivector-copy-plda --smoothing and ivector-plda-scoring --normalize-length.

    Kaldi's matrix is square.  Directions that a model leaves out become noise as large
    as the largest within speakers, and tell nothing; only Kaldi's length normalization
    counts them.
    """
    num_kept, dim = plda.transform_.shape
    if num_kept == dim:
        return PldaFile(plda.mean_, plda.transform_, plda.psi_)
    _, scales, axes = np.linalg.svd(plda.transform_)
    return PldaFile(
        plda.mean_,
        np.vstack([plda.transform_, scales[-1] * axes[num_kept:]]),
        np.append(plda.psi_, np.zeros(dim - num_kept)),
    )


def pipeline_from_kaldi(
    mean: np.ndarray | None,
    transform: np.ndarray | None,
    plda: PldaFile,
    source: PathName,
) -> Pipeline:
    """Chain what Kaldi's scoring scripts chain: center, LDA, length norm, PLDA.

    Args:
        mean: (D,) of ``mean.vec``, None to leave centering out.
        transform: (lda_dim, D + 1) of ``transform.mat``, or (lda_dim, D), which the
            mean tells; None to leave LDA out.
        plda: the model that scores.
        source: where the last one comes from, for messages.

    Raises:
        DataError: the dimensions do not fit together, or a number is not finite.
    """
    arrays = {"mean": mean, "transform": transform, **plda._asdict()}
    for name, array in arrays.items():
        if array is not None and not np.all(np.isfinite(array)):
            raise DataError(source, f"its {name} holds NaN or infinity")
    steps: list[Any] = []
    dim = len(plda.mean)
    if transform is not None:
        if len(transform) != dim:
            raise DataError(
                source, f"a PLDA of dimension {dim}, an LDA to {len(transform)}"
            )
        dim = transform.shape[1] - 1
        if mean is not None and len(mean) == transform.shape[1]:
            dim = len(mean)  # without an offset
        steps.append(lda_from_kaldi(transform, dim))
    if mean is not None:
        if len(mean) != dim:
            raise DataError(
                source, f"i-vectors of dimension {dim}, a mean of {len(mean)}"
            )
        steps.insert(0, center_from_kaldi(mean))
    return Pipeline([*steps, LengthNorm(), plda_from_kaldi(plda)])
