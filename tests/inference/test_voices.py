"""One voice of a recording, and what makes a decision about it less certain."""

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.inference.voices import (
    SoundFile,
    find_speech,
    read_voice,
    require_speech,
)

RATE = 16000


@pytest.fixture
def noise(rng):
    return rng.uniform(-0.5, 0.5, 2 * RATE).astype(np.float32)


def write(path, samples, rate=RATE):
    soundfile.write(path, samples, rate, "FLOAT")
    return str(path)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_speech_is_what_is_louder_than_the_pauses(rng, rate):
    pause, loud = np.zeros(rate), rng.normal(0, 0.1, rate)
    assert find_speech(np.concatenate([pause, loud, pause, loud]), rate) == (
        pytest.approx(2.0, abs=0.1)
    )
    assert find_speech(pause, rate) == 0
    assert find_speech(loud[:10], rate) == 0


def test_a_file_is_its_samples_at_the_models_rate(tmp_path, noise):
    voice = read_voice(write(tmp_path / "a.wav", noise), RATE)
    np.testing.assert_allclose(voice.samples, noise, atol=1e-6)
    assert (voice.total_sec, voice.notes) == (2.0, ())
    half = read_voice(write(tmp_path / "b.wav", noise[::2], 8000), RATE)
    assert len(half.samples) == 2 * RATE
    assert half.notes == (
        "recorded at 8000 Hz: nothing above 4000 Hz, where the model expects 16000 Hz",
    )
    assert read_voice((noise, RATE), RATE).samples is not None


def test_channels_that_are_the_same_are_one_voice(tmp_path, noise):
    same = write(tmp_path / "same.wav", np.stack([noise, noise], axis=1))
    np.testing.assert_allclose(read_voice(same, RATE).samples, noise, atol=1e-6)
    two = write(tmp_path / "two.wav", np.stack([noise, noise[::-1]], axis=1))
    with pytest.raises(DataError, match="its 2 channels differ: maybe two people"):
        read_voice(two, RATE)
    second = read_voice(two, RATE, channel=1)
    np.testing.assert_allclose(second.samples, noise[::-1], atol=1e-6)


def test_clipping_is_noted(tmp_path, noise):
    clipped = write(tmp_path / "c.wav", np.clip(10 * noise, -1, 1))
    (note,) = read_voice(clipped, RATE).notes
    assert note.endswith("% of its samples are clipped")


def test_only_what_is_used_counts_as_speech(tmp_path, noise):
    late = write(tmp_path / "late.wav", np.concatenate([0 * noise, noise]))
    assert read_voice(late, RATE).speech_sec == pytest.approx(2.0, abs=0.1)
    voice = read_voice(late, RATE, max_sec=2.0)
    assert (len(voice.samples), voice.total_sec) == (2 * RATE, 4.0)
    assert voice.notes == ("only its first 2 s are used",)
    with pytest.raises(DataError, match=r"no speech: .* \(only its first 2 s are used"):
        require_speech(voice, 0.5, 1)
    tuple_of_samples = np.concatenate([0 * noise, noise]), RATE
    assert read_voice(tuple_of_samples, RATE, max_sec=2.0).speech_sec == 0


def test_samples_of_another_scale_are_refused(tmp_path, noise):
    path = write(tmp_path / "a.wav", 32768 * noise)
    with pytest.raises(DataError, match=r"expected samples in \[-1, 1\), got some"):
        read_voice(path, RATE)


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2_000_000_011])
def test_a_rate_that_no_recording_has_is_refused_before_it_costs_memory(
    tmp_path, noise, rate
):
    path = write(tmp_path / "a.wav", noise[:RATE], rate)
    with pytest.raises(DataError, match=f"expected a sampling rate .*, got {rate}"):
        read_voice(path, RATE)


def test_a_file_in_memory_is_the_voice_of_the_file(tmp_path, rng):
    sound = rng.normal(0, 0.1, (24000, 2))
    soundfile.write(tmp_path / "x.flac", sound, 8000)
    for channel in (0, 1):
        path = tmp_path / "x.flac"
        there = read_voice(path, 16000, channel, 2.0)
        memory = SoundFile("upload.flac", path.read_bytes())
        here = read_voice(memory, 16000, channel, 2.0)
        np.testing.assert_array_equal(here.samples, there.samples)
        assert here.notes == there.notes
        assert here.name == "upload.flac"
    with pytest.raises(DataError, match=r"^upload\.flac: its 2 channels differ"):
        read_voice(memory, 16000)
