"""Pictures: valid SVG, with stretches where they are, and names that do not collide."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from asdkit.inference.pictures import MARGIN, WIDTH, draw_recording, write_picture
from asdkit.inference.stretches import Stretch

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("num_samples", [1, 500, 64000])
def test_stretches_are_marked_where_they_are(num_samples, rng):
    samples = rng.normal(0, 0.1, num_samples)
    duration = num_samples / 16000
    stretch = Stretch(0.25 * duration, 0.5 * duration, -1.0)
    root = ET.fromstring(draw_recording(samples, 16000, [stretch], "<a & b>.wav"))
    assert root.find(f"{SVG}text").text == "<a & b>.wav"
    _, mark = root.findall(f"{SVG}rect")
    wide = WIDTH - 2 * MARGIN
    assert float(mark.get("x")) == pytest.approx(MARGIN + wide / 4, abs=0.1)
    assert float(mark.get("width")) == pytest.approx(wide / 4, abs=0.1)
    assert mark.find(f"{SVG}title").text == f"spoofed, {stretch}"
    numbers = (
        root.find(f"{SVG}path").get("d").strip("MZ ").replace(" L", ",").split(",")
    )
    ys = np.array(numbers[1::2], dtype=float)
    assert ys.min() >= 34
    assert ys.max() <= 194
    assert draw_recording(np.zeros(9), 16000, [], "x").count("<rect") == 1


def test_recordings_of_one_name_have_a_picture_each(tmp_path):
    for folder in ("x", "y"):
        write_picture(tmp_path / "out", f"{folder}/a.wav", np.ones(9), 16000, [])
    found = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert found == ["a.svg", "a_2.svg"]
