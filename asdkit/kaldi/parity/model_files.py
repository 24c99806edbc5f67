"""Parity of model files: imported from Kaldi and exported back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from asdkit.backends import kaldi_format as backend
from asdkit.io.kaldi import (
    DiagGmmFile,
    FullGmmFile,
    IvectorExtractorFile,
    PldaFile,
    read_object,
    write_object,
    write_text,
)
from asdkit.io.kaldi_binary import BINARY
from asdkit.ivector import kaldi_format as ivector
from asdkit.kaldi.parity.experiment import Experiment
from asdkit.kaldi.parity.table import IDENTICAL, Difference, Finding


def check_files(
    experiment: Experiment, of: str, patterns: tuple[str, ...]
) -> Iterator[Finding]:
    """Convert models to ours and back; compare byte by byte."""
    paths = experiment.files(of, *patterns)
    changed = [path for path in paths if not _comes_back(path)]
    worst = Difference(np.inf, np.inf) if changed else Difference()
    shown = changed[0] if changed else paths[0].parent
    yield Finding(experiment.show(shown), worst, IDENTICAL, f"{len(paths)} files")


def _comes_back(path: Path) -> bool:
    """Tell whether a file is the same after it was one of our models."""
    content = read_object(path)
    again = _convert(content, path)
    is_text = not path.read_bytes().startswith(BINARY)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        if is_text and isinstance(again, np.ndarray):
            write_text(copy, again)
        else:
            write_object(copy, again)
        return copy.read_bytes() == path.read_bytes()


def _convert(content: Any, path: Path) -> Any:
    """Make our model of what a file holds, and of that what a file holds."""
    match content:
        case DiagGmmFile():
            return ivector.diag_gmm_to_kaldi(ivector.diag_gmm_from_kaldi(content, path))
        case FullGmmFile():
            return ivector.full_gmm_to_kaldi(ivector.full_gmm_from_kaldi(content, path))
        case IvectorExtractorFile():
            extractor = ivector.extractor_from_kaldi(content, path)
            return ivector.extractor_to_kaldi(extractor)
        case PldaFile():
            return backend.plda_to_kaldi(backend.plda_from_kaldi(content))
    if content.ndim == 1:
        return backend.center_to_kaldi(backend.center_from_kaldi(content))
    return backend.lda_to_kaldi(backend.lda_from_kaldi(content))
