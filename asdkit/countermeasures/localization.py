"""Where an utterance is spoofed: scores of frames, segments, and what follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from asdkit.base.distributed import gather, is_main, share
from asdkit.base.errors import DataError
from asdkit.base.ranges import Natural, NonNegative, Positive
from asdkit.data.batches import ExtractionBatches
from asdkit.data.cuts import read_cuts
from asdkit.data.frame_labels import bonafide_frames, spoofed_parts
from asdkit.data.frame_segments import frame_times, write_segments
from asdkit.data.networks import load_network
from asdkit.data.sources import FeatureSource
from asdkit.data.vad import read_batches
from asdkit.data.vad_fsa import load_odds
from asdkit.io.ark import ArkWriter, read_arrays, read_scp
from asdkit.io.cm_scores import write_cm_scores
from asdkit.io.protocols import BONAFIDE
from asdkit.io.rttm import read_rttm
from asdkit.io.tables import PathName
from asdkit.losses.classification import ClassificationLoss
from asdkit.metrics.segments import Found, count_found, frame_eer, range_eer, time_in
from asdkit.segmentation.binary import BinarySegmenter
from asdkit.segmentation.segments import segments_of

NAMES = {0: "spoof", 1: BONAFIDE}


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
        max_frames: in a batch; 0 for as many as in the training.
        num_workers: processes that make batches ahead.

    Returns:
        frames.scp.

    Raises:
        DataError: the file is missing, damaged or no countermeasure, or the data do
            not fit it.
        AsdkitError: the network does not embed single frames.
    """
    trained = load_network(path)
    loss, network = trained.loss.to(device), trained.network.to(device)
    if trained.options["classes"] != ["spoof", BONAFIDE]:
        raise DataError(path, "expected a countermeasure", hint="cm-train makes one")
    assert isinstance(loss, ClassificationLoss)
    source = FeatureSource(**trained.options["features"])
    data = trained.options["data"]
    batches = ExtractionBatches(
        source.open_lane(source.read_cuts(data_dir), network.feat_dim),
        max_frames=max_frames or data["batch_size"] * data["chunk_frames"],
        min_frames=network.min_frames,
        subtract_mean=source.subtract_mean,
        num_workers=num_workers,
    )
    with ArkWriter(out_dir, "frames") as writer, torch.inference_mode():
        for batch in batches:
            feats = batch.feats.to(device)
            embeddings, lengths = network.embed_frames(feats, batch.num_frames)
            scores = loss.scores(embeddings.float().flatten(0, 1))
            table = scores.view(embeddings.shape[:2]).cpu().numpy()
            sizes = zip(batch.num_frames.tolist(), lengths.tolist(), strict=True)
            for utt, row, (whole, few) in zip(batch.utts, table, sizes, strict=True):
                writer[utt] = stretch(row[:few], whole)
    return writer.scp


def stretch(scores: np.ndarray, num_frames: int) -> np.ndarray:
    """Give every frame the score of the one that stands for it: (T',) -> (T,)."""
    place = (np.arange(num_frames) + 0.5) * len(scores) / num_frames
    return scores[place.astype(int)]


