"""Plots: places of values, ticks, and marks that differ."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from asdkit.metrics.det_points import probit
from asdkit.report.svg import (
    MARKS,
    NUM_COLORS,
    Plot,
    Scale,
    mark,
    style_of,
    swatch,
    ticks,
)


def test_scales_map_ends_to_ends_and_clip():
    scale = Scale(0, 10, 100, 200)
    np.testing.assert_allclose(scale([0, 5, 10, 99, -1]), [100, 150, 200, 200, 100])
    warped = Scale(0.01, 0.99, 0, 1, probit)
    assert warped(0.5) == pytest.approx(0.5)
    assert Scale(1, 1, 5, 9)(1) == 5


def test_a_plot_is_xml_with_a_name():
    plot = Plot.sized((0, 1), (0, 1))
    axes = plot.axes(ticks(0, 1), ticks(0, 1), "x < y", "y")
    band = plot.band([0, 1], [0, 0], [1, 1], class_="band")
    root = ET.fromstring(plot.draw([axes, band, plot.line([0, 1], [0, 1])], "a & b"))
    assert root.get("aria-label") == "a & b"
    assert root.find("polyline").get("points") == "52,360 448,10"
    assert root.find("path").get("d").startswith("M")


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-250, 30), (3, 3), (0, 1e-5)])
def test_ticks_lie_inside_and_are_few(low, high):
    found = ticks(low, high, 6)
    assert 1 <= len(found) <= 8
    assert all(low - 1e-9 <= value <= high + 1e-9 for value, _ in found)


def test_no_two_of_many_systems_look_alike():
    looks = {
        (style_of(n)["class_"], style_of(n)["stroke_dasharray"])
        for n in range(4 * NUM_COLORS)
    }
    assert len(looks) == 4 * NUM_COLORS
    shapes = {mark(n, 5, 5) for n in range(len(MARKS))}
    assert len(shapes) == len(MARKS)
    assert ET.fromstring(swatch(3)).get("aria-hidden") == "true"
