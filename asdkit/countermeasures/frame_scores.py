"""Scores of single frames, of a network that was trained to tell them apart."""

from __future__ import annotations

from pathlib import Path

from asdkit.base.ranges import Natural
from asdkit.batches.batches import ExtractionBatches
from asdkit.countermeasures.loading import load_countermeasure
from asdkit.io.ark import ArkWriter
from asdkit.io.tables import PathName
from asdkit.nnet.extraction import extract_frames


def score_frames(
    data_dir: PathName,
    path: PathName,
    out_dir: PathName,
    device: str = "cpu",
    max_frames: Natural = 0,
    num_workers: Natural = 0,
) -> Path:
    """Score every frame of a data directory with a network that embeds frames.

    Args:
        data_dir: with features like those of the training.
        path: what cm-train wrote.
        out_dir: gets frames.ark and frames.scp, (T,) scores of every utterance.
        device: where to compute.
        max_frames: maximum number of frames per batch, padding included; 0: as in
            training.
        num_workers: worker processes that prefetch batches.

    Returns:
        frames.scp.

    Raises:
        DataError: the file is missing, damaged or no countermeasure, or the data do
            not fit it.
        AsdkitError: the network does not embed single frames.
    """
    cm = load_countermeasure(path, device)
    config, network, loss = cm.feature_config, cm.network, cm.loss
    batches = ExtractionBatches(
        config.open_frames(config.read_cuts(data_dir), network.feat_dim),
        max_frames=max_frames or cm.max_frames,
        min_frames=network.min_frames,
        subtract_mean=config.subtract_mean,
        num_workers=num_workers,
    )
    origin = config.origin(data_dir)
    with ArkWriter(out_dir, "frames", origin=origin) as writer:
        for utt, scores in extract_frames(network, batches, device, loss.scores):
            writer[utt] = scores
    return writer.scp