@dataclass
class Localizer:
    """Decide which segments are spoofed.

    Args:
        min_spoof_sec: the shortest spoof, but for what a recording cuts off.
        min_bonafide_sec: the shortest bona fide speech.
        change_cost: of every change between the two, in nats.
        threshold: score of a frame that might be either.
        score_scale: of what scores are above it, before costs are subtracted.
    """

    min_spoof_sec: Positive = 0.1
    min_bonafide_sec: Positive = 0.1
    change_cost: NonNegative = 3.0
    threshold: float = 0.0
    score_scale: Positive = 0.2

    def localize(self, data_dir: PathName, frames: PathName, out_dir: PathName) -> None:
        """Write the segments and a score of every utterance.

        An utterance's score is the mean of its frames' in that segment of the path
        where it is least: one spoofed segment makes a spoof.

        Args:
            data_dir: with manifests.
            frames: table (.scp) of (T,) scores of frames, higher for bona fide.
            out_dir: gets bonafide.scp, vectors of 0 and 1, rttm and segments.jsonl.gz,
                and scores.

        Raises:
            AsdkitError: k2 is not installed.
            DataError: a score is missing or not finite.
        """
        shift = frame_times(data_dir).shift_sec
        shortest = (self.min_spoof_sec, self.min_bonafide_sec)
        spoof, bonafide = (max(1, round(sec / shift)) for sec in shortest)
        segmenter = BinarySegmenter(
            (spoof, bonafide), self.change_cost, self.score_scale, -self.threshold
        )
        table = read_scp(frames)
        with ArkWriter(out_dir, "bonafide") as writer:
            scores = gather(list(table), _decide(table, segmenter, writer))
        if is_main():
            paths = read_arrays(f"scp:{writer.scp}")
            classes = ((utt, path.astype(int)) for utt, path in paths)
            files = f"{out_dir}/rttm", f"{out_dir}/segments.jsonl.gz"
            write_segments(data_dir, classes, NAMES, *files)
            values = np.array(list(scores.values()))
            write_cm_scores(f"{out_dir}/scores", list(scores), values)


def _decide(
    table: Mapping[str, str], segmenter: BinarySegmenter, writer: ArkWriter
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Write the paths of this rank's utterances; yield ids and the least means."""
    for utts, scores in read_batches(share(list(table.items())), load=load_odds):
        means = []
        for utt, values, path in zip(
            utts, scores, segmenter.decide(scores), strict=True
        ):
            writer[utt] = path.astype(np.float32)
            means.append(
                min(values[x.start : x.stop].mean() for x in segments_of(path))
            )
        yield utts, np.array(means)


class Quality(NamedTuple):
    """How well spoofed parts are found, all fractions.

    Attributes:
        frame_eer: equal error rate of frames.
        range_eer: equal error rate of time.
        precision: of spoofed segments.
        recall: of spoofed segments.
        f1: harmonic mean of both.
    """

    frame_eer: float
    range_eer: float
    precision: float
    recall: float
    f1: float


def assess(data_dir: PathName, out_dir: PathName) -> Quality:
    """Compare what `score_frames` and `Localizer` wrote with the truth.

    Args:
        data_dir: whose manifests know which parts are spoofed.
        out_dir: with frames.scp and rttm.

    Raises:
        DataError: a file is missing, or nothing or all is spoofed.
    """
    times, turns = frame_times(data_dir), read_rttm(f"{out_dir}/rttm")
    cuts = {cut.id: cut for cut in read_cuts(data_dir, features=False)}
    scores, labels, durations, spoofed = [], [], [], []
    count = Found(0, 0, 0)
    for utt, values in read_arrays(f"scp:{out_dir}/frames.scp"):
        if utt not in cuts:
            raise DataError(data_dir, f"{utt!r} is not in it")
        cut, num_frames = cuts[utt], len(values)
        edges = times.edges(num_frames, cut.duration)
        true = spoofed_parts(cut)
        scores.append(values)
        labels.append(bonafide_frames(cut, times, num_frames))
        durations.append(np.diff(edges))
        spoofed.append(time_in(edges[:-1], edges[1:], true))
        found = [
            (turn.start - cut.start, turn.start + turn.duration - cut.start)
            for turn in turns.get(cut.recording.id, [])
            if turn.label == NAMES[0] and cut.start <= turn.start < cut.end
        ]
        count += count_found(true, found)
    flat, inside = np.concatenate(scores), np.concatenate(spoofed)
    outside = np.concatenate(durations) - inside
    if not inside.any() or not (outside > 1e-9).any():
        raise DataError(data_dir, "expected spoofed and bona fide parts, got only one")
    return Quality(
        frame_eer(flat, np.concatenate(labels) == 1),
        range_eer(flat, outside, inside),
        count.precision,
        count.recall,
        count.f1,
    )
