"""Codecs keep length, time and intelligible bands, and lose what they must."""

import importlib.util

import numpy as np
import pytest
from scipy.signal import correlate

from asdkit.base.errors import AsdkitError
from asdkit.simulation import channels
from asdkit.simulation.channels import (
    CHANNELS,
    NARROW,
    code_g711,
    fit_length,
    limit_band,
    resample,
)
from asdkit.simulation.companding import ALAW

PLAIN = [name for name, channel in CHANNELS.items() if not channel.needs_ffmpeg]
EXTRA = [name for name in CHANNELS if name not in PLAIN]


def check_channel(name, spoken, rate):
    sent = resample(spoken, 16000, rate)
    heard = CHANNELS[name](sent, rate)
    assert heard.shape == sent.shape
    assert heard.dtype == np.float32
    # What comes out is not late; a millisecond is what AMR's phase may do.
    lag = np.argmax(correlate(heard, sent)) - (len(sent) - 1)
    assert abs(lag) <= rate / 1000
    # In the band of a telephone, nothing is missing.
    levels = [limit_band(x, rate, 400, 3000).std() for x in (sent, heard)]
    assert levels[1] == pytest.approx(levels[0], rel=0.2)
    np.testing.assert_array_equal(CHANNELS[name](sent, rate), heard)


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
@pytest.mark.parametrize("name", PLAIN)
def test_speech_comes_through_as_long_as_it_was_and_in_time(name, rate, spoken):
    check_channel(name, spoken, rate)


@pytest.mark.parametrize("name", EXTRA)
def test_so_it_does_with_ffmpeg(name, spoken):
    pytest.importorskip("av", reason="needs PyAV, an extra")
    check_channel(name, spoken, 16000)


@pytest.mark.parametrize("name", PLAIN)
def test_narrow_bands_end_below_four_kilohertz_and_wide_ones_do_not(name, rng):
    noise = 0.1 * rng.standard_normal(32000).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(CHANNELS[name](noise, 16000))) ** 2
    above = spectrum[len(spectrum) * 9 // 16 :].sum() / spectrum.sum()
    assert (above < 1e-3) == (CHANNELS[name].rate == NARROW)


def test_alaw_is_g711_of_what_a_telephone_passes(spoken):
    """At 8 kHz nothing is resampled, so that the codes are those of the input."""
    sent = resample(spoken, 16000, 8000)
    passed = limit_band(sent, 8000, 300, 3400)
    heard = CHANNELS["alaw"](sent, 8000)
    np.testing.assert_array_equal(heard, code_g711(passed, ALAW))
    noise = np.sum((heard - passed) ** 2) / np.sum(passed**2)
    assert -45 < 10 * np.log10(noise) < -30  # 38 dB by the recommendation's design


def test_a_tone_outside_of_the_band_is_gone():
    now = np.arange(16000) / 16000
    for frequency, least, most in (50, 0, 0.05), (1000, 0.95, 1.05), (6000, 0, 0.01):
        tone = np.sin(2 * np.pi * frequency * now).astype(np.float32)
        heard = CHANNELS["telephone"](tone, 16000)
        assert least <= heard[2000:-2000].std() / tone.std() <= most


def test_what_a_codec_lacks_is_said_in_one_line(monkeypatch, spoken):
    monkeypatch.setattr(channels.soundfile, "check_format", lambda *names: False)
    with pytest.raises(AsdkitError, match="cannot write GSM610") as raised:
        CHANNELS["gsm"](spoken, 16000)
    assert "soundfile" in raised.value.hint
    if importlib.util.find_spec("av"):  # av 19 has no encoder of AMR
        with pytest.raises(AsdkitError, match="without the codec no_such") as raised:
            channels.code_ffmpeg(spoken, 8000, "no_such", "amrnb", 0, 12_200)
        assert "av<19" in raised.value.hint
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(AsdkitError, match="av is not installed") as raised:
        CHANNELS["g722"](spoken, 16000)
    assert "asdkit[spoof]" in raised.value.hint


def test_lengths_are_cut_or_filled():
    assert fit_length(np.arange(3), 5).tolist() == [0, 1, 2, 0, 0]
    assert fit_length(np.arange(3), 2).tolist() == [0, 1]
