"""What is drawn is what was measured."""

import json
import re

import numpy as np
import pytest

from asdkit.metrics.eer import eer
from asdkit.report.score_figures import (
    calibration_figure,
    cursor_data,
    cursor_of,
    curves_of,
    det_figure,
    det_range,
    histogram_figure,
)
from asdkit.report.spread import measure_spread


def test_the_cursor_starts_at_the_equal_error_rates(found):
    curves = curves_of(found)
    for system, one in zip(found.systems, curves, strict=True):
        target, nontarget = found.two(system.scores)
        miss = np.mean(target <= one.eer_threshold)
        alarm = np.mean(nontarget > one.eer_threshold)
        assert (miss + alarm) / 2 == pytest.approx(eer(target, nontarget))
    text = cursor_of(found, curves, "e0")
    assert f"{curves[0].eer_threshold:.4g}" in text
    assert 'type="range"' in text


def test_the_script_has_a_point_for_every_one_that_is_drawn(found):
    curves = curves_of(found)
    low, high = det_range(found, curves)
    text = det_figure(found, curves, None, "e0")
    data = cursor_data(curves, low, high)
    json.dumps(data, allow_nan=False)
    assert data["fa"][0] == pytest.approx(low, rel=1e-3)
    assert data["fa"][-1] == pytest.approx(high, rel=1e-3)
    for s, one in enumerate(data["systems"]):
        (points,) = re.findall(rf'points="([^"]*)" id="e0-det-{s}"', text)
        assert len(points.split()) == len(one["t"]) == len(one["m"]) == len(one["f"])
        assert one["m"] == sorted(one["m"])


def test_bands_are_there_if_there_are_intervals(found):
    curves = curves_of(found)
    assert "data-band" not in det_figure(found, curves, None, "e0")
    spread = measure_spread(found, 50)
    assert det_figure(found, curves, spread, "e0").count("data-band") == 2


def test_histograms_hold_all_trials(found):
    text = histogram_figure(found, "e0")
    rows = re.findall(r'<tr><th scope="row">good</th>(.*?)</tr>', text)
    cells = [re.findall(r'class="n">([\d.]+)<', row) for row in rows]
    np.testing.assert_allclose(np.array(cells, float).sum(axis=0), 100, atol=0.2)


def test_calibration_has_both_lines_of_every_system(found):
    text = calibration_figure(found, curves_of(found), "e0")
    assert len(re.findall(r'id="e0-cal-\d"', text)) == 2
    assert text.count(' thin"') == 2


def test_perfect_and_constant_scores_are_drawn(found):
    found.systems[0].scores = found.classes[0].astype(float)
    found.systems[1].scores = np.zeros(len(found.test))
    curves = curves_of(found)
    assert "<svg" in det_figure(found, curves, None, "e0")
    assert "<svg" in histogram_figure(found, "e0")
    assert "<svg" in calibration_figure(found, curves, "e0")
    json.dumps(cursor_data(curves, *det_range(found, curves)), allow_nan=False)
