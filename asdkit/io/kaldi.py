"""Kaldi's models, matrices and vectors, read and written byte by byte.

What a file holds comes back as it is stored: a `NamedTuple` of raw arrays in the
file's own precision, so that writing what was read gives the same file.
The `kaldi_format` modules of `asdkit.ivector` and `asdkit.backends` turn these into
estimators.
Archives of features and vectors are `asdkit.io.ark`'s, posteriors of frames
`asdkit.io.kaldi_posteriors`'s.

Source: Kaldi, src/gmm/{diag,full}-gmm.cc, src/ivector/{ivector-extractor,plda}.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any, NamedTuple

import numpy as np

from asdkit.io.files import write_atomic
from asdkit.io.kaldi_binary import (
    BINARY,
    BinaryReader,
    write_array,
    write_count,
    write_real,
    write_token,
)
from asdkit.io.kaldi_object import open_object
from asdkit.io.kaldi_text import TextReader, write_text_array
from asdkit.io.tables import PathName

Reader = BinaryReader | TextReader


class DiagGmmFile(NamedTuple):
    """Diagonal Gaussians: ``<DiagGMM>``, float32.

    Attributes:
        gconsts: (G,) log-likelihood of Gaussian and weight at the origin.
        weights: (G,) summing to one.
        means_invvars: (G, D) means times inverse variances.
        inv_vars: (G, D) inverse variances.
    """

    gconsts: np.ndarray
    weights: np.ndarray
    means_invvars: np.ndarray
    inv_vars: np.ndarray


class FullGmmFile(NamedTuple):
    """Gaussians with full covariances: ``<FullGMM>``, float32.

    Attributes:
        gconsts: (G,) log-likelihood of Gaussian and weight at the origin.
        weights: (G,) summing to one.
        means_invcovars: (G, D) inverse covariances times means.
        inv_covars: (G, D (D + 1) / 2) lower triangles, row after row.
    """

    gconsts: np.ndarray
    weights: np.ndarray
    means_invcovars: np.ndarray
    inv_covars: np.ndarray


class IvectorExtractorFile(NamedTuple):
    """An i-vector extractor: ``<IvectorExtractor>``, float64.

    Attributes:
        w: (G, R) projections of log weights; (0, 0) where weights are fixed.
        w_vec: (G,) the fixed weights.
        m: (G, D, R) projections; Gaussian g has its mean at ``m[g] @ x``.
        sigma_inv: (G, D (D + 1) / 2) inverse covariances, lower triangles.
        prior_offset: the first element of x's prior mean, the others being 0.
    """

    w: np.ndarray
    w_vec: np.ndarray
    m: np.ndarray
    sigma_inv: np.ndarray
    prior_offset: float


class PldaFile(NamedTuple):
    """A PLDA model: ``<Plda>``, float64.

    Attributes:
        mean: (R,) of all i-vectors.
        transform: (R, R) makes within-speaker covariance unit, between diagonal.
        psi: (R,) between-speaker variances there.
    """

    mean: np.ndarray
    transform: np.ndarray
    psi: np.ndarray


Model = DiagGmmFile | FullGmmFile | IvectorExtractorFile | PldaFile


def read_object(path: PathName) -> Model | np.ndarray:
    """Read a model, vector or matrix, whichever is in the file.

    Raises:
        DataError: it is none of them, damaged, or followed by something else.
    """
    with open_object(path) as reader:
        kind = reader.peek()
        if kind not in _READERS:
            known = ", ".join(_READERS)
            reader.fail(f"expected one of {known}; got {kind[:20]!r}")
        return _READERS[kind](reader)


def read_diag_gmm(path: PathName) -> DiagGmmFile:
    """Read ``<DiagGMM>``, e.g. final.dubm."""
    with open_object(path) as reader:
        return _diag_gmm(reader)


def read_full_gmm(path: PathName) -> FullGmmFile:
    """Read ``<FullGMM>``, e.g. final.ubm."""
    with open_object(path) as reader:
        return _full_gmm(reader)


def read_ivector_extractor(path: PathName) -> IvectorExtractorFile:
    """Read ``<IvectorExtractor>``, e.g. final.ie."""
    with open_object(path) as reader:
        return _ivector_extractor(reader)


def read_plda(path: PathName) -> PldaFile:
    """Read ``<Plda>``."""
    with open_object(path) as reader:
        return _plda(reader)


def read_vector(path: PathName) -> np.ndarray:
    """Read a vector, e.g. mean.vec: (D,), float64 if the file is text."""
    with open_object(path) as reader:
        return reader.vector()


def read_matrix(path: PathName) -> np.ndarray:
    """Read a matrix, e.g. transform.mat: (T, D), float64 if the file is text."""
    with open_object(path) as reader:
        return reader.matrix()


def write_object(path: PathName, content: Model | np.ndarray) -> None:
    """Write a model, vector or matrix in binary, in the precision it has."""
    with write_atomic(path, "wb") as stream:
        stream.write(BINARY)
        if isinstance(content, np.ndarray):
            write_array(stream, content)
        else:
            _WRITERS[type(content)](stream, content)


def write_text(path: PathName, array: np.ndarray) -> None:
    """Write a (D,) vector or (T, D) matrix as text with seven digits, as Kaldi does."""
    with write_atomic(path, "wb") as stream:
        write_text_array(stream, array)


def _diag_gmm(reader: Reader) -> DiagGmmFile:
    reader.expect("<DiagGMM>")
    reader.expect("<GCONSTS>")
    gconsts = reader.vector()
    reader.expect("<WEIGHTS>")
    weights = reader.vector()
    reader.expect("<MEANS_INVVARS>")
    means_invvars = reader.matrix()
    reader.expect("<INV_VARS>")
    inv_vars = reader.matrix()
    reader.expect("</DiagGMM>")
    num_gauss, dim = means_invvars.shape
    _check_shape(reader, "GCONSTS", gconsts, (num_gauss,))
    _check_shape(reader, "WEIGHTS", weights, (num_gauss,))
    _check_shape(reader, "INV_VARS", inv_vars, (num_gauss, dim))
    return DiagGmmFile(gconsts, weights, means_invvars, inv_vars)


def _full_gmm(reader: Reader) -> FullGmmFile:
    reader.expect("<FullGMM>")
    reader.expect("<GCONSTS>")
    gconsts = reader.vector()
    reader.expect("<WEIGHTS>")
    weights = reader.vector()
    reader.expect("<MEANS_INVCOVARS>")
    means_invcovars = reader.matrix()
    num_gauss, dim = means_invcovars.shape
    reader.expect("<INV_COVARS>")
    inv_covars = reader.packed(num_gauss)
    reader.expect("</FullGMM>")
    _check_shape(reader, "GCONSTS", gconsts, (num_gauss,))
    _check_shape(reader, "WEIGHTS", weights, (num_gauss,))
    _check_shape(reader, "INV_COVARS", inv_covars, (num_gauss, dim * (dim + 1) // 2))
    return FullGmmFile(gconsts, weights, means_invcovars, inv_covars)


def _ivector_extractor(reader: Reader) -> IvectorExtractorFile:
    reader.expect("<IvectorExtractor>")
    reader.expect("<w>")
    w = reader.matrix()
    reader.expect("<w_vec>")
    w_vec = reader.vector()
    reader.expect("<M>")
    m = reader.matrices(reader.count())
    reader.expect("<SigmaInv>")
    sigma_inv = reader.packed(len(m))
    reader.expect("<IvectorOffset>")
    prior_offset = reader.real()
    reader.expect("</IvectorExtractor>")
    num_gauss, dim, ivector_dim = m.shape
    if w.size:
        _check_shape(reader, "w", w, (num_gauss, ivector_dim))
    _check_shape(reader, "w_vec", w_vec, (num_gauss,))
    _check_shape(reader, "SigmaInv", sigma_inv, (num_gauss, dim * (dim + 1) // 2))
    return IvectorExtractorFile(w, w_vec, m, sigma_inv, prior_offset)


def _plda(reader: Reader) -> PldaFile:
    reader.expect("<Plda>")
    mean = reader.vector()
    transform = reader.matrix()
    psi = reader.vector()
    reader.expect("</Plda>")
    _check_shape(reader, "transform", transform, (len(mean), len(mean)))
    _check_shape(reader, "psi", psi, (len(mean),))
    return PldaFile(mean, transform, psi)


def _array(reader: Reader) -> np.ndarray:
    return reader.matrix() if reader.is_matrix() else reader.vector()


def _check_shape(
    reader: Reader, name: str, array: np.ndarray, shape: tuple[int, ...]
) -> None:
    """Check that a field fits the others."""
    if array.shape != shape:
        reader.fail(f"expected <{name}> of shape {shape}, got {array.shape}")


def _write_diag_gmm(stream: IO[bytes], model: DiagGmmFile) -> None:
    write_token(stream, "<DiagGMM>")
    for name, array in model._asdict().items():
        write_token(stream, f"<{name.upper()}>")
        write_array(stream, array)
    write_token(stream, "</DiagGMM>")


def _write_full_gmm(stream: IO[bytes], model: FullGmmFile) -> None:
    write_token(stream, "<FullGMM>")
    for name in ("gconsts", "weights", "means_invcovars"):
        write_token(stream, f"<{name.upper()}>")
        write_array(stream, getattr(model, name))
    write_token(stream, "<INV_COVARS>")
    for packed in model.inv_covars:
        write_array(stream, packed, "P")
    write_token(stream, "</FullGMM>")


def _write_ivector_extractor(stream: IO[bytes], model: IvectorExtractorFile) -> None:
    write_token(stream, "<IvectorExtractor>")
    write_token(stream, "<w>")
    write_array(stream, model.w)
    write_token(stream, "<w_vec>")
    write_array(stream, model.w_vec)
    write_token(stream, "<M>")
    write_count(stream, len(model.m))
    for matrix in model.m:
        write_array(stream, matrix)
    write_token(stream, "<SigmaInv>")
    for packed in model.sigma_inv:
        write_array(stream, packed, "P")
    write_token(stream, "<IvectorOffset>")
    write_real(stream, model.prior_offset)
    write_token(stream, "</IvectorExtractor>")


def _write_plda(stream: IO[bytes], model: PldaFile) -> None:
    write_token(stream, "<Plda>")
    for array in model:
        write_array(stream, array)
    write_token(stream, "</Plda>")


_READERS: dict[str, Callable[[Reader], Model | np.ndarray]] = {
    "<DiagGMM>": _diag_gmm,
    "<FullGMM>": _full_gmm,
    "<IvectorExtractor>": _ivector_extractor,
    "<Plda>": _plda,
    "FM": _array,
    "DM": _array,
    "FV": _array,
    "DV": _array,
    "[": _array,
}

_WRITERS: dict[type, Callable[[IO[bytes], Any], None]] = {
    DiagGmmFile: _write_diag_gmm,
    FullGmmFile: _write_full_gmm,
    IvectorExtractorFile: _write_ivector_extractor,
    PldaFile: _write_plda,
}
