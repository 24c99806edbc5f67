"""Spoof localization: frame scores to spoofed segments.

Methods are the best path through an acceptor, which needs k2, and two baselines: a
threshold, alone or after a median filter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from asdkit.base.distributed import gather, is_main, share
from asdkit.base.ranges import NonNegative, Positive
from asdkit.data.frame_segments import frame_times, write_segments
from asdkit.io.ark import ArkWriter, read_arrays, read_scp
from asdkit.io.cm_scores import write_cm_scores
from asdkit.io.origins import check_origin
from asdkit.io.protocols import BONAFIDE
from asdkit.io.tables import PathName
from asdkit.segmentation.binary import BinarySegmenter
from asdkit.segmentation.segments import segments_of
from asdkit.vad.detection import read_batches
from asdkit.vad.fsa_detectors import load_odds

NAMES = {0: "spoof", 1: BONAFIDE}


class Localizer(Protocol):
    """Decides which frames are spoofed, for many utterances at once."""

    def prepare(self, shift_sec: float) -> None:
        """Set the time between frames."""

    def decide(self, scores: Sequence[np.ndarray]) -> list[np.ndarray]:
        """N times (T,) scores -> N times (T,) bool, True for bona fide."""

    def smooth(self, scores: Sequence[np.ndarray]) -> list[np.ndarray]:
        """N times (T,) scores -> N times (T,) scores smoothed over time."""


@dataclass
class FsaLocalizer:
    """Best path through an acceptor; see `asdkit.segmentation.fsa`.

    Smoothed scores are log odds of bona fide speech given all paths there are.

    Args:
        min_spoof_sec: shortest spoofed segment in seconds, except at the ends of a
            recording.
        min_bonafide_sec: shortest bona fide segment in seconds, except at the ends of a
            recording.
        change_cost: cost of switching between spoofed and bona fide speech, in nats.
        threshold: score above which a frame is bona fide.
        score_scale: scale of the scores, minus the threshold, before costs are
            subtracted.
    """

    min_spoof_sec: Positive = 0.1
    min_bonafide_sec: Positive = 0.1
    change_cost: NonNegative = 3.0
    threshold: float = 0.0
    score_scale: Positive = 0.2

    def prepare(self, shift_sec: float) -> None:
        """Make the acceptor.

        Raises:
            AsdkitError: k2 is not installed.
        """
        shortest = (self.min_spoof_sec, self.min_bonafide_sec)
        spoof, bonafide = (max(1, round(sec / shift_sec)) for sec in shortest)
        self._segmenter = BinarySegmenter(
            (spoof, bonafide), self.change_cost, self.score_scale, -self.threshold
        )

    def decide(self, scores: Sequence[np.ndarray]) -> list[np.ndarray]:
        """N times (T,) scores -> N times (T,) bool."""
        return self._segmenter.decide(scores)

    def smooth(self, scores: Sequence[np.ndarray]) -> list[np.ndarray]:
        """N times (T,) scores -> N times (T,) log odds."""
        return self._segmenter.posterior_odds(scores)


@dataclass
class MedianLocalizer:
    """Median of the scores around a frame, against a threshold.

    Args:
        filter_sec: length of the median filter in seconds.
        threshold: score above which a frame is bona fide.
    """

    filter_sec: Positive = 0.3
    threshold: float = 0.0

    def prepare(self, shift_sec: float) -> None:
        """Choose the filter length in frames, an odd number."""
        self._num_frames = 2 * round(self.filter_sec / shift_sec / 2) + 1

    def decide(self, scores: Sequence[np.ndarray]) -> list[np.ndarray]:
        """N times (T,) scores -> N times (T,) bool."""
        return [x > self.threshold for x in self.smooth(scores)]

    def smooth(self, scores: Sequence[np.ndarray]) -> list[np.ndarray]:
        """N times (T,) scores -> N times (T,) medians."""
        from scipy.ndimage import median_filter

        return [median_filter(x, self._num_frames, mode="nearest") for x in scores]


@dataclass
class ThresholdLocalizer:
    """Independent decision on every frame.

    Args:
        threshold: score above which a frame is bona fide.
    """

    threshold: float = 0.0

    def prepare(self, shift_sec: float) -> None:
        """Do nothing: a frame's decision needs no neighbors."""

    def decide(self, scores: Sequence[np.ndarray]) -> list[np.ndarray]:
        """N times (T,) scores -> N times (T,) bool."""
        return [x > self.threshold for x in scores]

    def smooth(self, scores: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Leave scores as they are."""
        return list(scores)


def localize(
    data_dir: PathName, frames: PathName, out_dir: PathName, localizer: Localizer
) -> None:
    """Write segments, smoothed frame scores and a score for every utterance.

    Args:
        data_dir: with manifests.
        frames: table (.scp) of (T,) frame scores, higher for bona fide.
        out_dir: directory for bonafide.scp, vectors of 0 and 1, smoothed.scp, rttm and
            segments.jsonl.gz, and scores.
        localizer: localizer to apply.

    Raises:
        AsdkitError: k2 is not installed, and the localizer needs it.
        DataError: a score is missing or not finite.
    """
    localizer.prepare(frame_times(data_dir).shift_sec)
    table, origin = read_scp(frames), check_origin(frames)
    with (
        ArkWriter(out_dir, "bonafide", origin=origin) as paths,
        ArkWriter(out_dir, "smoothed", origin=origin) as soft,
    ):
        scores = gather(list(table), _decide(table, localizer, paths, soft))
    if is_main():
        decided = read_arrays(f"scp:{paths.scp}")
        classes = ((utt, path.astype(int)) for utt, path in decided)
        files = f"{out_dir}/rttm", f"{out_dir}/segments.jsonl.gz"
        write_segments(data_dir, classes, NAMES, *files)
        values = np.array(list(scores.values()))
        write_cm_scores(f"{out_dir}/scores", list(scores), values)


def utterance_score(scores: np.ndarray, is_bonafide: np.ndarray) -> float:
    """Return the mean score of the segment of a path with the lowest.

    One spoofed segment makes a spoof, whatever is around it.

    Args:
        scores: (T,) of frames.
        is_bonafide: (T,) bool.
    """
    segments = segments_of(is_bonafide)
    return float(min(scores[x.start : x.stop].mean() for x in segments))


def _decide(
    table: Mapping[str, str], localizer: Localizer, paths: ArkWriter, soft: ArkWriter
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Write the paths of this rank's utterances; yield ids and scores."""
    for utts, scores in read_batches(share(list(table.items())), load=load_odds):
        decided, smoothed = localizer.decide(scores), localizer.smooth(scores)
        for utt, path, values in zip(utts, decided, smoothed, strict=True):
            paths[utt] = path.astype(np.float32)
            soft[utt] = values
        yield utts, np.array(list(map(utterance_score, scores, decided)))
