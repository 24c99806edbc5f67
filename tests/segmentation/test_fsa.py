"""Finite-state segmentation, against definitions that are written out here.

These run where k2 is installed: tools/check.sh makes such an environment.
"""

import itertools
import logging
import sys

import numpy as np
import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.segmentation.fsa import Segmenter, Topology


def is_allowed(classes, topology):
    """All segments but the first and the last are long enough."""
    runs = [(c, len(list(run))) for c, run in itertools.groupby(classes)]
    return all(length >= topology.min_frames[c] for c, length in runs[1:-1])


def score_of(classes, loglikes, topology):
    """What the module's docstring says."""
    score = sum(loglikes[t, c] for t, c in enumerate(classes))
    for before, after in itertools.pairwise(classes):
        same = before == after
        cost = topology.stay[before] if same else topology.change[before, after]
        score -= cost
    return score


def enumerate_all(loglikes, topology):
    """Yield every segmentation that exists, and its score."""
    for classes in itertools.product(range(loglikes.shape[1]), repeat=len(loglikes)):
        if is_allowed(classes, topology):
            score = score_of(classes, loglikes, topology)
            if np.isfinite(score):
                yield classes, score


def viterbi(loglikes, topology):
    """The best segmentation: dynamic programming over class and time in the class.

    State (c, i) has been in class c for i + 1 frames, or for min_frames and more.
    """
    num = loglikes.shape[1]
    states = [(c, i) for c in range(num) for i in range(topology.min_frames[c])]
    last = {c: (c, int(topology.min_frames[c]) - 1) for c in range(num)}
    best = {s: loglikes[0, s[0]] if s == last[s[0]] else -np.inf for s in states}
    came = []
    for frame in loglikes[1:]:
        now, origin = dict.fromkeys(states, -np.inf), {}
        for state in states:
            c, i = state
            ways = [((c, min(i + 1, last[c][1])), topology.stay[c])]
            if state == last[c]:
                others = (e for e in range(num) if e != c)
                ways += [((e, 0), topology.change[c, e]) for e in others]
            for target, cost in ways:
                score = best[state] - cost + frame[target[0]]
                if score > now[target]:
                    now[target], origin[target] = score, state
        best = now
        came.append(origin)
    state = max(best, key=best.get)
    path = [state]
    for origin in reversed(came):
        path.append(origin[path[-1]])
    return [c for c, _ in reversed(path)], best[state]


TOPOLOGIES = {
    "free": Topology([1, 1]),
    "long": Topology([3, 2]),
    "costs": Topology([2, 3], enter=[0.5, 1.5], leave=[0.3, 0.1], stay=[0.2, -0.1]),
    "three": Topology(
        [1, 2, 2], enter=[1, 0, 0.5], bigram=[[0, 1, np.inf], [0.5, 0, 2], [1, 0.1, 0]]
    ),
}


@pytest.fixture(params=TOPOLOGIES)
def topology(request):
    return TOPOLOGIES[request.param]


def draw(rng, num_frames, topology):
    """(T, K) log-posteriors of segments that are there, but hard to see."""
    num = topology.num_classes
    truth = np.repeat(rng.integers(num, size=num_frames), 7)[:num_frames]
    scores = 2 * np.eye(num)[truth] + 1.5 * rng.standard_normal((num_frames, num))
    return torch.from_numpy(scores).log_softmax(dim=1)


@pytest.mark.k2
@pytest.mark.parametrize("num_frames", [1, 2, 3, 7])
def test_best_path_and_scores_are_those_of_an_enumeration(rng, topology, num_frames):
    batch = [draw(rng, num_frames, topology) for _ in range(5)]
    segmenter = Segmenter(topology)
    paths = segmenter.best_paths(batch)
    totals = segmenter.total_scores(batch)
    bests = segmenter.total_scores(batch, log_semiring=False)
    soft = segmenter.posteriors(batch)
    for n, loglikes in enumerate(batch):
        found = list(enumerate_all(loglikes.numpy(), topology))
        classes, best = max(found, key=lambda pair: pair[1])
        scores = np.array([score for _, score in found])
        total = np.logaddexp.reduce(scores)
        assert paths[n].tolist() == list(classes)
        assert bests[n].item() == pytest.approx(best, abs=1e-5)
        assert totals[n].item() == pytest.approx(total, abs=1e-5)
        expected = np.zeros(loglikes.shape)
        for path, score in found:
            expected[np.arange(num_frames), path] += np.exp(score - total)
        np.testing.assert_allclose(soft[n].numpy(), expected, atol=1e-5)


