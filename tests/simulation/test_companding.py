"""G.711 against the tables of the recommendation, and against libsndfile."""

import io

import numpy as np
import pytest
import soundfile

from asdkit.simulation.companding import (
    ALAW,
    ULAW,
    compress,
    expand,
    from_pcm,
    to_pcm,
)

LAWS = {"ALAW": ALAW, "ULAW": ULAW}
CODES = np.arange(256, dtype=np.uint8)
PCM = np.arange(-32768, 32768).astype(np.int16)

# Tables 1a and 2a of G.711: number of intervals, their size, value at their end.  The
# virtual decision value closes the last one.  A-law counts in 13 bits, mu-law in 14.
TABLES = {
    "ALAW": (
        8,
        [(32, 2, 64), (16, 4, 128), (16, 8, 256), (16, 16, 512), (16, 32, 1024),
         (16, 64, 2048), (16, 128, 4096)],
    ),
    "ULAW": (
        4,
        [(1, 1, 1), (15, 2, 31), (16, 4, 95), (16, 8, 223), (16, 16, 479),
         (16, 32, 991), (16, 64, 2015), (16, 128, 4063), (16, 256, 8159)],
    ),
}  # fmt: skip


def table_of(name):
    """Decision values (129,) and output values (128,), in units of 16 bits."""
    unit, segments = TABLES[name]
    decisions = [0]
    for count, step, end in segments:
        decisions += [decisions[-1] + step * (i + 1) for i in range(count)]
        assert decisions[-1] == end
    decisions = np.array(decisions)
    values = (decisions[:-1] + decisions[1:]) / 2
    if name == "ULAW":
        values[0] = 0  # the first interval lies around zero
    return unit * decisions, unit * values


@pytest.mark.parametrize("name", LAWS)
def test_every_sample_falls_into_the_interval_of_the_recommendation(name):
    decisions, values = table_of(name)
    magnitude = np.where(PCM < 0, ~PCM.astype(int), PCM)
    number = np.searchsorted(decisions[:-1], magnitude, side="right") - 1
    expected = np.where(PCM < 0, -1, 1) * values[number]
    heard = expand(compress(PCM, LAWS[name]), LAWS[name])
    np.testing.assert_array_equal(heard, expected)


def test_characters_are_those_of_the_tables():
    """The first and the last of either sign, as transmitted: tables 1a to 2b."""
    pcm = np.array([0, 32767, -1, -32768], np.int16)
    assert compress(pcm, ALAW).tolist() == [0xD5, 0xAA, 0x55, 0x2A]
    assert compress(pcm, ULAW).tolist() == [0xFF, 0x80, 0x7F, 0x00]


@pytest.mark.parametrize("name", LAWS)
def test_all_codes_mean_what_they_mean_to_libsndfile(name):
    expected, _ = soundfile.read(
        io.BytesIO(CODES.tobytes()),
        dtype="int16",
        format="RAW",
        subtype=name,
        channels=1,
        samplerate=8000,
    )
    np.testing.assert_array_equal(expand(CODES, LAWS[name]), expected)


@pytest.mark.parametrize("name", LAWS)
def test_positive_samples_get_the_codes_of_libsndfile(name):
    """Of the negative ones, those on a decision value are up to the implementation."""
    pcm = PCM[PCM >= 0]
    encoded = io.BytesIO()
    soundfile.write(encoded, pcm, 8000, format="RAW", subtype=name)
    expected = np.frombuffer(encoded.getvalue(), np.uint8)
    np.testing.assert_array_equal(compress(pcm, LAWS[name]), expected)


@pytest.mark.parametrize("name", LAWS)
def test_a_second_coding_changes_nothing(name):
    once = expand(compress(PCM, LAWS[name]), LAWS[name])
    np.testing.assert_array_equal(expand(compress(once, LAWS[name]), LAWS[name]), once)


def test_floats_are_rounded_and_clipped():
    samples = np.array([0, 0.5, -1, 1.5, -2, 1.4 / 32768], np.float32)
    assert to_pcm(samples).tolist() == [0, 16384, -32768, 32767, -32768, 1]
    np.testing.assert_array_equal(to_pcm(from_pcm(PCM)), PCM)
