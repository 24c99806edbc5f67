"""Make a bundle: export, calibrate, measure, and write all of it or nothing usable."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.provenance import provenance
from asdkit.base.ranges import Natural, Positive
from asdkit.inference.bundle import Bundle
from asdkit.inference.bundle_parts import read_parts, write_json, write_parts
from asdkit.inference.bundle_sources import Sources
from asdkit.inference.card_trials import CardTrials, card_of
from asdkit.inference.detectors import NetworkCountermeasure
from asdkit.inference.export import Exported, Int8, export
from asdkit.inference.footprint import measure
from asdkit.inference.graph import MAX_SEC
from asdkit.inference.graph_models import Networked, require_network
from asdkit.inference.loading import load
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName
from asdkit.metrics.decision_costs import DecisionCosts
from asdkit.models.bundle_files import INDEX, KIND, VERSION, digest_of

logger = logging.getLogger(__name__)

NAMES = (
    *("speaker.onnx", "cm.onnx", "backend.npz", "cohort.npz", "calibration.npz"),
    *("cm_calibration.npz", "card.json", "cm_card.json"),
)
COMPARING = (  # sources of no use to a bundle that only detects
    *("backend", "cohort", "cohort_utt2spk", "calibration", "calibration_utt2spk"),
    *("cm", "card_data", "card_trials", "card_scores"),
)
UNSTATED = "not stated"
UNFINISHED = ".bundle-make"  # in a directory where it was interrupted


def make_bundle(
    model: PathName,
    folder: PathName,
    sources: Sources,
    costs: DecisionCosts,
    cm_costs: DecisionCosts,
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
    target = Path(folder)
    networks = _networks(model, sources)
    _require_room(target)
    graphs = {
        name: export(network, "waveform", int8, sources.check_audio)
        for name, network in networks.items()
    }
    parts = read_parts(sources, networks, cm_costs.threshold, num_top)
    _clear(target)
    _write_graphs(target, graphs)
    write_parts(target, parts)
    about = {
        "kind": KIND,
        "version": VERSION,
        "what": " and ".join(x.what for x in networks.values()),
        "licence": licence,
        "data": data,
        "decision": vars(costs),
        "cm_decision": vars(cm_costs),
        "localization": vars(parts.localization),
        "num_top": parts.num_top,
        "min_speech_sec": min_speech_sec,
        "max_sec": MAX_SEC,
        "footprint": _footprints(target, networks, graphs),
        "provenance": provenance(),
        "files": _digests(target),
    }
    _write_card(target, about, parts.trials, card_recordings)
    _finish(target, about)
    return Bundle.open(target)


def _write_graphs(target: Path, graphs: Mapping[str, Exported]) -> None:
    """Write the exported networks."""
    for name, graph in graphs.items():
        with write_atomic(target / f"{name}.onnx", "wb") as stream:
            stream.write(graph.content)


def _footprints(
    target: Path, networks: Mapping[str, Networked], graphs: Mapping[str, Exported]
) -> dict[str, Mapping[str, Any]]:
    """Measure the graphs that were written."""
    return {
        name: measure(networks[name], target / f"{name}.onnx", len(graph.content))
        for name, graph in graphs.items()
    }


def _write_card(
    target: Path, about: dict[str, Any], trials: CardTrials | None, recordings: int
) -> None:
    """Measure the bundle on test trials, if there are any, and add its card."""
    if trials is None:
        return
    so_far = Bundle(target, about, {x: target / x for x in about["files"]})
    write_json(target / "card.json", card_of(trials, so_far, recordings))
    about["files"] = _digests(target)


def _finish(target: Path, about: Mapping[str, Any]) -> None:
    """Write the index, which makes the files a bundle."""
    write_json(target / INDEX, about)
    (target / UNFINISHED).unlink()
    if UNSTATED in (about["licence"], about["data"]):
        logger.warning("bundle-make: its licence or data are not stated")


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


def _networks(model: PathName, sources: Sources) -> dict[str, Networked]:
    """Load the main network and a countermeasure: speaker, cm, in this order."""
    main, cm = require_network(load(model)), sources.cm
    if isinstance(main, NetworkCountermeasure):
        _refuse_comparing(model, sources)
        return {"cm": main}
    networks: dict[str, Networked] = {"speaker": main}
    if cm is not None:
        other = require_network(load(cm))
        if not isinstance(other, NetworkCountermeasure):
            raise DataError(cm, f"expected a countermeasure, got {other.what}")
        networks["cm"] = other
    return networks


def _refuse_comparing(model: PathName, sources: Sources) -> None:
    """Raise where a bundle that only detects is given what compares speakers."""
    given = [name for name in COMPARING if getattr(sources, name) is not None]
    if given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        problem = f"it is a countermeasure, which compares no speakers: no {options}"
        hint = "make the bundle of a network of speakers, and this one its --cm"
        raise AsdkitError(f"{model}: {problem}", hint=hint)
