"""Inputs of calibration and fusion: scores of systems, and quality measures.

Read here from files and matched trial by trial, for training and for use alike.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from asdkit.backends.calibration import Calibration
from asdkit.backends.quality import measure_pairs
from asdkit.base.errors import DataError
from asdkit.base.numbers import parse_finite
from asdkit.data.agreement import require_agreement_of
from asdkit.data.scores import match_examined
from asdkit.io.score_formats import read_scores_of
from asdkit.io.store import load_model
from asdkit.io.tables import PathName, read_table
from asdkit.io.trials import Pairs, Trials, match_scores, write_scores
from asdkit.io.vectors import read_vectors

logger = logging.getLogger(__name__)
SIDES = ("smaller", "larger")  # the columns of a measure, see `measure_pairs`


def read_systems(
    paths: Sequence[PathName],
    pairs: Pairs | None = None,
    pairs_path: PathName = "",
) -> tuple[Pairs, np.ndarray]:
    """Read the scores that several systems give to the same trials.

    Args:
        paths: score files, one per system, their lines in any order, in any format of
            `asdkit.io.score_formats`.
        pairs: N trials to examine scores with, if they have a key; None for those of
            the first file.
        pairs_path: file of the pairs, for messages.

    Returns:
        the pairs, and (N, K) scores.

    Raises:
        DataError: a file lacks a pair, has one more, or a score is infinite.
    """
    columns = []
    for path in paths:
        scores = read_scores_of(pairs, path)
        infinite = np.flatnonzero(np.isinf(scores.values))
        if len(infinite):
            name = scores.name(int(infinite[0]))
            raise DataError(path, f"the score of {name!r} is infinite")
        if pairs is None:
            pairs, pairs_path = scores, path
        if isinstance(pairs, Trials):
            columns.append(match_examined(pairs, scores, pairs_path, path))
        else:
            columns.append(match_scores(pairs, scores, pairs_path, path))
    if pairs is None:
        raise ValueError("expected a score file or more")
    return pairs, np.stack(columns, axis=1)


def read_measures(
    measures: Mapping[str, str],
    pairs: Pairs,
    pairs_path: PathName,
    enroll_spk2utt: PathName | None = None,
) -> np.ndarray:
    """Read quality measures.

    Args:
        measures: Read quality measures.
        pairs: N trials.
        pairs_path: file of the pairs, for messages.
        enroll_spk2utt: utterances of enrolled models; None if they are utterances.

    Returns:
        (N, F) two columns per measure.

    Raises:
        DataError: an utterance or model has no measure, or it is not a number.
    """
    spk2utt = read_table(enroll_spk2utt) if enroll_spk2utt else {}
    columns = [np.empty((len(pairs), 0))]
    for name, source in measures.items():
        table = _read_measure(name, source)
        test = _find(pairs.test_ids, table, {}, source, pairs_path)
        enroll = _find(pairs.enroll_ids, table, spk2utt, source, pairs_path)
        columns.append(measure_pairs(name, enroll[pairs.enroll], test[pairs.test]))
    return np.hstack(columns)


def calibrate(
    model_path: PathName,
    score_paths: Sequence[PathName],
    measures: Mapping[str, str],
    enroll_spk2utt: PathName | None,
    llrs_path: PathName,
) -> None:
    """Turn the scores of one or more systems into LLRs, from files to a file.

    Args:
        model_path: model from calibration-train.
        score_paths: one file per system, in the order of the training.
        measures: quality measures, name -> file.
        enroll_spk2utt: see `read_measures`.
        llrs_path: where to write.

    Raises:
        DataError: the model was trained on another number of systems, on other
            measures, or on scores of quite another range, or an input is wrong.
    """
    model: Calibration = load_model(model_path, Calibration)
    if len(score_paths) != model.num_systems:
        raise DataError(
            model_path,
            f"expected scores of {model.num_systems} systems, got {len(score_paths)}",
            hint="score-calibrate is for one system, score-fuse for several",
        )
    if list(measures) != model.measures:
        expected, got = (", ".join(m) or "none" for m in (model.measures, measures))
        problem = f"expected the quality measures it was trained on, {expected}"
        raise DataError(model_path, f"{problem}; got {got}")
    pairs, scores = read_systems(score_paths)
    quality = read_measures(measures, pairs, score_paths[0], enroll_spk2utt)
    columns = np.hstack([scores, quality])
    _refuse_strangers(model, model_path, columns, [f"{path}" for path in score_paths])
    llrs = model.score(columns)
    write_scores(llrs_path, pairs, llrs)
    logger.info("calibration: %d llrs: mean = %.4g", len(llrs), llrs.mean())


def _refuse_strangers(
    model: Calibration, path: PathName, columns: np.ndarray, score_paths: Sequence[str]
) -> None:
    """Refuse scores that cannot come from the systems a model was trained on."""
    names = [*score_paths]
    for name in model.measures:
        names += [f"--{name.replace('_', '-')}, the {x} of both" for x in SIDES]
    far, odd = model.strangers(columns, names)
    # Of durations all may well be longer than in training.
    is_duration = [text.startswith("--duration") for text in far]
    odd += [text for text, is_it in zip(far, is_duration, strict=True) if is_it]
    far = [text for text, is_it in zip(far, is_duration, strict=True) if not is_it]
    for text in odd:
        logger.warning("%s: %s", path, text)
    if far:
        hint = "give the systems, in their order, that calibration-train was given"
        raise DataError(path, "; ".join(far), hint=hint)


def _read_measure(name: str, source: str) -> dict[str, float]:
    """Read a measure of every utterance."""
    if name == "magnitude":
        vectors = read_vectors(source)
        return dict(zip(vectors.keys, np.linalg.norm(vectors.x, axis=1), strict=True))
    table = {}
    texts = read_table(source)
    require_agreement_of(source, texts)
    for utt, text in texts.items():
        try:
            value = parse_finite(text)
        except ValueError:
            value = np.nan
        if not np.isfinite(value) or (name == "duration" and value <= 0):
            wanted = "a duration > 0" if name == "duration" else "a number"
            raise DataError(source, f"{utt!r}: expected {wanted}, got {text!r}")
        table[utt] = value
    return table


def _find(
    ids: Sequence[str],
    table: Mapping[str, float],
    spk2utt: Mapping[str, str],
    source: PathName,
    path: PathName,
) -> np.ndarray:
    """Look up M ids, or the means of their utterances: (M,)."""
    values = np.empty(len(ids))
    for i, name in enumerate(ids):
        utts = [name] if name in table else spk2utt.get(name, name).split()
        missing = [utt for utt in utts if utt not in table]
        if missing:
            raise DataError(source, f"nothing for {missing[0]!r}, which {path} names")
        values[i] = sum(table[utt] for utt in utts) / len(utts)
    return values
