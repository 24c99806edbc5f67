"""What is drawn for a speaker is what is heard."""

import numpy as np
import pytest
from scipy.signal import find_peaks

from asdkit.simulation.phones import ROWS, TARGETS, Sentence
from asdkit.simulation.speakers import draw_speaker
from asdkit.simulation.voice import (
    NUM_FORMANTS,
    Gestures,
    articulate,
    phonate,
    tract_response,
    utter,
)

FS = 16000


def sustain(phone, sec=1.0):
    """Make a sentence of the first target of one phone, without melody."""
    return Sentence(np.array([ROWS[phone][0]]), np.array([sec]), np.zeros(1))


def pitch_of(samples, near):
    """Estimate F0 within half an octave from the peak of the autocorrelation."""
    correlation = np.fft.irfft(np.abs(np.fft.rfft(samples, 2 * len(samples))) ** 2)
    lags = np.arange(round(FS / near * 0.7), round(FS / near * 1.4))
    lag = lags[correlation[lags].argmax()]
    assert correlation[lag] > 0.5 * correlation[0]
    return FS / lag


def share_above(samples, frequency):
    """Measure which part of the energy lies above a frequency."""
    energy = np.abs(np.fft.rfft(samples)) ** 2
    return (
        energy[np.fft.rfftfreq(len(samples), 1 / FS) > frequency].sum() / energy.sum()
    )


@pytest.mark.parametrize("gender", ["f", "m"])
def test_a_vowel_has_the_pitch_of_its_speaker(rng, gender):
    for _ in range(5):
        speaker = draw_speaker(rng, gender)
        samples = utter(speaker, sustain("V"), FS, rng)
        pitch = pitch_of(samples, near=speaker.f0)
        assert pitch == pytest.approx(speaker.f0, rel=0.03)


def test_an_accent_raises_the_pitch(rng):
    speaker = draw_speaker(rng, "m")
    sentence = sustain("a")._replace(accents=np.ones(1))
    expected = speaker.f0 * 2 ** (speaker.accent_semitones / 12)
    pitch = pitch_of(utter(speaker, sentence, FS, rng), near=expected)
    assert pitch == pytest.approx(expected, rel=0.03)


def test_the_tract_resonates_at_the_speakers_formants(rng):
    speaker = draw_speaker(rng, "f")
    gestures = articulate(speaker, sustain("E"), 0.1)
    num_bins = 1601  # 5 Hz from one to the next
    gain = np.abs(tract_response(speaker, gestures, num_bins, FS)[20])
    formants = gestures.formants[20]
    expected = TARGETS[ROWS["E"][0], 1:4] * speaker.idiolect[ROWS["E"][0]]
    np.testing.assert_allclose(formants[:3], expected * speaker.formant_scale[:3])
    assert formants.shape == (NUM_FORMANTS,)
    peaks = find_peaks(gain)[0] * 5
    for formant in formants[:3]:
        assert np.abs(peaks - formant).min() < 0.03 * formant + 20


def test_an_open_nose_makes_a_notch(rng):
    speaker = draw_speaker(rng, "m")
    is_open = articulate(speaker, sustain("n"), 0.1)
    is_shut = is_open._replace(nasality=0 * is_open.nasality)
    gain_db = [
        20 * np.log10(np.abs(tract_response(speaker, gestures, 801, FS)[20]))
        for gestures in (is_open, is_shut)
    ]  # of (801,), 10 Hz from one to the next
    drop = gain_db[1] - gain_db[0]
    zero = round(is_open.zero_hz[20] * speaker.nasal_scale / 10)
    assert drop[40:].argmax() + 40 == pytest.approx(zero, abs=2)
    assert drop[zero] > 12


def test_articulators_glide(rng):
    """No formant jumps by more than a tenth in 2 ms, though targets do."""
    speaker = draw_speaker(rng, "m")
    rows = np.array([ROWS["i"][0], ROWS["a"][0], ROWS["u"][0]])
    sentence = Sentence(rows, np.array([0.1, 0.2, 0.3]), np.zeros(3))
    gestures = articulate(speaker, sentence, 0.3)
    jumps = np.abs(np.diff(np.log(gestures.formants), axis=0))
    assert 0 < jumps.max() < 0.1


def test_hissing_is_high_and_humming_is_low(rng):
    speaker = draw_speaker(rng, "f")
    assert share_above(utter(speaker, sustain("s"), FS, rng), 3000) > 0.8
    assert share_above(utter(speaker, sustain("m"), FS, rng), 3000) < 0.05


def test_a_pause_is_silent(rng):
    assert not utter(draw_speaker(rng), sustain("pause"), FS, rng).any()


def test_consonants_are_softer_than_vowels_but_not_lost(rng):
    """Within 36 dB of a vowel, as in speech."""
    speaker = draw_speaker(rng, "m")._replace(hiss_db=0.0)
    level = {
        phone: 20 * np.log10(utter(speaker, sustain(phone), FS, rng).std())
        for phone in ("a", "n", "s", "sh", "f", "h", "v")
    }
    for phone in "n", "s", "sh", "f", "h", "v":
        assert -36 < level[phone] - level["a"] < 0, phone


def test_breath_is_as_strong_as_drawn(rng):
    """On average (1 + cos)^2 is 3/2."""
    points = np.ones(501)
    speaker = draw_speaker(rng, "m")._replace(breath_db=-30.0, jitter=0.0, shimmer=0.0)
    gestures = articulate(speaker, sustain("a"), 1.0)._replace(voicing=points)
    breathless = speaker._replace(breath_db=-np.inf)
    seeds = [np.random.default_rng(1) for _ in range(2)]
    flow = phonate(speaker, gestures, FS, seeds[0], FS)
    pulses = phonate(breathless, gestures, FS, seeds[1], FS)
    breath = 20 * np.log10((flow - pulses).std())
    assert breath == pytest.approx(-30 + 10 * np.log10(1.5), abs=0.5)


def test_other_sample_frequencies_work(rng):
    speaker = draw_speaker(rng, "m")
    for frequency in (8000, 22050):
        samples = utter(speaker, sustain("a"), frequency, rng, frequency)
        assert samples.shape == (frequency,)
        assert np.isfinite(samples).all()
        assert isinstance(articulate(speaker, sustain("a"), 0.1), Gestures)
