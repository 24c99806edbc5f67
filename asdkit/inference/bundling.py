"""Make a bundle: export, calibrate, measure, and write all of it or nothing usable."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asdkit.backends.calibration import Calibration
from asdkit.backends.pipeline import Pipeline
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.provenance import provenance
from asdkit.base.ranges import Natural, Positive
from asdkit.inference.bundle import INDEX, KIND, VERSION, Bundle, digest_of
from asdkit.inference.bundle_sources import Sources
from asdkit.inference.card_trials import card_of, read_card_trials
from asdkit.inference.cm_card import cm_card_of, read_labelled
from asdkit.inference.detectors import NetworkCountermeasure
from asdkit.inference.export import Exported, Int8, export
from asdkit.inference.footprint import measure
from asdkit.inference.graph import MAX_SEC, Networked, require_network
from asdkit.inference.loading import load
from asdkit.inference.localizer_conf import read_localization
from asdkit.inference.verdict import Costs
from asdkit.io.files import write_atomic
from asdkit.io.protocols import BONAFIDE
from asdkit.io.store import load_model, load_object, save_arrays, save_model
from asdkit.io.tables import PathName
from asdkit.verification.cohort import read_cohort

logger = logging.getLogger(__name__)

NAMES = (
    *("speaker.onnx", "cm.onnx", "backend.npz", "cohort.npz", "calibration.npz"),
    *("cm_calibration.npz", "card.json", "cm_card.json"),
)
UNSTATED = "not stated"
UNFINISHED = ".bundle-make"  # in a directory where it was interrupted


def make_bundle(
    model: PathName,
    folder: PathName,
    sources: Sources,
    costs: Costs,
    cm_costs: Costs,
    num_top: Natural = 300,
    min_speech_sec: Positive = 0.5,
    card_recordings: Natural = 100,
    int8: Int8 = "none",
    licence: str = UNSTATED,
    data: str = UNSTATED,
) -> Bundle:
    """Write a bundle, and open it.

    Args:
        model: directory of a network of speakers, or of a countermeasure.
        folder: where to write it.
        sources: its other files.
        costs: prior and costs of the decision about speakers.
        cm_costs: those of the decision about spoofing; a target is bona fide.
        num_top: number of highest cohort scores to use (AS-norm); 0: all of them.
        min_speech_sec: refuse recordings in which less speech is found, in seconds.
        card_recordings: test recordings to cut and to add noise to, for the rows of the
            card by duration and SNR; 0: no such rows.
        int8: 8-bit weights of the graphs: none, dynamic or static.
        licence: licence of the weights, and of the data behind them.
        data: training data of the networks, in words.

    Raises:
        AsdkitError: a model has no graph, or its graph differs from it.
        DataError: a file is missing, damaged, or does not fit the others.
    """
    networks = _networks(model, sources.cm)
    main = next(iter(networks.values()))
    _require_room(Path(folder))
    exported = {
        name: export(network, "waveform", int8, sources.check_audio)
        for name, network in networks.items()
    }
    parts = _parts(main, sources)
    if parts.get("cohort") is not None:
        num_top = min(num_top or len(parts["cohort"]), len(parts["cohort"]))
    cm_calibration = _cm_calibration(sources) if "cm" in networks else None
    localization = read_localization(sources.localizer)
    cm_card = cm_card_of(sources, cm_calibration, cm_costs.threshold)
    trials = read_card_trials(sources, main)

    target = Path(folder)
    _clear(target)
    for name, graph in exported.items():
        with write_atomic(target / f"{name}.onnx", "wb") as stream:
            stream.write(graph.content)
    _write_parts(target, parts, cm_calibration, cm_card)
    footprint = {
        name: _footprint(networks[name], target / f"{name}.onnx", graph)
        for name, graph in exported.items()
    }
    about: dict[str, Any] = {
        "kind": KIND,
        "version": VERSION,
        "what": " and ".join(x.what for x in networks.values()),
        "licence": licence,
        "data": data,
        "decision": vars(costs),
        "cm_decision": vars(cm_costs),
        "localization": vars(localization),
        "num_top": num_top,
        "min_speech_sec": min_speech_sec,
        "max_sec": MAX_SEC,
        "footprint": footprint,
        "provenance": provenance(),
        "files": _digests(target),
    }
    if trials is not None:
        so_far = Bundle(target, about, {x: target / x for x in about["files"]})
        card = card_of(trials, so_far, card_recordings)
        _write_json(target / "card.json", card)
        about["files"] = _digests(target)
    _write_json(target / INDEX, about)
    (target / UNFINISHED).unlink()
    if UNSTATED in (licence, data):
        logger.warning("bundle-make: its licence or data are not stated")
    return Bundle.open(target)


def _clear(target: Path) -> None:
    """Make a directory without the files of an earlier bundle, and mark it."""
    target.mkdir(parents=True, exist_ok=True)
    (target / UNFINISHED).touch()
    (target / INDEX).unlink(missing_ok=True)  # no bundle until it is complete
    for name in NAMES:
        (target / name).unlink(missing_ok=True)


def _digests(target: Path) -> dict[str, str]:
    """Compute the checksums of all files of a bundle."""
    return {x: digest_of(target / x) for x in NAMES if (target / x).exists()}


def _require_room(target: Path) -> None:
    """Raise where files of a bundle's names lie that no bundle-make has written.

    One that was interrupted leaves its mark.
    """
    if (target / INDEX).exists() or (target / UNFINISHED).exists():
        return
    if found := [name for name in NAMES if (target / name).exists()]:
        problem = f"expected an empty directory or a bundle, got {', '.join(found)}"
        raise DataError(target, problem, hint="choose another directory")


def _networks(model: PathName, cm: PathName | None) -> dict[str, Networked]:
    """Load the main network and a countermeasure: speaker, cm, in this order."""
    main = require_network(load(model))
    if isinstance(main, NetworkCountermeasure):
        if cm is not None:
            raise AsdkitError(f"{model}: it is a countermeasure itself: no --cm")
        return {"cm": main}
    networks: dict[str, Networked] = {"speaker": main}
    if cm is not None:
        other = require_network(load(cm))
        if not isinstance(other, NetworkCountermeasure):
            raise DataError(cm, f"expected a countermeasure, got {other.what}")
        networks["cm"] = other
    return networks


def _write_parts(
    target: Path,
    parts: Mapping[str, Any],
    cm_calibration: Any | None,
    cm_card: Mapping[str, Any] | None,
) -> None:
    """Write what there is besides the graphs."""
    if parts.get("backend") is not None:
        save_arrays(target / "backend.npz", "Pipeline", *parts["backend"].to_state())
    if parts.get("cohort") is not None:
        save_arrays(target / "cohort.npz", "Cohort", {}, {"x": parts["cohort"]})
    if parts.get("calibration") is not None:
        save_model(target / "calibration.npz", parts["calibration"])
    if cm_calibration is not None:
        save_model(target / "cm_calibration.npz", cm_calibration)
    if cm_card is not None:
        _write_json(target / "cm_card.json", cm_card)


def _parts(main: Networked, sources: Sources) -> dict[str, Any]:
    """Read what compares embeddings."""
    parts: dict[str, Any] = {}
    pipeline = None
    if sources.backend is not None:
        pipeline = load_object(sources.backend, Pipeline)
        parts["backend"] = pipeline
        dim = getattr(main, "embedding_dim", None)
        if pipeline.input_dim not in (None, dim):
            problem = f"it takes embeddings of {pipeline.input_dim} numbers"
            raise DataError(sources.backend, f"{problem}, the network has {dim}")
    if sources.cohort is not None:
        if pipeline is None:
            raise AsdkitError("--cohort needs the --backend that scores with it")
        members = read_cohort(sources.cohort, sources.cohort_utt2spk, pipeline)
        parts["cohort"] = members.x.astype(np.float32)
    if sources.calibration is not None:
        calibration = load_model(sources.calibration, Calibration)
        if calibration.num_systems != 1 or calibration.measures:
            raise DataError(sources.calibration, "expected one of one system's scores")
        parts["calibration"] = calibration
    if parts and isinstance(main, NetworkCountermeasure):
        raise AsdkitError(f"{main.path}: a countermeasure compares no speakers")
    return parts


def _cm_calibration(sources: Sources) -> Calibration | None:
    """Calibrate a countermeasure on development scores."""
    if (sources.cm_key is None) != (sources.cm_scores is None):
        raise AsdkitError("--cm-key and --cm-scores belong together")
    if sources.cm_key is None or sources.cm_scores is None:
        return None
    _, values, attacks = read_labelled(sources.cm_key, sources.cm_scores)
    return Calibration(ridge=1e-4).fit(values[:, None], attacks == BONAFIDE)


def _footprint(model: Networked, path: Path, graph: Exported) -> Mapping[str, Any]:
    """Measure a graph."""
    return measure(model, path, len(graph.content))


def _write_json(path: Path, content: Any) -> None:
    """Write JSON, atomically."""
    with write_atomic(path) as stream:
        json.dump(content, stream, indent=2, ensure_ascii=False, sort_keys=True)
