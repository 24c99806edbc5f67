"""Localization of partial spoofs, from scores of frames that are drawn."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.countermeasures.localization import (
    FsaLocalizer,
    MedianLocalizer,
    ThresholdLocalizer,
    localize,
    utterance_score,
)
from asdkit.countermeasures.localization_quality import (
    assess,
    sweep,
    write_conf,
)
from asdkit.countermeasures.registry import LOCALIZERS
from asdkit.data.manifests import (
    Utterance,
    read_manifests,
    write_manifests,
    write_utterances,
)
from asdkit.io.ark import ArkWriter, read_arrays
from asdkit.io.rttm import read_rttm
from asdkit.io.tables import read_table, write_table
from asdkit.segmentation.fsa import SOFT_BEAM

SPOOFED = [0.5, 1.0]  # seconds of every second utterance


@pytest.fixture
def corpus(tmp_path, rng, monkeypatch):
    """Six utterances of two seconds, and scores of frames that are often wrong."""
    monkeypatch.chdir(tmp_path)
    utts = [f"u{n}" for n in range(6)]
    for utt in utts:
        soundfile.write(f"{utt}.wav", np.zeros(32000), 16000)
    write_utterances(
        "data",
        [Utterance(u, "s", f"{u}.wav", False, 0.0, 2.0, 0, 16000) for u in utts],
    )
    manifests = read_manifests("data")
    for n, item in enumerate(manifests.supervisions.values()):
        item.custom = {"attack": "A01", "spoofed": [SPOOFED]}
        item.custom = item.custom if n % 2 else {"attack": "bonafide"}
    write_manifests(
        "data", manifests.recordings.values(), manifests.supervisions.values()
    )
    with ArkWriter("ark", "feats") as writer:
        for utt in utts:
            writer[utt] = np.zeros((198, 2))
    write_table("data/feats.scp", read_table(writer.scp))
    with ArkWriter("exp", "frames") as writer:
        for n, utt in enumerate(utts):
            middles = 0.0125 + 0.01 * np.arange(198)
            inside = (middles >= SPOOFED[0]) & (middles < SPOOFED[1]) & (n % 2 == 1)
            scores = np.where(inside, -2, 2) + 2 * rng.standard_normal(198)
            writer[utt] = scores
    return utts


def run(localizer):
    localize("data", "exp/frames.scp", "exp", localizer)


def write(utt_paths, scores=None):
    """Write what `localize` would: paths, zero scores of frames, and of utterances."""
    with ArkWriter("exp", "bonafide") as paths, ArkWriter("exp", "smoothed") as soft:
        for utt, path in utt_paths.items():
            paths[utt] = path
            soft[utt] = np.zeros(len(path)) if scores is None else scores[utt]
    write_table("exp/scores", dict.fromkeys(utt_paths, 0.0))


def path_of(*spoofs):
    """(198,) ones; zeros from one second to another."""
    path = np.ones(198, np.float32)
    for start, stop in spoofs:
        path[round((start - 0.0075) / 0.01) : round((stop - 0.0075) / 0.01)] = 0
    return path


@pytest.mark.k2
def test_structure_finds_the_spoofed_segment(corpus):
    run(FsaLocalizer())
    turns = read_rttm("exp/rttm")
    for n, utt in enumerate(corpus):
        spoofs = [turn for turn in turns[utt] if turn.label == "spoof"]
        assert len(spoofs) == n % 2
        for turn in spoofs:
            assert turn.start == pytest.approx(SPOOFED[0], abs=0.05)
            assert turn.start + turn.duration == pytest.approx(SPOOFED[1], abs=0.05)
        assert sum(turn.duration for turn in turns[utt]) == pytest.approx(2, abs=0.01)
    quality = assess("data", "exp")
    assert quality[2:] == (1, 1, 1, 0)
    assert quality.frame_eer < 0.05  # where single frames have more than 10 %
    assert quality.range_eer == pytest.approx(quality.frame_eer, abs=0.02)


@pytest.mark.parametrize("method", ["threshold", "median"])
def test_single_frames_and_medians_need_no_k2(corpus, monkeypatch, method):
    monkeypatch.setitem(sys.modules, "k2", None)
    run(LOCALIZERS[method]())
    quality = assess("data", "exp")
    limits = {"threshold": (0.1, 0.25), "median": (0.01, 0.06)}[method]
    assert limits[0] < quality.frame_eer < limits[1]
    assert quality.range_eer == pytest.approx(quality.frame_eer, abs=0.02)
    assert quality.recall == 1 if method == "median" else quality.f1 < 0.1


def test_a_median_is_of_what_is_around(corpus):
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
def test_scores_of_utterances_follow_the_path(corpus):
    run(FsaLocalizer())
    scores = {utt: float(x) for utt, x in read_table("exp/scores").items()}
    frames = dict(read_arrays("scp:exp/frames.scp"))
    for utt, path in read_arrays("scp:exp/bonafide.scp"):
        expected = utterance_score(frames[utt], path > 0)
        assert scores[utt] == pytest.approx(expected, abs=1e-5)


@pytest.mark.k2
def test_a_threshold_moves_decisions(corpus):
    shares = []
    for threshold in (-3.0, 0.0, 3.0):
        run(FsaLocalizer(threshold=threshold))
        paths = [path for _, path in read_arrays("scp:exp/bonafide.scp")]
        shares.append(np.mean(np.concatenate(paths)))
    assert shares[0] > shares[1] > shares[2]


def test_metrics_follow_the_segments_that_were_written(corpus):
    """Two of three spoofs are found, a quarter second is said to be one and is not."""
    found = {"u1": [(0.5, 1.0)], "u3": [(0.6, 1.0)], "u5": [(1.5, 1.75)]}
    write({utt: path_of(*found.get(utt, [])) for utt in corpus})
    quality = assess("data", "exp")
    assert quality[2:5] == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert quality.utt_eer == 0.5  # all utterances score the same


def test_what_does_not_belong_together_is_refused(corpus):
    paths = {utt: path_of() for utt in corpus}
    write(paths, {utt: np.zeros(150) for utt in corpus})
    with pytest.raises(DataError, match="'u0': 150 scores for 198 frames"):
        assess("data", "exp")
    write(paths | {"u9": path_of()})
    with pytest.raises(DataError, match="'u9' is not in it"):
        assess("data", "exp")
    write_table("exp/scores", {"u1": 0.0})
    with pytest.raises(DataError, match=r"scores: .* have no score: 'u0'"):
        assess("data", "exp")
    write_table("exp/scores", {"u1": "1d3"})
    with pytest.raises(DataError, match=r"scores:1: expected .* got 'u1 1d3'"):
        assess("data", "exp")


def test_nothing_spoofed_cannot_be_assessed(corpus):
    manifests = read_manifests("data")
    for item in manifests.supervisions.values():
        item.custom = {"attack": "bonafide"}
    write_manifests(
        "data", manifests.recordings.values(), manifests.supervisions.values()
    )
    write({utt: path_of() for utt in corpus})
    with pytest.raises(DataError, match="spoofed and bona fide parts, got only one"):
        assess("data", "exp")


def test_a_sweep_is_what_every_point_gives_and_the_best_is_first(corpus):
    grid = {"threshold": [-1.0, 0.0, 1.0], "filter_sec": [0.05, 0.3]}
    for select in ("f1", "frame_eer"):
        points = sweep("data", "exp/frames.scp", "median", grid, select)
        rates = [getattr(point.quality, select) for point in points]
        assert rates == sorted(rates, reverse=select == "f1")
        assert len({tuple(point.options.values()) for point in points}) == 6
        for options, quality in points:
            run(MedianLocalizer(**options))
            expected = assess("data", "exp")
            assert quality[2:] == pytest.approx(expected[2:], abs=1e-5)
            if select == "frame_eer":
                assert quality[:2] == pytest.approx(expected[:2], abs=1e-5)
            else:
                assert np.isnan(quality[:2]).all()
    write_conf("exp/best.conf", "median", points[0], "frame_eer", "data")
    first, *rest = Path("exp/best.conf").read_text().splitlines()
    rate = 100 * points[0].quality.frame_eer
    assert first == f"--method=median  # frame_eer {rate:.2f} % on data"
    best = points[0].options
    assert rest == [
        f"--threshold={best['threshold']}",
        f"--filter-sec={best['filter_sec']}",
    ]


def test_the_first_of_equals_is_chosen(corpus):
    grid = {"threshold": [50.0, 60.0]}
    points = sweep("data", "exp/frames.scp", "threshold", grid)
    assert points[0].options == {"threshold": 50.0}
    assert points[0].quality.f1 == points[1].quality.f1


def test_a_threshold_alone_decides_what_is_above_it():
    scores = np.array([0.1, -1.0, 0.5])
    (path,) = ThresholdLocalizer(threshold=0.1).decide([scores])
    assert path.tolist() == [False, False, True]
