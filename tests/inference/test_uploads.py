"""Uploads: what would cost memory or time is refused by its header."""

import io
import struct

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.inference.uploads import Limits, Refusal, take_upload

LIMITS = Limits(max_sec=10)


def content(seconds=1.0, rate=16000, channels=1, **options):
    noise = np.random.default_rng(0).normal(0, 0.1, (round(seconds * rate), channels))
    stream = io.BytesIO()
    soundfile.write(stream, noise, rate, **{"format": "WAV"} | options)
    return stream.getvalue()


def take(data, name="a.wav", limits=LIMITS):
    return take_upload(name, data, [16000], limits)


def refused(status, data, name="a.wav"):
    with pytest.raises(Refusal) as caught:
        take(data, name)
    assert caught.value.status == status, caught.value
    return str(caught.value)


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
def test_usual_files_are_taken_as_they_are(form):
    data = content(format=form)
    taken = take(data)
    assert (taken.name, taken.content) == ("a.wav", data)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000, 192000])
def test_usual_rates_are_taken(rate):
    take(content(0.1, rate))


def test_a_long_recording_is_refused_before_it_is_decoded():
    """100 minutes of silence in 80 kB."""
    stream = io.BytesIO()
    soundfile.write(stream, np.zeros(6000 * 8000, np.int16), 8000, format="FLAC")
    assert len(stream.getvalue()) < 200_000
    assert "expected 10 s or less, got 6000 s" in refused(413, stream.getvalue())


def test_an_mp3_is_bounded_by_its_bytes_for_its_header_says_nothing():
    data = content(1.0, format="MP3")
    assert "10 s or less" in refused(413, data * (600_000 // len(data)))


def test_a_flac_without_a_length_is_refused():
    data = bytearray(content(format="FLAC"))
    assert data[:8] == b"fLaC\0\0\0\x22"
    data[21] &= 0xF0  # the 36 bits of its number of samples
    data[22:26] = bytes(4)
    assert "does not say how long" in refused(422, bytes(data))


def test_many_channels_at_a_high_rate_are_refused():
    data = content(9, 192000, 8, format="FLAC", subtype="PCM_16")
    take(data)
    limits = Limits(max_sec=100)
    stream = io.BytesIO()
    zeros = np.zeros((40 * 192000, 8), np.int16)
    soundfile.write(stream, zeros, 192000, format="FLAC")
    with pytest.raises(Refusal, match="samples or fewer") as caught:
        take(stream.getvalue(), limits=limits)
    assert caught.value.status == 413


def test_an_odd_rate_would_need_large_filters():
    assert "common sampling rate, got 16001 Hz" in refused(422, content(0.1, 16001))
    data = bytearray(content(0.1))
    data[24:28] = struct.pack("<I", 10**9)
    with pytest.raises(DataError, match="expected a sampling rate of"):
        take(bytes(data))


@pytest.mark.parametrize(
    "name",
    ["../a.wav", "/etc/passwd", "a\\b.wav", "..", "a\0.wav", "a\n.wav", "x" * 300],
)
def test_a_name_is_no_path_and_has_no_controls(name):
    said = refused(422, content(0.1), name)
    assert said.isprintable()


@pytest.mark.parametrize("data", [b"", b"RIFF", b"hello" * 100, content(0.1)[:30]])
def test_what_is_no_sound_is_bad_data(data):
    with pytest.raises(DataError, match=r"a\.wav: "):
        take(data)


def test_a_limit_is_in_millions_of_bytes():
    assert Limits(max_mb=0.5).max_bytes == 500_000