@pytest.mark.k2
@pytest.mark.parametrize("search_beam", [None, 50.0])
def test_a_batch_of_all_lengths_equals_viterbi(rng, topology, search_beam):
    batch = [draw(rng, n, topology) for n in (1, 40, 3, 200, 2, 40)]
    paths = Segmenter(topology, search_beam=search_beam).best_paths(batch)
    for loglikes, path in zip(batch, paths, strict=True):
        expected, best = viterbi(loglikes.numpy(), topology)
        assert path.dtype == torch.int64
        assert score_of(path.tolist(), loglikes.numpy(), topology) == pytest.approx(
            best, abs=1e-3
        )
        assert path.tolist() == expected
        assert is_allowed(path.tolist(), topology)


@pytest.mark.k2
def test_windows_give_what_the_whole_gives(rng, topology):
    batch = [draw(rng, n, topology) for n in (1000, 461, 80, 59)]
    whole = Segmenter(topology)
    windows = Segmenter(topology, window=50, context=30)
    for one, other in zip(
        whole.best_paths(batch), windows.best_paths(batch), strict=True
    ):
        torch.testing.assert_close(one, other)
    for one, other in zip(
        whole.posteriors(batch), windows.posteriors(batch), strict=True
    ):
        torch.testing.assert_close(one, other, atol=1e-3, rtol=0)
    for log_semiring in (True, False):
        totals = [
            segmenter.total_scores(batch, log_semiring)
            for segmenter in (whole, windows)
        ]
        torch.testing.assert_close(*totals, atol=1e-2, rtol=0)


@pytest.mark.k2
def test_windows_that_do_not_agree_are_told(caplog):
    """A bigram can make one early frame decide all that follow."""
    topology = Topology([1, 1], enter=[np.inf, np.inf])
    loglikes = torch.zeros(300, 2, dtype=torch.float64)
    loglikes[:20, 0], loglikes[280:, 1] = 1, 2
    caplog.set_level(logging.WARNING, logger="asdkit")
    path = Segmenter(topology, window=50, context=5).best_paths([loglikes])[0]
    assert len(path) == 300
    assert "the paths of two windows differ" in caplog.text


@pytest.mark.k2
def test_an_hour_is_decoded_whatever_is_in_it():
    """As one sequence of 360,000 frames, float32 would lose all paths."""
    topology = Topology([20, 20], enter=[3, 3])
    truth = (np.arange(360_000) // 150) % 2
    loglikes = torch.from_numpy(np.where(np.eye(2)[truth] > 0, -0.1, -2.3))
    segmenter = Segmenter(topology)
    path = segmenter.best_paths([loglikes])[0]
    np.testing.assert_array_equal(path.numpy(), truth)
    best = segmenter.total_scores([loglikes], log_semiring=False).item()
    num_changes = 360_000 // 150 - 1
    assert best == pytest.approx(-0.1 * 360_000 - 3 * num_changes, abs=0.1)
    assert best < segmenter.total_scores([loglikes]).item() < best + 3 * num_changes


@pytest.mark.k2
def test_an_impossible_class_is_not_taken(rng):
    loglikes = draw(rng, 30, TOPOLOGIES["long"])
    loglikes[10:20, 0] = -torch.inf
    path = Segmenter(TOPOLOGIES["long"]).best_paths([loglikes])[0]
    assert (path[10:20] == 1).all()


@pytest.mark.k2
def test_no_utterance_and_no_frame_are_legal():
    segmenter = Segmenter(TOPOLOGIES["free"])
    assert segmenter.best_paths([]) == []
    empty, one = segmenter.best_paths([torch.zeros(0, 2), torch.zeros(1, 2)])
    assert (len(empty), len(one)) == (0, 1)


@pytest.mark.k2
@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (torch.zeros(5, 3), r"expected \(T, 2\), got shape \(5, 3\)"),
        (torch.full((5, 2), torch.nan), "NaN"),
        (torch.full((5, 2), -torch.inf), "no class is possible"),
    ],
)
def test_frames_that_cannot_be_decoded_are_refused(frames, message):
    with pytest.raises(ValueError, match=message):
        Segmenter(TOPOLOGIES["free"]).best_paths([frames])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_frames": [0, 1]}, "segments of a frame at least"),
        ({"min_frames": []}, "segments of a frame at least"),
        ({"min_frames": [1, 1], "enter": [1]}, r"enter: expected numbers of shape"),
        ({"min_frames": [1, 1], "bigram": [1, 2]}, r"bigram: expected numbers of"),
        ({"min_frames": [1, 1], "leave": [0, np.nan]}, "leave: expected numbers"),
        ({"min_frames": [1, 1], "stay": [0, np.inf]}, "finite costs of staying"),
    ],
)
def test_costs_that_are_none_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Topology(**options)


def test_windows_must_see_the_longest_minimum():
    with pytest.raises(ValueError, match="a context from 20 to 50 frames, got 10"):
        Segmenter(Topology([20, 3]), window=50, context=10)


def test_without_k2_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "k2", None)
    with pytest.raises(AsdkitError, match="k2 is not installed") as caught:
        Segmenter(Topology([1, 1]))
    assert "tools/setup.sh --k2" in caught.value.hint
