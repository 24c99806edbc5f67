"""Error rates of a graph on trials, beside those of its float form.

The float form gives what the training path gives: it has passed the gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from asdkit.backends.cosine import Cosine
from asdkit.backends.pipeline import Pipeline
from asdkit.base.answers import Cell, Table, number
from asdkit.base.errors import AsdkitError, DataError
from asdkit.data.cuts import read_cuts
from asdkit.inference.embedders import NetworkEmbedder
from asdkit.inference.export import Exported
from asdkit.inference.onnx_model import OnnxModel
from asdkit.inference.quantization import Int8
from asdkit.inference.recordings import read_recording
from asdkit.inference.trained_model import TrainedModel
from asdkit.io.store import load_object
from asdkit.io.tables import PathName
from asdkit.io.trials import Trials, read_trials
from asdkit.metrics.eer import eer

MAX_LOSS, MAX_SHARE = 0.02, 0.27  # relative, of the error rate; of the size


class TrialSet(NamedTuple):
    """Trials, and what they are embedded and compared with.

    Attributes:
        model: its features are those of the graphs.
        trials: N pairs of utterances.
        cuts: (U,) recordings of all utterances, by id.
        pipeline: compares embeddings.
        path: file of the trials, for messages.
    """

    model: NetworkEmbedder
    trials: Trials
    cuts: Mapping[str, Any]
    pipeline: Pipeline
    path: PathName

    @classmethod
    def read(
        cls,
        model: TrainedModel,
        trials_path: PathName | None,
        data_dir: PathName | None,
        backend: PathName | None = None,
    ) -> TrialSet:
        """Read trials, and find the recordings of their utterances.

        Args:
            model: a network of speakers.
            trials_path: ``<enroll> <test> target|nontarget``, both sides utterances.
            data_dir: with their recordings.
            backend: compares embeddings; None: their cosine.

        Raises:
            AsdkitError: it is another model, or one of the paths is missing.
            DataError: a file is damaged, or an utterance has no recording.
        """
        if trials_path is None or data_dir is None:
            raise AsdkitError("--trials and --data belong together")
        if not isinstance(model, NetworkEmbedder):
            problem = f"--trials compares speakers, and this is {model.what}"
            raise AsdkitError(f"{model.path}: {problem}")
        trials = read_trials(trials_path)
        if trials.is_target.all() or not trials.is_target.any():
            raise DataError(trials_path, "expected target and nontarget trials")
        cuts = {cut.id: cut for cut in read_cuts(data_dir, features=False)}
        for utt in (*trials.enroll_ids, *trials.test_ids):
            if utt not in cuts:
                problem = f"{utt!r} has no recording in {Path(data_dir)}"
                raise DataError(trials_path, problem)
        pipeline = Pipeline([Cosine()])
        if backend is not None:
            pipeline = load_object(backend, Pipeline)
            if pipeline.input_dim not in (None, model.embedding_dim):
                problem = f"it takes embeddings of {pipeline.input_dim} numbers"
                raise DataError(backend, f"{problem}, not {model.embedding_dim}")
        return cls(model, trials, cuts, pipeline, trials_path)


def error_rates(graphs: Mapping[str, OnnxModel], trials: TrialSet) -> dict[str, float]:
    """Compute the equal error rate that each of several graphs has, as a fraction."""
    utts = sorted({*trials.trials.enroll_ids, *trials.trials.test_ids})
    found: dict[str, list[np.ndarray]] = {name: [] for name in graphs}
    rate = trials.model.front_end.sampling_rate
    for utt in utts:
        audio = trials.cuts[utt]
        frames = None
        for name, graph in graphs.items():
            if graph.form == "waveform":
                samples = read_recording(audio, rate).samples
                row = graph.run([samples])[0][0]
            else:
                if frames is None:
                    (prepared,) = trials.model._prepare([audio])
                    frames = prepared.frames[None]
                row = graph.run_features(frames)[0]
            found[name].append(row)
    return {
        name: error_rate_of(dict(zip(utts, rows, strict=True)), trials)
        for name, rows in found.items()
    }


def error_rate_of(embeddings: Mapping[str, np.ndarray], trials: TrialSet) -> float:
    """Compute the equal error rate of (E,) embeddings by utterance, as a fraction."""
    row_of = {utt: row for row, utt in enumerate(embeddings)}
    sides = [
        np.array([row_of[utt] for utt in ids])[rows]
        for ids, rows in (
            (trials.trials.enroll_ids, trials.trials.enroll),
            (trials.trials.test_ids, trials.trials.test),
        )
    ]
    x = np.stack([*embeddings.values()]).astype(np.float64)
    n = np.ones(len(x), dtype=np.int64)
    scores = trials.pipeline.score_trials(x, n, x, *sides)
    is_target = trials.trials.is_target
    return float(eer(scores[is_target], scores[~is_target]))


def error_table(exported: Exported, int8: Int8, trials: TrialSet) -> Table:
    """Compare a graph with its float form: size, and equal error rate on trials."""
    contents = {"float": exported.float_content}
    if int8 != "none":
        contents[f"int8, {int8}"] = exported.content
    rates = error_rates({k: OnnxModel(x) for k, x in contents.items()}, trials)
    base = rates["float"]
    rows: list[list[Cell | str]] = []
    losses, shares = [], []
    for name, content in contents.items():
        share = len(content) / exported.float_bytes
        loss = (rates[name] - base) / base if base else 0.0
        rows.append(
            [
                name,
                number(len(content) / 1e6, ".3f"),
                number(share, ".3f"),
                number(100 * rates[name], ".2f"),
                number(100 * loss, "+.1f"),
            ]
        )
        losses.append(loss)
        shares.append(share)
    titles = ["graph", "MB", "of the size", "EER %", "relative loss %"]
    notes = [f"{len(trials.trials):,} trials, {trials.path}."]
    if int8 != "none":
        notes.append(_goal(losses[-1], shares[-1]))
    return Table(titles, rows, notes=notes)


def _goal(loss: float, share: float) -> str:
    """Say whether 8 bits are worth it."""
    missed = []
    if loss >= MAX_LOSS:
        missed.append(f"the loss is {100 * loss:.1f} %")
    if share > MAX_SHARE:
        missed.append(f"the size is {share:.3f} of it")
    goal = f"less than {100 * MAX_LOSS:g} % loss at {MAX_SHARE:g} of the size or less"
    return f"Goal, {goal}: " + (
        f"missed, {' and '.join(missed)}." if missed else "met."
    )
