"""Drawn people differ from each other more than from themselves."""

import numpy as np
import pytest

from asdkit.simulation.phones import draw_sentence
from asdkit.simulation.sessions import draw_session
from asdkit.simulation.speakers import draw_speaker, in_session, speak
from asdkit.simulation.voice import utter

FS = 16000


def frame_levels(samples):
    """(T,) level of every 10 ms in dB."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    return 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)


def long_term_spectrum(samples):
    """(48,) average log spectrum of the louder half, its mean removed."""
    frames = samples[: len(samples) // 640 * 640].reshape(-1, 640)
    frames = frames[np.argsort(frames.std(axis=1))[len(frames) // 2 :]]
    power = np.abs(np.fft.rfft(frames * np.hanning(640))) ** 2  # (T, 321)
    bands = np.log(power[:, 1:241].reshape(len(power), 48, 5).mean(axis=2))
    average = bands.mean(axis=0)
    return average - average.mean()


def test_the_same_seed_gives_the_same_samples():
    def draw(seed):
        rng = np.random.default_rng(seed)
        return speak(draw_speaker(rng), draw_session(rng), 1.0, rng)

    np.testing.assert_array_equal(draw(5), draw(5))
    assert not np.allclose(draw(5), draw(6))


@pytest.mark.parametrize("seconds", [0.01, 0.3, 2.3456])
@pytest.mark.parametrize("frequency", [8000, 16000])
def test_speech_is_as_long_as_asked_finite_and_not_clipped(rng, seconds, frequency):
    speaker, session = draw_speaker(rng), draw_session(rng)
    samples = speak(speaker, session, seconds, rng, frequency)
    assert samples.dtype == np.float32
    assert samples.shape == (round(seconds * frequency),)
    assert np.isfinite(samples).all()
    assert 0 < np.abs(samples).max() < 1


@pytest.mark.parametrize("seconds", [0, -1.0])
def test_no_speech_at_all_is_an_error(rng, seconds):
    with pytest.raises(ValueError, match="expected a positive duration"):
        speak(draw_speaker(rng), draw_session(rng), seconds, rng)


def test_there_are_pauses_and_there_is_speech(rng):
    """Clean utterances: speech within 35 dB of the loudest frame."""
    for _ in range(10):
        speaker = draw_speaker(rng)
        sentence = draw_sentence(4.0, speaker.rate, rng)
        levels = frame_levels(utter(speaker, sentence, 4 * FS, rng))
        assert 0.5 < np.mean(levels > levels.max() - 35) < 0.95


def test_speakers_differ_more_than_sessions(rng):
    """With the channel removed: two moods of one speaker against two speakers."""
    spectra = []
    for _ in range(12):
        speaker = draw_speaker(rng, "m")
        for _ in range(2):
            mood = in_session(speaker, draw_session(rng))
            sentence = draw_sentence(8.0, mood.rate, rng)
            spectra.append(long_term_spectrum(utter(mood, sentence, 8 * FS, rng)))
    distance = np.linalg.norm(np.array(spectra)[:, None] - spectra, axis=2)
    spk = np.arange(24) // 2
    same = spk[:, None] == spk
    within = distance[same & ~np.eye(24, dtype=bool)].mean()
    assert distance[~same].mean() > 1.5 * within


def test_women_have_shorter_tracts_and_higher_voices(rng):
    women = [draw_speaker(rng, "f") for _ in range(100)]
    men = [draw_speaker(rng, "m") for _ in range(100)]
    scale = [np.mean([s.formant_scale.mean() for s in group]) for group in (women, men)]
    assert scale[0] / scale[1] == pytest.approx(1.16, abs=0.02)
    pitch = [np.mean([s.f0 for s in group]) for group in (women, men)]
    assert pitch[0] / pitch[1] == pytest.approx(1.74, abs=0.08)


def test_half_of_the_people_are_women(rng):
    genders = [draw_speaker(rng).gender for _ in range(400)]
    assert set(genders) == {"f", "m"}
    assert 150 < genders.count("f") < 250


def test_effort_makes_a_voice_higher_and_brighter(rng):
    speaker, session = draw_speaker(rng, "m"), draw_session(rng)
    loud = in_session(speaker, session._replace(effort=2.0))
    calm = in_session(speaker, session._replace(effort=0.0))
    assert calm.f0 == speaker.f0
    assert loud.f0 == pytest.approx(speaker.f0 * 2 ** (2 / 12))
    assert loud.tilt_db < calm.tilt_db
