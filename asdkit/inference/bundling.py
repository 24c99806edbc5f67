"""Make a bundle: export, calibrate, measure, and write all of it or nothing usable."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from asdkit.backends.calibration import Calibration
from asdkit.backends.pipeline import Pipeline
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.numbers import parse_finite
from asdkit.base.provenance import provenance
from asdkit.base.ranges import Natural, Positive
from asdkit.inference.bundle import INDEX, KIND, VERSION, Bundle, digest_of
from asdkit.inference.card import make_card
from asdkit.inference.detectors import NetworkCountermeasure
from asdkit.inference.export import Exported, Int8, export
from asdkit.inference.footprint import measure
from asdkit.inference.graph import MAX_SEC, Networked, require_network
from asdkit.inference.loading import load
from asdkit.inference.verdict import Costs
from asdkit.io.cm_scores import read_cm_scores
from asdkit.io.files import write_atomic
from asdkit.io.store import load_model, load_object, save_arrays, save_model
from asdkit.io.tables import PathName, read_table
from asdkit.io.trials import Trials, read_trials
from asdkit.verification.calibration_inputs import read_systems
from asdkit.verification.cohort import read_cohort

logger = logging.getLogger(__name__)

NAMES = (
    *("speaker.onnx", "cm.onnx", "backend.npz", "cohort.npz", "calibration.npz"),
    *("cm_calibration.npz", "card.json"),
)
UNSTATED = "not stated"
UNFINISHED = ".bundle-make"  # in a directory where it was interrupted


class Sources(NamedTuple):
    """The files that a bundle is made of, besides its network; None: none.

    Attributes:
        backend: compares embeddings.
        cohort: rspecifier of embeddings for AS-norm.
        cohort_utt2spk: speakers to average the cohort by.
        calibration: of the scores that result.
        cm: directory of a countermeasure network.
        cm_key: utt2attack of development trials.
        cm_scores: the countermeasure's scores of these.
        card_data: data directory of the card's trials.
        card_trials: trials of speakers that neither trained nor calibrated.
        card_scores: calibrated scores of these.
        check_audio: sound file or directory to compare graphs on.
    """

    backend: PathName | None = None
    cohort: str | None = None
    cohort_utt2spk: PathName | None = None
    calibration: PathName | None = None
    cm: PathName | None = None
    cm_key: PathName | None = None
    cm_scores: PathName | None = None
    card_data: PathName | None = None
    card_trials: PathName | None = None
    card_scores: PathName | None = None
    check_audio: PathName | None = None


def make_bundle(
    model: PathName,
    folder: PathName,
    sources: Sources,
    costs: Costs,
    cm_costs: Costs,
    num_top: Natural = 300,
    min_speech_sec: Positive = 0.5,
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
    if "speaker" not in networks and any(parts.values()):
        raise AsdkitError(f"{model}: a countermeasure compares no speakers")
    if parts.get("cohort") is not None:
        num_top = min(num_top or len(parts["cohort"]), len(parts["cohort"]))
    cm_calibration = _cm_calibration(sources) if "cm" in networks else None
    card = _card(sources, costs)

    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    (target / UNFINISHED).touch()
    (target / INDEX).unlink(missing_ok=True)  # no bundle until it is complete
    for name in NAMES:
        (target / name).unlink(missing_ok=True)
    for name, graph in exported.items():
        with write_atomic(target / f"{name}.onnx", "wb") as stream:
            stream.write(graph.content)
    _write_parts(target, parts, cm_calibration, card)
    footprint = {
        name: _footprint(networks[name], target / f"{name}.onnx", graph)
        for name, graph in exported.items()
    }
    about = {
        "kind": KIND,
        "version": VERSION,
        "what": " and ".join(x.what for x in networks.values()),
        "licence": licence,
        "data": data,
        "decision": vars(costs),
        "cm_decision": vars(cm_costs),
        "num_top": num_top,
        "min_speech_sec": min_speech_sec,
        "max_sec": MAX_SEC,
        "footprint": footprint,
        "provenance": provenance(),
        "files": {x: digest_of(target / x) for x in NAMES if (target / x).exists()},
    }
    _write_json(target / INDEX, about)
    (target / UNFINISHED).unlink()
    for text in (licence, data):
        if text == UNSTATED:
            logger.warning("bundle-make: its licence or data are not stated")
            break
    return Bundle.open(target)


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
    card: Mapping[str, Any] | None,
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
    if card is not None:
        _write_json(target / "card.json", card)


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
    return parts


def _cm_calibration(sources: Sources) -> Calibration | None:
    """Calibrate a countermeasure on development scores."""
    if (sources.cm_key is None) != (sources.cm_scores is None):
        raise AsdkitError("--cm-key and --cm-scores belong together")
    if sources.cm_key is None or sources.cm_scores is None:
        return None
    key = read_table(sources.cm_key)
    scores = read_cm_scores(sources.cm_scores)
    unknown = [utt for utt in scores.utt if utt not in key]
    if unknown:
        problem = f"{len(unknown)} of its utterances are not in {sources.cm_key}"
        raise DataError(sources.cm_scores, f"{problem}, e.g. {unknown[0]!r}")
    is_bonafide = np.array([key[utt] == "bonafide" for utt in scores.utt])
    values = np.asarray(scores.values)[:, None]
    return Calibration(ridge=1e-4).fit(values, is_bonafide)


def _card(sources: Sources, costs: Costs) -> dict[str, Any] | None:
    """Make the threshold card."""
    given = sources.card_data, sources.card_trials, sources.card_scores
    if not any(given):
        return None
    if not all(given):
        raise AsdkitError("--card-data, --card-trials, --card-scores belong together")
    if sources.calibration is None:
        problem = "a card counts decisions, and without --calibration there are none"
        raise AsdkitError(problem, hint="--calibration, or no --card-trials")
    assert sources.card_data is not None
    assert sources.card_trials is not None
    assert sources.card_scores is not None
    trials = read_trials(sources.card_trials)
    _, scores = read_systems([sources.card_scores], trials, sources.card_trials)
    folder = Path(sources.card_data)
    utt2spk = read_table(folder / "utt2spk")
    enroll, test = _words(trials)
    for utt in (*enroll, *test):
        if utt not in utt2spk:
            problem = f"{utt!r} is not in {folder / 'utt2spk'}"
            raise DataError(sources.card_trials, problem, hint="name its --card-data")
    pairs = zip(enroll, test, strict=True)
    spk = np.array([[utt2spk[a], utt2spk[b]] for a, b in pairs])
    groups = _groups(folder, spk)
    source = f"{len(spk):,} of {len(np.unique(spk))} speakers, {sources.card_trials}"
    card = make_card(
        scores[:, 0], trials.is_target, spk, groups, costs.threshold, source
    )
    return card


def _words(trials: Trials) -> tuple[list[str], list[str]]:
    """Names of both sides of all trials."""
    enroll = [trials.enroll_ids[row] for row in trials.enroll]
    test = [trials.test_ids[row] for row in trials.test]
    return enroll, test


def _groups(folder: Path, spk: np.ndarray) -> dict[str, np.ndarray]:
    """Group trials by sex, and by age where the data say it: both sides alike."""
    groups = {}
    if (folder / "spk2gender").exists():
        sex = read_table(folder / "spk2gender")
        names = {"f": "women and girls", "m": "men and boys"}
        for letter, name in names.items():
            members = {x for x, value in sex.items() if value == letter}
            groups[name] = _both(spk, members)
    if (folder / "spk2age").exists():
        table = read_table(folder / "spk2age")
        try:
            ages = {x: parse_finite(age) for x, age in table.items()}
        except ValueError as error:
            raise DataError(folder / "spk2age", str(error)) from None
        adults = {x for x, age in ages.items() if age >= 18}
        groups["adults"] = _both(spk, adults)
        groups["children"] = _both(spk, set(ages) - adults)
    return groups


def _both(spk: np.ndarray, members: set[str]) -> np.ndarray:
    """(N, 2) speakers -> (N,) whether both are members."""
    found: Any = np.isin(spk, sorted(members)).all(axis=1)
    return np.asarray(found)


def _footprint(model: Networked, path: Path, graph: Exported) -> Mapping[str, Any]:
    """Measure a graph."""
    return measure(model, path, len(graph.content))


def _write_json(path: Path, content: Any) -> None:
    """Write JSON, atomically."""
    with write_atomic(path) as stream:
        json.dump(content, stream, indent=2, ensure_ascii=False, sort_keys=True)
