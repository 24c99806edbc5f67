"""Import and export Kaldi models (kaldi-import, kaldi-export).

An extractor of ours carries its UBM and its front end; a back-end is one file.  Kaldi
keeps the parts in files of known names side by side, so naming one is enough.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from asdkit.backends import kaldi_format as backend
from asdkit.backends.center import Center
from asdkit.backends.cosine import Dot
from asdkit.backends.lda import Lda
from asdkit.backends.length_norm import LengthNorm
from asdkit.backends.pipeline import Pipeline
from asdkit.backends.plda import Plda
from asdkit.base.errors import DataError
from asdkit.base.ranges import Count, FilePath, Share
from asdkit.data.staging import stage
from asdkit.features.frontend import FrontEnd
from asdkit.gmm.full import FullGmm
from asdkit.gmm.ubm import Ubm
from asdkit.io.kaldi import (
    DiagGmmFile,
    FullGmmFile,
    IvectorExtractorFile,
    Model,
    PldaFile,
    read_diag_gmm,
    read_full_gmm,
    read_matrix,
    read_object,
    read_vector,
    write_object,
    write_text,
)
from asdkit.io.store import describe, load_object, save_arrays
from asdkit.io.tables import PathName
from asdkit.ivector import kaldi_format as ivector
from asdkit.ivector.system import IvectorSystem
from asdkit.models.ubm_files import load_ubm, save_ubm

logger = logging.getLogger(__name__)
ORDER = {"mean.vec": 0, "transform.mat": 1, "plda": 2}  # in which they are applied


def import_model(
    source: PathName,
    destination: PathName,
    frontend: FrontEnd,
    num_gselect: Count = 20,
    min_post: Share = 0.025,
    transforms: Annotated[str, "PATH,..."] | None = None,
    mean: FilePath | None = None,
) -> None:
    """Import a Kaldi model, with the files beside it that belong to it.

    Args:
        source: a UBM (final.dubm beside final.ubm is used), an extractor (final.ubm
            must be beside it, final.dubm may be), a PLDA model (mean.vec and
            transform.mat may be beside it), an LDA matrix or a mean.
        destination: the directory of a UBM or an extractor, as ubm-train and
            ivector-train want it; the file of a back-end (.npz).
        frontend: front end of a UBM or an extractor.
        num_gselect: number of Gaussians per frame to use in extraction.
        min_post: smallest posterior to keep in extraction.
        transforms: matrices that come before PLDA, comma-separated, in the order in
            which they are applied, e.g. pca.mat,transform.mat; None: transform.mat
            beside it, if it is there.
        mean: mean to subtract before these and PLDA, which sre16 keeps with its
            unlabeled calls; None: mean.vec beside it, if it is there.

    Raises:
        DataError: a file is missing, damaged or of no such kind, or they do not fit.
    """
    source, destination = Path(source), Path(destination)
    content = read_object(source)
    if isinstance(content, (DiagGmmFile, FullGmmFile)):
        ubm = _to_ubm(content, source)
        save_ubm(destination / "ubm.npz", ubm, frontend)
    elif isinstance(content, IvectorExtractorFile):
        extractor = ivector.extractor_from_kaldi(content, source)
        path = source.with_name("final.ubm")
        ubm = _to_ubm(read_full_gmm(path), path)
        if ubm.full.means_.shape != extractor.m_.shape[:2]:
            shapes = f"{ubm.full.means_.shape} and {extractor.m_.shape[:2]}"
            raise DataError(path, f"it and {source.name} differ in shape: {shapes}")
        system = IvectorSystem(frontend, ubm, extractor, num_gselect, min_post)
        path = destination / "extractor.npz"
        save_arrays(path, IvectorSystem.__name__, *system.to_state())
    else:
        paths = [*map(Path, transforms.split(",") if transforms else ())]
        pipeline = _to_pipeline(content, source, paths, mean)
        save_arrays(destination, "Pipeline", *pipeline.to_state())


def export_model(model: PathName, kaldi_dir: PathName) -> None:
    """Write a UBM, an extractor or a back-end as Kaldi's binary models.

    Args:
        model: what ubm-train, ivector-train or backend-train wrote (.npz).
        kaldi_dir: where to write final.dubm and final.ubm; these and final.ie; or
            mean.vec, transform.mat and plda.

    Raises:
        DataError: the file is missing, damaged or of another kind, or Kaldi has no
            file for a step of the back-end.
    """
    kaldi_dir = Path(kaldi_dir)
    kind = describe(model)["kind"]
    if kind == "Ubm":
        files = _ubm_files(load_ubm(model)[0])
    elif kind == IvectorSystem.__name__:
        system = load_object(model, IvectorSystem)
        files = _ubm_files(system.ubm)
        files["final.ie"] = ivector.extractor_to_kaldi(system.extractor)
    elif kind == "Pipeline":
        pipeline = load_object(model, Pipeline)
        files = _pipeline_files(pipeline, model)
    else:
        raise DataError(model, f"expected a UBM, extractor or back-end, got {kind!r}")
    with stage(kaldi_dir) as staged:
        for name, content in files.items():
            logger.info("kaldi-export: %s", kaldi_dir / name)
            if isinstance(content, np.ndarray) and content.ndim == 1:
                write_text(staged / name, content)
            else:
                write_object(staged / name, content)


def _to_ubm(file: DiagGmmFile | FullGmmFile, source: Path) -> Ubm:
    """Build both forms of a UBM; the diagonal one may be beside the full one."""
    if isinstance(file, DiagGmmFile):
        diag = ivector.diag_gmm_from_kaldi(file, source)
        return Ubm(diag, FullGmm.from_diagonal(diag))
    full = ivector.full_gmm_from_kaldi(file, source)
    path = source.with_suffix(".dubm")
    if not path.exists():
        return Ubm(full.diagonal(), full)
    logger.info("kaldi-import: with %s", path)
    diag = ivector.diag_gmm_from_kaldi(read_diag_gmm(path), path)
    if diag.means_.shape != full.means_.shape:
        shapes = f"{diag.means_.shape} and {full.means_.shape}"
        raise DataError(path, f"it and {source.name} differ in shape: {shapes}")
    return Ubm(diag, full)


def _to_pipeline(
    content: PldaFile | np.ndarray,
    source: Path,
    transforms: Sequence[Path],
    given_mean: PathName | None,
) -> Pipeline:
    """Build a back-end of PLDA and the files beside it, or of one step alone."""
    if isinstance(content, np.ndarray):
        is_mean = content.ndim == 1
        convert = backend.center_from_kaldi if is_mean else backend.lda_from_kaldi
        return Pipeline([convert(content)])
    mean = Path(given_mean or source.with_name("mean.vec"))
    beside = source.with_name("transform.mat")
    for path in (mean, *(transforms or [beside])):
        state = "with" if path.exists() else "without"
        logger.info("kaldi-import: %s %s", state, path)
    if not transforms and beside.exists():
        transforms = [beside]
    matrices = [read_matrix(path) for path in transforms]
    try:
        transform = backend.chain_transforms(matrices) if len(matrices) > 1 else None
    except ValueError as error:
        names = ", ".join(map(str, transforms))
        raise DataError(source, f"{error} ({names})") from None
    return backend.pipeline_from_kaldi(
        read_vector(mean) if given_mean or mean.exists() else None,
        matrices[0] if len(matrices) == 1 else transform,
        content,
        source,
    )


def _ubm_files(ubm: Ubm) -> dict[str, Model | np.ndarray]:
    """Name the files of a UBM."""
    return {
        "final.dubm": ivector.diag_gmm_to_kaldi(ubm.diag),
        "final.ubm": ivector.full_gmm_to_kaldi(ubm.full),
    }


def _pipeline_files(
    pipeline: Pipeline, source: PathName
) -> dict[str, Model | np.ndarray]:
    """Name the files of a back-end; steps without parameters have none."""
    files: dict[str, Model | np.ndarray] = {}
    for name, content in _step_files(pipeline, source):
        if name in files:
            raise DataError(source, f"two steps would both be {name}, Kaldi has one")
        if later := [before for before in files if ORDER[before] > ORDER[name]]:
            problem = f"Kaldi's recipes apply {name} before {later[0]}, not after it"
            raise DataError(source, problem)
        files[name] = content
    if not files:
        raise DataError(source, "no step of this back-end has a file in Kaldi")
    return files


def _step_files(pipeline: Pipeline, source: PathName) -> Iterator[tuple[str, Any]]:
    """Yield name and content of the steps that have a file.

    Raises:
        DataError: a step has parameters, but no file in Kaldi.
    """
    for step in pipeline.steps:
        match step:
            case Center():
                yield "mean.vec", backend.center_to_kaldi(step)
            case Lda():
                yield "transform.mat", backend.lda_to_kaldi(step)
            case Plda():
                yield "plda", backend.plda_to_kaldi(step)
            case LengthNorm() | Dot():  # Cosine, too
                pass
            case _:
                kind = type(step).__name__
                hint = "train it without, e.g. --steps center,lda,length-norm,plda"
                raise DataError(source, f"Kaldi has no file for its {kind}", hint=hint)
