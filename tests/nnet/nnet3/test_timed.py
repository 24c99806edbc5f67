"""Components that look at several times, beside their definitions frame by frame."""

import numpy as np
import pytest
import torch

from asdkit.nnet.nnet3.descriptors import ENDLESS, Span
from asdkit.nnet.nnet3.timed import StatisticsExtraction, StatisticsPooling, Tdnn

NUM = 13  # frames of the input


def run(component, times, x):
    """Compute at times the way a graph does: (S,) bool and (S, D')."""
    times, span = np.array(times), Span(0, len(x))
    asked = component.asks(times, span)
    inside = (asked >= 0) & (asked < len(x))
    values = torch.from_numpy(x[np.clip(asked, 0, len(x) - 1)])[None]
    with torch.no_grad():
        defined, found = component.compute(times, asked, inside[None], values)
    return np.broadcast_to(defined, (1, len(times)))[0], found[0].numpy()


@pytest.fixture
def x(rng):
    return rng.normal(size=(NUM, 3))


@pytest.mark.parametrize("offsets", [[0], [-2, 0, 1], [1, 3]])
@pytest.mark.parametrize("bias", [True, False])
def test_a_tdnn_layer_splices_frames(make, rng, x, offsets, bias):
    w, b = rng.normal(size=(4, 3 * len(offsets))), rng.normal(size=4 if bias else 0)
    layer = make(Tdnn, TimeOffsets=offsets, LinearParams=w, BiasParams=b)
    times = range(-4, NUM + 4)
    defined, found = run(layer, times, x)
    for t, ready, y in zip(times, defined, found, strict=True):
        places = [t + offset for offset in offsets]
        assert ready == all(0 <= place < NUM for place in places)
        if ready:
            expected = w @ x[places].ravel() + (b if bias else 0)
            np.testing.assert_allclose(y, expected, atol=1e-6)
    first, end = layer.needs(Span(0, NUM))
    assert [*range(first, end)] == [
        t for t, ready in zip(times, defined, strict=True) if ready
    ]


@pytest.mark.parametrize(("step", "period"), [(1, 1), (1, 4), (2, 6)])
def test_statistics_are_of_the_frames_of_a_period(make, x, step, period):
    fields = {"InputDim": 3, "InputPeriod": step, "OutputPeriod": period}
    extraction = make(StatisticsExtraction, **fields, IncludeVarinance=True)
    times = [t for t in range(0, NUM + period, period)]
    defined, found = run(extraction, times, x)
    for t, ready, y in zip(times, defined, found, strict=True):
        frames = x[t : t + period : step]
        assert ready == (len(frames) > 0)
        if ready:
            expected = [len(frames), *frames.sum(axis=0), *(frames**2).sum(axis=0)]
            np.testing.assert_allclose(y, expected, rtol=1e-6)


@pytest.mark.parametrize(("left", "right"), [(0, 100), (4, 6), (2, 0)])
@pytest.mark.parametrize("logs", [0, 2])
def test_pooling_is_mean_and_deviation_over_a_window(make, x, left, right, logs):
    statistics = np.hstack([np.ones((NUM, 1)), x, x**2])
    pooling = make(
        StatisticsPooling,
        **{"InputDim": 7, "InputPeriod": 2, "LeftContext": left, "RightContext": right},
        **{"NumLogCountFeatures": logs, "OutputStddevs": True, "VarianceFloor": 1e-4},
    )
    times = [*range(-3, NUM + 3)]
    defined, found = run(pooling, times, statistics)
    for t, ready, y in zip(times, defined, found, strict=True):
        window = range(t - left, t + right + 1, 2)
        frames = np.array([x[u] for u in window if 0 <= u < NUM]).reshape(-1, 3)
        assert ready == (t % 2 == 0 and len(frames) > 0)
        if ready:
            std = np.sqrt(np.maximum(frames.var(axis=0), 1e-4))
            expected = [*logs * [np.log(len(frames))], *frames.mean(axis=0), *std]
            np.testing.assert_allclose(y, expected, atol=1e-6)


@pytest.mark.parametrize("times", [[0], [-6, 0, 3, 30], [*range(-9, 40)], [50]])
@pytest.mark.parametrize(("left", "right"), [(0, 3), (6, 0), (0, 9000)])
def test_pooling_asks_for_the_union_of_its_windows(make, times, left, right):
    fields = {"InputDim": 4, "LeftContext": left, "RightContext": right}
    pooling = make(StatisticsPooling, InputPeriod=3, **fields)
    windows = [range(t - left, t + right + 1, 3) for t in times if t % 3 == 0]
    expected = {t for window in windows for t in window if -4 <= t < 31}
    asked = pooling.asks(np.array(times), Span(-4, 31))
    assert asked.tolist() == sorted(expected)


def test_a_sum_without_an_end_is_refused(make):
    """As IfDefined makes of any node; as many frames are read as the window has."""
    fields = {"InputDim": 4, "LeftContext": 0, "RightContext": 2_000_000_000}
    pooling = make(StatisticsPooling, **fields)
    assert len(pooling.asks(np.array([0]), Span(0, 100_000))) == 100_000
    with pytest.raises(ValueError, match="a sum of 2000000001 frames"):
        pooling.asks(np.array([0]), Span(-ENDLESS, ENDLESS))


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (
            Tdnn,
            {"TimeOffsets": [0, 1], "LinearParams": np.ones((2, 3))},
            "3 columns for 2 offsets",
        ),
        (StatisticsExtraction, {"InputPeriod": 2, "OutputPeriod": 3}, "no multiple"),
        (
            StatisticsPooling,
            {"InputPeriod": 2, "LeftContext": 3, "RightContext": 0},
            "a context that is no multiple of its period",
        ),
        (
            StatisticsPooling,
            {"LeftContext": 0, "RightContext": 0, "OutputStddevs": True},
            "no sums of squares",
        ),
        (StatisticsPooling, {"LeftContext": -1, "RightContext": 9}, "a negative conte"),
    ],
)
def test_fields_that_do_not_fit_are_named(make, kind, fields, message):
    with pytest.raises(ValueError, match=message):
        make(kind, **{"InputDim": 4, **fields})
