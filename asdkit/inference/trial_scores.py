"""Scores of trials by a trained model, from the audio of a data directory."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.progress import watch
from asdkit.data.cuts import read_cuts
from asdkit.inference.trained_model import TrainedModel
from asdkit.io.tables import PathName
from asdkit.io.trials import read_pairs, write_scores

logger = logging.getLogger(__name__)
BATCH = 32  # recordings to embed at a time; a bad one is then looked for


def score_trials(
    model: TrainedModel, data_dir: PathName, trials: PathName, scores: PathName
) -> None:
    """Embed the utterances of trials, each once, and score all pairs.

    Args:
        model: anything from `asdkit.load` that embeds and compares recordings.
        data_dir: with the audio of both sides.
        trials: ``<enroll> <test> <key>`` lines; keys are not looked at.
        scores: file to write, ``<enroll> <test> <score>`` lines.

    Raises:
        AsdkitError: the model does not compare speakers.
        DataError: an utterance is not in the data directory, or the model refuses some,
            e.g. for too little speech.
    """
    pairs = read_pairs(trials)
    cuts = {cut.id: cut for cut in read_cuts(data_dir, features=False)}
    wanted = sorted({*pairs.enroll_ids, *pairs.test_ids})
    if missing := [utt for utt in wanted if utt not in cuts]:
        problem = f"{len(missing)} of {len(wanted)} utterances are not in {data_dir}"
        raise DataError(trials, f"{problem}: {missing[0]!r}, ...")
    row_of = {utt: row for row, utt in enumerate(wanted)}
    x = np.stack(_embed(model, Path(data_dir), [cuts[utt] for utt in wanted]))
    enroll, test = (
        np.array([row_of[utt] for utt in ids])[rows]
        for ids, rows in (
            (pairs.enroll_ids, pairs.enroll),
            (pairs.test_ids, pairs.test),
        )
    )
    values = model.score_trials(x, x, enroll, test)
    write_scores(scores, pairs, values)
    logger.info("trials-score: %d trials of %d utterances", len(pairs), len(wanted))


def _embed(model: TrainedModel, data_dir: Path, cuts: list[Any]) -> list[np.ndarray]:
    """Embed N cuts; (E,) each.

    Raises:
        DataError: the model refuses some of them; it says how many.
    """
    found: list[np.ndarray] = []
    refused: list[tuple[str, AsdkitError]] = []
    batches = [cuts[at : at + BATCH] for at in range(0, len(cuts), BATCH)]
    for batch in watch(batches, len(batches), "trials-score"):
        try:
            found += list(model.embed_many(batch))
        except AsdkitError:
            for cut in batch:
                try:
                    found.append(model.embed(cut))
                except AsdkitError as error:
                    refused.append((cut.id, error))
    if refused:
        utt, why = refused[0]
        text = f"{model.what} refuses {len(refused)} of {len(cuts)} utterances"
        hint = "leave them out of the trials, e.g. with data-subset --utt-list"
        raise DataError(data_dir, f"{text}, first {utt!r}: {why}", hint=hint)
    return found
