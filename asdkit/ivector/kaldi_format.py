"""Convert mixtures and extractors from and to Kaldi's formats.

Kaldi keeps inverse covariances, in mixtures with single precision; we keep covariances,
with double.  An inverse of an inverse, or a log-determinant, differs in its last bits
from one computer to the next.  To export an unchanged model byte for byte, an imported
model keeps the values of its file in attributes ``kaldi_x_``, and an export repeats
them as long as they equal the model up to rounding.  A model that was trained further
is written from its new values.

Source: Kaldi, src/gmm/{diag,full}-gmm.cc and src/ivector/ivector-extractor.cc.
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
import torch

from asdkit.base.errors import DataError
from asdkit.gmm.diagonal import DiagGmm
from asdkit.gmm.full import FullGmm
from asdkit.io.kaldi import DiagGmmFile, FullGmmFile, IvectorExtractorFile
from asdkit.io.tables import PathName
from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.symmetric import pack, unpack

Model = TypeVar("Model", DiagGmm, FullGmm, IvectorExtractor)

# What rounding may change, as a share of the largest number.
ROUNDING = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-9}
CURE = "the file is damaged, or its training went wrong"


def diag_gmm_from_kaldi(file: DiagGmmFile, source: PathName) -> DiagGmm:
    """Convert a diagonal mixture.

    Args:
        file: what `asdkit.io.kaldi.read_diag_gmm` read.
        source: where from, for messages.

    Raises:
        DataError: a number is not finite, or a variance not positive.
    """
    _check_finite(source, file)
    if np.any(file.inv_vars <= 0):
        raise DataError(source, "expected positive variances", hint=CURE)
    variances = 1 / file.inv_vars.astype(np.float64)
    gmm = DiagGmm.of(file.weights, file.means_invvars * variances, variances)
    return _remember(gmm, gconsts=file.gconsts)


def diag_gmm_to_kaldi(gmm: DiagGmm) -> DiagGmmFile:
    """Convert a diagonal mixture to what `asdkit.io.kaldi.write_object` writes."""
    inv_vars = 1 / gmm.vars_
    means_invvars = gmm.means_ * inv_vars
    distance = (gmm.means_ * means_invvars).sum(axis=1)
    gconsts = _gconsts(
        gmm.weights_, inv_vars.shape[1], np.log(inv_vars).sum(1), distance
    )
    return DiagGmmFile(
        _as_imported(gmm, "gconsts", gconsts.astype(np.float32)),
        gmm.weights_.astype(np.float32),
        means_invvars.astype(np.float32),
        inv_vars.astype(np.float32),
    )


def full_gmm_from_kaldi(file: FullGmmFile, source: PathName) -> FullGmm:
    """Convert a mixture with full covariances; arguments as above.

    Raises:
        DataError: a number is not finite, or a covariance not positive definite.
    """
    _check_finite(source, file)
    covars = _invert_packed(file.inv_covars, source)
    means = covars @ file.means_invcovars.astype(np.float64)[:, :, None]
    return _remember(
        FullGmm.of(file.weights, means[:, :, 0], covars),
        gconsts=file.gconsts,
        means_invcovars=file.means_invcovars,
        inv_covars=file.inv_covars,
    )


def full_gmm_to_kaldi(gmm: FullGmm) -> FullGmmFile:
    """Convert a mixture with full covariances; see `diag_gmm_to_kaldi`."""
    inv_covars, logdets = _invert(gmm.covars_)
    means_invcovars = (inv_covars @ gmm.means_[:, :, None])[:, :, 0]
    distance = (gmm.means_ * means_invcovars).sum(axis=1)
    gconsts = _gconsts(gmm.weights_, gmm.means_.shape[1], -logdets, distance)
    packed = pack(torch.from_numpy(inv_covars)).numpy()
    return FullGmmFile(
        _as_imported(gmm, "gconsts", gconsts.astype(np.float32)),
        gmm.weights_.astype(np.float32),
        _as_imported(gmm, "means_invcovars", means_invcovars.astype(np.float32)),
        _as_imported(gmm, "inv_covars", packed.astype(np.float32)),
    )


def extractor_from_kaldi(
    file: IvectorExtractorFile, source: PathName
) -> IvectorExtractor:
    """Convert an i-vector extractor; arguments as above.

    Raises:
        DataError: a number is not finite, a covariance not positive definite, or the
            weights depend on the i-vector, for which there is no estimator here.
    """
    _check_finite(source, file)
    if file.w.size:
        raise DataError(
            source,
            "its weights depend on the i-vector, which is not supported",
            hint="train it with --use-weights false, Kaldi's recipes' own setting",
        )
    extractor = IvectorExtractor(ivector_dim=file.m.shape[2])
    extractor.m_ = file.m.astype(np.float64)
    extractor.covars_ = _invert_packed(file.sigma_inv, source)
    extractor.weights_ = file.w_vec.astype(np.float64)
    extractor.offset_ = np.array(file.prior_offset)
    extractor.counts_ = np.zeros(0)
    extractor.loglikes_ = np.zeros(0)
    return _remember(extractor, sigma_inv=file.sigma_inv)


def extractor_to_kaldi(extractor: IvectorExtractor) -> IvectorExtractorFile:
    """Convert an i-vector extractor; see `diag_gmm_to_kaldi`."""
    inverse, _ = _invert(extractor.covars_)
    sigma_inv = pack(torch.from_numpy(inverse)).numpy()
    return IvectorExtractorFile(
        w=np.zeros((0, 0)),
        w_vec=extractor.weights_,
        m=extractor.m_.astype(np.float64),
        sigma_inv=_as_imported(extractor, "sigma_inv", sigma_inv),
        prior_offset=float(extractor.offset_),
    )


def _gconsts(
    weights: np.ndarray, dim: int, logdets: np.ndarray, distance: np.ndarray
) -> np.ndarray:
    """(G,) log-likelihood of every Gaussian at the origin, its weight included.

    Args:
        weights: (G,).
        dim: D.
        logdets: (G,) of the inverse covariances.
        distance: (G,) Mahalanobis distance of the means from the origin, squared.
    """
    return np.log(weights) - 0.5 * (dim * np.log(2 * np.pi) - logdets + distance)


def _invert_packed(packed: np.ndarray, source: PathName) -> np.ndarray:
    """(G, D (D + 1) / 2) lower triangles -> (G, D, D) float64 inverses."""
    dim = math.isqrt(2 * packed.shape[1])
    square = unpack(torch.from_numpy(packed.astype(np.float64)), dim).numpy()
    try:
        return _invert(square)[0]
    except torch.linalg.LinAlgError:
        raise DataError(
            source, "expected positive definite covariances", hint=CURE
        ) from None


def _invert(square: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(G, D, D) positive definite -> (G, D, D) inverses, (G,) log-determinants."""
    lower = torch.linalg.cholesky(torch.from_numpy(square))
    logdets = 2 * lower.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    return torch.cholesky_inverse(lower).numpy(), logdets.numpy()


def _check_finite(
    source: PathName, file: DiagGmmFile | FullGmmFile | IvectorExtractorFile
) -> None:
    """Refuse NaN and infinity, but in gconsts, where no weight gives no likelihood."""
    for name, array in file._asdict().items():
        if name != "gconsts" and not np.all(np.isfinite(array)):
            raise DataError(source, f"{name!r} holds NaN or infinity", hint=CURE)


def _remember(model: Model, **arrays: np.ndarray) -> Model:
    """Attach the file's derived values to a model."""
    for name, array in arrays.items():
        setattr(model, f"kaldi_{name}_", array)
    return model


def _as_imported(
    model: DiagGmm | FullGmm | IvectorExtractor, name: str, computed: np.ndarray
) -> np.ndarray:
    """Return the file's values where recomputed ones agree up to rounding."""
    imported = getattr(model, f"kaldi_{name}_", None)
    if imported is None or imported.shape != computed.shape:
        return computed
    allowed = ROUNDING[computed.dtype] * np.abs(computed).max()
    return imported if np.all(np.abs(imported - computed) <= allowed) else computed
