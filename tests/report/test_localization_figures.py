"""Spectrograms, and what was found beside what is there."""

import io

import numpy as np
import pytest

from asdkit.report.lineage import Lineage
from asdkit.report.localization_figures import (
    HEIGHT,
    localization_figures,
    png,
    spectrogram,
)


def test_a_tone_is_a_bright_line_at_its_height():
    tone = np.sin(2 * np.pi * 4000 * np.arange(16000) / 16000)
    image = spectrogram(tone, 50)
    assert image.shape == (HEIGHT, 50)
    brightest = HEIGHT - image.astype(float).mean(axis=1).argmax()
    assert brightest == pytest.approx(HEIGHT / 2, abs=2)
    assert spectrogram(np.zeros(10), 5).shape == (HEIGHT, 5)


def test_an_image_is_read_by_others(rng):
    image = pytest.importorskip("PIL.Image")
    gray = rng.integers(0, 255, (7, 11)).astype(np.uint8)
    found = np.asarray(image.open(io.BytesIO(png(gray))))
    np.testing.assert_array_equal(found, gray)


def test_an_image_has_a_signature_and_three_chunks(rng):
    data = png(rng.integers(0, 255, (7, 11)).astype(np.uint8))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert [data.count(kind) for kind in (b"IHDR", b"IDAT", b"IEND")] == [1, 1, 1]


def test_other_programs_have_no_spectrograms(measured):
    assert localization_figures(Lineage(["exp"]).all) == []
