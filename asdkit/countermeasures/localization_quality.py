"""Quality of spoof localization, and the tuning of its options."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from asdkit.base.errors import DataError
from asdkit.countermeasures.registry import LOCALIZERS
from asdkit.data.frame_segments import frame_times
from asdkit.data.supervisions import (
    attack_in,
    bonafide_frames,
    read_supervisions,
    spoofed_parts,
)
from asdkit.io.ark import read_arrays, read_scp
from asdkit.io.cm_scores import match_cm_scores, read_cm_scores
from asdkit.io.files import write_atomic
from asdkit.io.protocols import BONAFIDE
from asdkit.io.tables import PathName
from asdkit.metrics.eer import eer
from asdkit.metrics.segment_metrics import (
    Found,
    Interval,
    count_found,
    frame_eer,
    range_eer,
    time_in,
)
from asdkit.segmentation.segments import segments_of

logger = logging.getLogger(__name__)
Criterion = Literal["f1", "frame_eer", "range_eer", "utt_eer"]
OF_FRAMES = ("frame_eer", "range_eer")  # which need smoothed scores


class Quality(NamedTuple):
    """Quality of localization, all fractions.

    Attributes:
        frame_eer: equal error rate of frames; NaN without smoothed scores, as the next.
        range_eer: equal error rate of time.
        precision: of spoofed segments.
        recall: of spoofed segments.
        f1: harmonic mean of both.
        utt_eer: equal error rate of utterances; NaN where none is bona fide.
    """

    frame_eer: float
    range_eer: float
    precision: float
    recall: float
    f1: float
    utt_eer: float


class Localized(NamedTuple):
    """The localization of one utterance.

    Attributes:
        utt: its id.
        is_bonafide: (T,) bool.
        score: score of the utterance.
        smoothed: (T,) scores of frames; None where their error rates are not needed.
    """

    utt: str
    is_bonafide: np.ndarray
    score: float
    smoothed: np.ndarray | None = None


class ReferenceSegments(NamedTuple):
    """The reference of one utterance.

    Attributes:
        parts: spoofed parts, in seconds.
        is_bonafide: (T,) bool.
        bonafide_sec: (T,) bona fide time in frames.
        spoof_sec: (T,) spoofed time in frames.
        attack: attack, or "bonafide".
        duration: in seconds.
    """

    parts: list[Interval]
    is_bonafide: np.ndarray
    bonafide_sec: np.ndarray
    spoof_sec: np.ndarray
    attack: str
    duration: float


class LocalizationRater:
    """Rate localizers against the spoofed parts that a manifest marks.

    Args:
        data_dir: data directory whose manifest marks the spoofed parts.

    Raises:
        DataError: a manifest is missing or damaged.
    """

    def __init__(self, data_dir: PathName) -> None:
        self.data_dir = data_dir
        self._times = frame_times(data_dir)
        self._known = read_supervisions(data_dir)
        self._references: dict[str, ReferenceSegments] = {}

    def rate(self, found: Iterable[Localized]) -> Quality:
        """Compare localized utterances with the reference.

        Raises:
            DataError: an utterance is unknown or has not as many scores as frames, or
                nothing or all is spoofed.
        """
        items = list(found)
        references = [self._reference(item) for item in items]
        if not references:
            raise DataError(self.data_dir, "expected utterances, got none")
        bonafide_sec = np.concatenate(
            [reference.bonafide_sec for reference in references]
        )
        spoof_sec = np.concatenate([reference.spoof_sec for reference in references])
        if not spoof_sec.any() or not (bonafide_sec > 1e-9).any():
            problem = "expected spoofed and bona fide parts, got only one"
            raise DataError(self.data_dir, problem)
        rates = float("nan"), float("nan")
        smoothed = [item.smoothed for item in items if item.smoothed is not None]
        if smoothed:
            scores = np.concatenate(smoothed)
            is_bonafide = np.concatenate(
                [reference.is_bonafide for reference in references]
            )
            rates = (
                frame_eer(scores, is_bonafide),
                range_eer(scores, bonafide_sec, spoof_sec),
            )
        count = Found(0, 0, 0)
        for item, reference in zip(items, references, strict=True):
            count += count_found(reference.parts, self._parts(item, reference.duration))
        scores = np.array([item.score for item in items])
        whole = np.array([reference.attack == BONAFIDE for reference in references])
        return Quality(
            *rates,
            count.precision,
            count.recall,
            count.f1,
            eer(scores[whole], scores[~whole]) if whole.any() else float("nan"),
        )

    def _reference(self, item: Localized) -> ReferenceSegments:
        """Look up the reference of an utterance."""
        utt, num_frames = item.utt, len(item.is_bonafide)
        if utt not in self._references:
            if utt not in self._known:
                raise DataError(self.data_dir, f"{utt!r} is not in it")
            known = self._known[utt]
            edges = self._times.edges(num_frames, known.duration)
            parts = spoofed_parts(known)
            inside = time_in(edges[:-1], edges[1:], parts)
            self._references[utt] = ReferenceSegments(
                parts,
                bonafide_frames(known, self._times, num_frames) == 1,
                np.diff(edges) - inside,
                inside,
                attack_in(known),
                known.duration,
            )
        reference = self._references[utt]
        if item.smoothed is not None and len(item.smoothed) != num_frames:
            problem = f"{utt!r}: {len(item.smoothed)} scores for {num_frames} frames"
            raise DataError(self.data_dir, problem)
        return reference

    def _parts(self, item: Localized, duration: float) -> list[Interval]:
        """List the segments that are said to be spoofed."""
        num_frames = len(item.is_bonafide)
        return [
            self._times.seconds(segment, num_frames, duration)
            for segment in segments_of(item.is_bonafide)
            if not segment.label
        ]


def assess(data_dir: PathName, out_dir: PathName) -> Quality:
    """Rate the output of `asdkit.countermeasures.localization.localize`.

    Args:
        data_dir: data directory whose manifest marks the spoofed parts.
        out_dir: with smoothed.scp, bonafide.scp and scores.

    Raises:
        DataError: a file is missing or damaged, or nothing or all is spoofed.
    """
    judge = LocalizationRater(data_dir)
    scores_path, smoothed_path = f"{out_dir}/scores", f"{out_dir}/smoothed.scp"
    paths = dict(read_arrays(f"scp:{out_dir}/bonafide.scp"))
    smoothed = dict(read_arrays(f"scp:{smoothed_path}"))
    scores = match_cm_scores(
        [*smoothed], read_cm_scores(scores_path), smoothed_path, scores_path
    )
    found = []
    for (utt, values), score in zip(smoothed.items(), scores.tolist(), strict=True):
        if utt not in paths:
            raise DataError(out_dir, f"{utt!r} has no path")
        found.append(Localized(utt, paths[utt] > 0, score, values))
    return judge.rate(found)


class Point(NamedTuple):
    """A point of a grid.

    Attributes:
        options: of the method.
        quality: its quality.
    """

    options: dict[str, Any]
    quality: Quality


def sweep(
    data_dir: PathName,
    frames: PathName,
    method: str,
    grid: Mapping[str, Sequence[Any]],
    select: Criterion = "f1",
) -> list[Point]:
    """Try all combinations of options.

    Args:
        data_dir: development set with marked spoofed parts.
        frames: table (.scp) of (T,) scores of its frames.
        method: one of `LOCALIZERS`.
        grid: option -> values to try.
        select: selection criterion: F1 of spoofed segments, or an equal error rate.

    Returns:
        points, the best first; of those as good as each other the first that was tried.

    Raises:
        AsdkitError: k2 is not installed, and the method needs it.
        DataError: a file is missing or damaged, or nothing or all is spoofed.
    """
    from asdkit.countermeasures.localization import utterance_score
    from asdkit.vad.fsa_detectors import load_odds

    assert select in get_args(Criterion)
    judge, shift = LocalizationRater(data_dir), frame_times(data_dir).shift_sec
    scores = {utt: load_odds(utt, place) for utt, place in read_scp(frames).items()}
    values = list(scores.values())
    points = []
    for point in itertools.product(*grid.values()):
        options = dict(zip(grid, point, strict=True))
        localizer = LOCALIZERS[method](**options)
        localizer.prepare(shift)
        decided = localizer.decide(values)
        smoothed: Sequence[np.ndarray | None] = [None] * len(values)
        if select in OF_FRAMES:
            smoothed = localizer.smooth(values)
        means = map(utterance_score, values, decided)
        found = map(Localized, scores, decided, means, smoothed)
        points.append(Point(options, judge.rate(found)))
        rate = getattr(points[-1].quality, select)
        if np.isnan(rate):
            raise DataError(data_dir, "expected bona fide utterances, too, for utt_eer")
        logger.debug("localizer: %s: %s = %.4f", options, select, rate)
    sign = -1 if select == "f1" else 1
    return sorted(points, key=lambda point: sign * getattr(point.quality, select))


def write_conf(
    path: PathName, method: str, best: Point, select: Criterion, data_dir: PathName
) -> None:
    """Write the options of a point as a file that cm-localize takes as --config."""
    rate = 100 * getattr(best.quality, select)
    with write_atomic(path) as stream:
        stream.write(f"--method={method}  # {select} {rate:.2f} % on {data_dir}\n")
        for name, value in best.options.items():
            stream.write(f"--{name.replace('_', '-')}={value}\n")
