"""Recordings that are cut, or noise added; and their trials, scored one by one."""

import numpy as np
import pytest
import soundfile

from asdkit.backends.cosine import Cosine
from asdkit.backends.pipeline import Pipeline
from asdkit.base.errors import DataError
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.inference.backend import Backend
from asdkit.inference.conditions import (
    CONDITIONS,
    WHOLE,
    add_shaped_noise,
    cut_middle,
    measure_conditions,
)
from asdkit.inference.speaker_comparison import Comparison
from asdkit.io.trials import read_trials

RATE = 16000


class Speaker:
    """Stands in for a bundle: embeds by energies of three bands; wants 0.6 s."""

    sampling_rate = RATE
    comparison = Comparison(Backend("x", Pipeline([Cosine()])), None, 0, None)

    @property
    def speaker(self):
        return self

    def embed(self, audio):
        samples, rate = audio
        if len(samples) < 0.6 * rate:
            raise DataError("x", "too little speech")
        power = np.abs(np.fft.rfft(samples)) ** 2
        return np.log([part.mean() for part in np.array_split(power, 3)])


@pytest.fixture
def data(tmp_path, rng, monkeypatch):
    monkeypatch.chdir(tmp_path)
    utterances, sec = [], {"a-0": 0.8, "a-1": 2.5, "b-0": 1.5, "b-1": 4.0}
    for utt, seconds in sec.items():
        samples = rng.normal(0, 0.05, round(seconds * RATE))
        soundfile.write(f"{utt}.wav", samples, RATE, "FLOAT")
        words = utt, utt[0], f"{utt}.wav", False, 0.0, seconds, 0, RATE
        utterances.append(Utterance(*words))
    write_utterances("data", utterances)
    lines = ["a-0 a-1 target", "a-0 b-0 nontarget", "a-1 b-0 nontarget"]
    (tmp_path / "trials").write_text("\n".join([*lines, "a-1 b-1 nontarget", ""]))
    return {utt: utt[0] for utt in sec}


def measured(data, num=10):
    return measure_conditions(Speaker(), "data", read_trials("trials"), data, num)


def test_trials_of_a_condition_are_those_that_single_scores_give(data):
    found = measured(data)
    assert list(found) == [WHOLE, *CONDITIONS]
    whole = {utt: soundfile.read(f"{utt}.wav", dtype="float32")[0] for utt in data}
    speaker = Speaker()
    enrolled = {utt: speaker.embed((x, RATE)) for utt, x in whole.items()}
    trials = [("a-0", "a-1"), ("a-0", "b-0"), ("a-1", "b-0"), ("a-1", "b-1")]
    for name in (WHOLE, "1 s", "2 s", "3 s"):
        rows = []
        for enroll, test in trials:
            samples = whole[test]
            if name != WHOLE:
                samples = cut_middle(samples, RATE, 0, float(name.split()[0]))
            if samples is not None:
                x = speaker.embed((samples, RATE))
                rows.append(float(speaker.comparison.score(enrolled[enroll][None], x)))
        np.testing.assert_allclose(sorted(found[name].llrs), sorted(rows))
    assert found["3 s"].spk.tolist() == [["a", "b"]]
    assert found["3 s"].is_target.tolist() == [False]


def test_what_is_refused_or_too_short_is_counted(data):
    found = measured(data)
    assert (found["0.5 s"].num_recordings, found["0.5 s"].num_refused) == (3, 3)
    assert len(found["0.5 s"].llrs) == 0
    assert (found["2 s"].num_recordings, found["2 s"].num_refused) == (2, 0)
    assert found["10 s"].num_recordings == 0
    assert measured(data, num=1)[WHOLE].num_recordings == 1


@pytest.mark.parametrize("snr_db", [20.0, 0.0])
def test_noise_has_its_level_and_the_spectrum_of_the_recording(snr_db, rng):
    samples = np.convolve(rng.normal(0, 0.1, 3 * RATE), [1, 0.9], "same")
    noise = add_shaped_noise(samples, RATE, 1, snr_db) - samples
    ratio = 10 * np.log10(np.mean(samples**2) / np.mean(noise**2))
    assert ratio == pytest.approx(snr_db, abs=0.01)
    one, other = (np.abs(np.fft.rfft(x))[1:-1] for x in (samples, noise))
    assert np.corrcoef(one, other)[0, 1] > 0.99
    assert abs(np.corrcoef(samples, noise)[0, 1]) < 0.05
    silence = np.zeros(100)
    assert add_shaped_noise(silence, RATE, 0, snr_db) is silence
