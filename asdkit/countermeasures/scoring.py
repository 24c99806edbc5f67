"""Scores of the utterances of a data directory, whatever the countermeasure is."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from asdkit.base.distributed import gather, is_main
from asdkit.base.errors import DataError
from asdkit.base.ranges import Natural
from asdkit.batches.batches import ExtractionBatches
from asdkit.batches.crops import Crop, CroppedFrames
from asdkit.countermeasures.loading import load_countermeasure
from asdkit.data.cuts import attack_of
from asdkit.distillation.adversarial import Adversary, attack_batches
from asdkit.io.cm_scores import write_cm_scores
from asdkit.io.origins import Origin, describe, digest_file, note_origin
from asdkit.io.protocols import BONAFIDE
from asdkit.io.tables import PathName, read_table
from asdkit.nnet.extraction import PaddedBatch, extract

logger = logging.getLogger(__name__)

Parts = Iterable[tuple[list[str], np.ndarray]]


def score_network(
    data_dir: PathName,
    path: PathName,
    device: str = "cpu",
    features: Literal["stored", "audio"] | None = None,
    crop: Crop | None = None,
    max_frames: Natural = 0,
    num_workers: Natural = 0,
    adversary: Adversary | None = None,
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Score this rank's share of the utterances with a network.

    Args:
        data_dir: data directory with audio, or with features like the training's.
        path: network.pt of cm-train.
        device: device to compute on.
        features: read feats.scp or compute features; None: as in training.
        crop: part of an utterance to score; None: as for the dev error.
        max_frames: maximum number of frames in a batch; 0: as in training, or
            on a CPU fewer samples.
        num_workers: worker processes that prefetch batches.
        adversary: attack on the features before they are scored; None: no attack.

    Yields:
        N ids and their (N,) scores; higher means bona fide.

    Raises:
        DataError: the file is missing, damaged or no countermeasure, or the data do not
            fit it.
        AsdkitError: the model does not say how to compute its features.
    """
    cm = load_countermeasure(path, device, features)
    config, network, loss = cm.feature_config, cm.network, cm.loss
    cuts = config.read_cuts(data_dir)
    trials = CroppedFrames(
        config.open_frames(cuts, network.feat_dim),
        crop or cm.crop,
        cm.chunk_frames,
        network.min_frames,
    )
    batches: Iterable[PaddedBatch] = ExtractionBatches(
        trials,
        max_frames=max_frames or cm.max_frames,
        subtract_mean=config.subtract_mean,
        num_workers=num_workers,
    )
    if adversary is not None:
        labels = {cut.id: int(attack_of(cut) == BONAFIDE) for cut in trials.cuts}
        batches = attack_batches(network, loss, batches, labels, adversary, device)
    yield from extract(network, batches, device, loss.scores)


def origin_of_scores(
    data_dir: PathName, path: PathName, options: Mapping[str, Any]
) -> Origin:
    """Say what scores are made of: audio, a network, and options, as JSON has them."""
    of = {**describe(data_dir), "options": json.dumps(options, sort_keys=True)}
    if Path(path).exists():
        of["network"] = digest_file(path)
    return Origin(str(data_dir), of, {})


def write_scores(
    path: PathName, data_dir: PathName, parts: Parts, origin: Origin | None = None
) -> None:
    """Write the scores that all ranks compute, in the order of utt2spk.

    Args:
        path: the score file.
        data_dir: whose utterances these are.
        parts: of this rank, see `score_network`.
        origin: what they are made of, if that is to be noted.

    Raises:
        DataError: a score is not finite, or more utterances have none than have one.
    """
    utts = list(read_table(Path(data_dir) / "utt2spk"))
    scores = gather(utts, parts)
    values = np.array(list(scores.values()))
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values)))
        raise DataError(path, f"the score of {list(scores)[row]!r} is {values[row]}")
    lacking = [utt for utt in utts if utt not in scores]
    if lacking:
        text = f"{len(lacking)} of {len(utts)} utterances have no score, "
        text += f"e.g. {lacking[0]!r}"
        if len(lacking) > len(scores):
            raise DataError(data_dir, text)
        logger.warning("cm-score: %s: %s", data_dir, text)
    if is_main():
        write_cm_scores(path, list(scores), values)
        note_origin(path, origin)
    logger.info("cm-score: %s: %d scores", path, len(scores))
