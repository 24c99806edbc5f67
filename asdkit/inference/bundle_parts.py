"""Parts of a bundle besides its graphs: read from many files, written as a few."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from asdkit.backends.calibration import Calibration
from asdkit.backends.pipeline import Pipeline
from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.bundle_sources import Sources
from asdkit.inference.card_trials import CardTrials, read_card_trials
from asdkit.inference.cm_card import cm_card_of, read_labelled
from asdkit.inference.graph_models import Networked
from asdkit.inference.localizer_conf import read_localization
from asdkit.inference.stretches import Localization
from asdkit.io.files import write_atomic
from asdkit.io.protocols import BONAFIDE
from asdkit.io.store import load_model, load_object, save_arrays, save_model
from asdkit.verification.cohort import read_cohort


class Parts(NamedTuple):
    """The parts of a bundle besides its graphs.

    Attributes:
        backend: trained steps between embeddings and scores; None: cosines.
        cohort: (K, E) embeddings that normalize scores; None: none.
        num_top: how many of the cohort count; 0: all.
        calibration: of scores of speakers; None: none.
        cm_calibration: of scores of the countermeasure; None: none.
        cm_card: how often the countermeasure errs; None: unknown.
        localization: how scores of frames become stretches.
        trials: to measure the bundle on; None: no card.
    """

    backend: Pipeline | None
    cohort: np.ndarray | None
    num_top: int
    calibration: Calibration | None
    cm_calibration: Calibration | None
    cm_card: Mapping[str, Any] | None
    localization: Localization
    trials: CardTrials | None


def read_parts(
    sources: Sources,
    networks: Mapping[str, Networked],
    cm_threshold: float,
    num_top: int,
) -> Parts:
    """Read and check the files of a bundle, and fit what they are to fit.

    Args:
        sources: the files.
        networks: the bundle's, the main one first.
        cm_threshold: log-likelihood ratio above which a recording is bona fide.
        num_top: how many of the cohort should count; 0: all.

    Raises:
        AsdkitError: files belong together, or have no use here.
        DataError: a file is missing, damaged, or does not fit the others.
    """
    main = next(iter(networks.values()))
    backend = _read_backend(main, sources)
    cohort = _read_cohort(backend, sources)
    if cohort is not None:
        num_top = min(num_top or len(cohort), len(cohort))
    calibration = _read_calibration(sources)
    cm_calibration = _fit_cm_calibration(sources) if "cm" in networks else None
    localization = read_localization(sources.localizer)
    cm_card = cm_card_of(sources, cm_calibration, cm_threshold)
    trials = read_card_trials(sources, main)
    return Parts(
        *(backend, cohort, num_top, calibration),
        *(cm_calibration, cm_card, localization, trials),
    )


def write_parts(target: Path, parts: Parts) -> None:
    """Write what there is."""
    if parts.backend is not None:
        save_arrays(target / "backend.npz", "Pipeline", *parts.backend.to_state())
    if parts.cohort is not None:
        save_arrays(target / "cohort.npz", "Cohort", {}, {"x": parts.cohort})
    if parts.calibration is not None:
        save_model(target / "calibration.npz", parts.calibration)
    if parts.cm_calibration is not None:
        save_model(target / "cm_calibration.npz", parts.cm_calibration)
    if parts.cm_card is not None:
        write_json(target / "cm_card.json", parts.cm_card)


def _read_backend(main: Networked, sources: Sources) -> Pipeline | None:
    """Read trained steps, which have to take the main network's embeddings."""
    if sources.backend is None:
        return None
    pipeline = load_object(sources.backend, Pipeline)
    dim = getattr(main, "embedding_dim", None)
    if pipeline.input_dim not in (None, dim):
        problem = f"it takes embeddings of {pipeline.input_dim} numbers"
        raise DataError(sources.backend, f"{problem}, the network has {dim}")
    return pipeline


def _read_cohort(backend: Pipeline | None, sources: Sources) -> np.ndarray | None:
    """Read the (K, E) float32 cohort."""
    if sources.cohort is None:
        return None
    if backend is None:
        raise AsdkitError("--cohort needs the --backend that scores with it")
    members = read_cohort(sources.cohort, sources.cohort_utt2spk, backend)
    return members.x.astype(np.float32)


def _read_calibration(sources: Sources) -> Calibration | None:
    """Read a calibration of one system's scores."""
    if sources.calibration is None:
        return None
    calibration = load_model(sources.calibration, Calibration)
    if calibration.num_systems != 1 or calibration.measures:
        raise DataError(sources.calibration, "expected one of one system's scores")
    return calibration


def _fit_cm_calibration(sources: Sources) -> Calibration | None:
    """Calibrate a countermeasure on development scores."""
    if (sources.cm_key is None) != (sources.cm_scores is None):
        raise AsdkitError("--cm-key and --cm-scores belong together")
    if sources.cm_key is None or sources.cm_scores is None:
        return None
    _, values, attacks = read_labelled(sources.cm_key, sources.cm_scores)
    return Calibration(ridge=1e-4).fit(values[:, None], attacks == BONAFIDE)


def write_json(path: Path, content: Any) -> None:
    """Write JSON, atomically."""
    with write_atomic(path) as stream:
        json.dump(content, stream, indent=2, ensure_ascii=False, sort_keys=True)
