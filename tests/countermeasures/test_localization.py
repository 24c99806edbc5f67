"""Localization of partial spoofs, from scores of frames that are drawn."""

import itertools
import sys

import numpy as np
import pytest

from asdkit.countermeasures.localization import (
    FsaLocalizer,
    MedianLocalizer,
    ThresholdLocalizer,
    localize,
    utterance_score,
)
from asdkit.countermeasures.localization_quality import (
    assess,
)
from asdkit.countermeasures.registry import LOCALIZERS
from asdkit.io.ark import read_arrays
from asdkit.io.rttm import read_rttm
from asdkit.io.tables import read_table
from asdkit.segmentation.fsa import SOFT_BEAM

SPOOFED_SEC = [0.5, 1.0]  # of every second utterance, as in the fixture


def run(localizer):
    localize("data", "exp/frames.scp", "exp", localizer)


@pytest.mark.k2
def test_structure_finds_the_spoofed_segment(partial_corpus):
    run(FsaLocalizer())
    turns = read_rttm("exp/rttm")
    for n, utt in enumerate(partial_corpus):
        spoofs = [turn for turn in turns[utt] if turn.label == "spoof"]
        assert len(spoofs) == n % 2
        for turn in spoofs:
            assert turn.start == pytest.approx(SPOOFED_SEC[0], abs=0.05)
            assert turn.start + turn.duration == pytest.approx(SPOOFED_SEC[1], abs=0.05)
        assert sum(turn.duration for turn in turns[utt]) == pytest.approx(2, abs=0.01)
    quality = assess("data", "exp")
    assert quality[2:] == (1, 1, 1, 0)
    assert quality.frame_eer < 0.05  # where single frames have more than 10 %
    assert quality.range_eer == pytest.approx(quality.frame_eer, abs=0.02)


@pytest.mark.parametrize("method", ["threshold", "median"])
def test_single_frames_and_medians_need_no_k2(partial_corpus, monkeypatch, method):
    monkeypatch.setitem(sys.modules, "k2", None)
    run(LOCALIZERS[method]())
    quality = assess("data", "exp")
    limits = {"threshold": (0.1, 0.25), "median": (0.01, 0.06)}[method]
    assert limits[0] < quality.frame_eer < limits[1]
    assert quality.range_eer == pytest.approx(quality.frame_eer, abs=0.02)
    assert quality.recall == 1 if method == "median" else quality.f1 < 0.1


def test_a_median_is_of_what_is_around(partial_corpus):
    """The definition, frame by frame; an end stands for what is beyond it."""
    scores = dict(read_arrays("scp:exp/frames.scp"))["u1"]
    localizer = MedianLocalizer(filter_sec=0.1, threshold=0.5)
    localizer.prepare(0.01)
    padded = np.pad(scores, 5, mode="edge")
    expected = [np.median(padded[t : t + 11]) for t in range(len(scores))]
    (smoothed,), (path,) = localizer.smooth([scores]), localizer.decide([scores])
    np.testing.assert_allclose(smoothed, expected, rtol=1e-6)
    np.testing.assert_array_equal(path, np.array(expected) > 0.5)


@pytest.mark.k2
def test_smoothed_scores_are_log_odds_of_all_paths():
    """Enumerated for five frames, where a change costs 1 and spoofs last two frames."""
    localizer = FsaLocalizer(
        min_spoof_sec=0.02,
        min_bonafide_sec=0.01,
        change_cost=1.0,
        threshold=0.5,
        score_scale=0.3,
    )
    localizer.prepare(0.01)
    scores = np.array([1.0, -2.0, 0.3, -1.0, 4.0])
    total = np.zeros((2, 5))
    for path in itertools.product((0, 1), repeat=5):
        runs = [(c, len(list(run))) for c, run in itertools.groupby(path)]
        if all(length >= 2 for c, length in runs[1:-1] if c == 0):
            odds = 0.3 * (scores - 0.5) @ np.array(path)
            weight = np.exp(odds - (len(runs) - 1))
            total[np.array(path), np.arange(5)] += weight
    (smoothed,) = localizer.smooth([scores])
    np.testing.assert_allclose(smoothed, np.log(total[1] / total[0]), atol=1e-4)


@pytest.mark.k2
def test_certain_frames_have_finite_scores():
    localizer = FsaLocalizer(score_scale=1.0)
    localizer.prepare(0.01)
    (smoothed,) = localizer.smooth([np.repeat([400.0, -400.0], 50)])
    assert np.abs(smoothed).max() <= SOFT_BEAM + 1e-4
    np.testing.assert_array_equal(smoothed > 0, np.arange(100) < 50)


def test_an_utterance_is_as_spoofed_as_its_worst_segment():
    scores = np.array([3.0, 1.0, -1.0, -2.0, 5.0])
    assert utterance_score(scores, np.array([1, 1, 0, 0, 1]) > 0) == -1.5
    assert utterance_score(scores, np.ones(5, bool)) == pytest.approx(1.2)


@pytest.mark.k2
def test_scores_of_utterances_follow_the_path(partial_corpus):
    run(FsaLocalizer())
    scores = {utt: float(x) for utt, x in read_table("exp/scores").items()}
    frames = dict(read_arrays("scp:exp/frames.scp"))
    for utt, path in read_arrays("scp:exp/bonafide.scp"):
        expected = utterance_score(frames[utt], path > 0)
        assert scores[utt] == pytest.approx(expected, abs=1e-5)


@pytest.mark.k2
def test_a_threshold_moves_decisions(partial_corpus):
    shares = []
    for threshold in (-3.0, 0.0, 3.0):
        run(FsaLocalizer(threshold=threshold))
        paths = [path for _, path in read_arrays("scp:exp/bonafide.scp")]
        shares.append(np.mean(np.concatenate(paths)))
    assert shares[0] > shares[1] > shares[2]


def test_a_threshold_alone_decides_what_is_above_it():
    scores = np.array([0.1, -1.0, 0.5])
    (path,) = ThresholdLocalizer(threshold=0.1).decide([scores])
    assert path.tolist() == [False, False, True]
