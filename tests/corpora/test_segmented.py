"""Long recordings become utterances of the same audio."""

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.corpora.segmented import write_segmented
from asdkit.data.features import compute_features
from asdkit.data.manifests import Utterance, read_utterances, write_utterances
from asdkit.features.mel import Mfcc
from asdkit.io.tables import read_table
from asdkit.vad.detection import EnergyDetector, compute_vad
from asdkit.vad.energy import energy_vad

RATE = 16000


@pytest.fixture
def data(tmp_path, rng, monkeypatch):
    """A long recording with pauses at 3, 7 and 9 s, a short one, and a silent one."""
    monkeypatch.chdir(tmp_path)
    time = np.arange(12 * RATE) / RATE
    loud = np.ones_like(time)
    for second in (3, 7, 9):
        loud[(time >= second) & (time < second + 0.5)] = 1e-4
    sounds = {
        "a-long": loud * rng.normal(size=len(time)) / 8,
        "b-short": rng.normal(size=2 * RATE) / 8,
        "c-silent": np.full(9 * RATE, 1e-4) * rng.normal(size=9 * RATE),
    }
    utterances = []
    for utt, samples in sounds.items():
        soundfile.write(f"{utt}.wav", samples, RATE)
        place = (utt, utt[0], f"{utt}.wav", False, 0.0, len(samples) / RATE, 0, RATE)
        utterances.append(Utterance(*place))
    write_utterances("data", utterances)
    compute_features("data", "mfcc", Mfcc())
    compute_vad("data", "vad", EnergyDetector(energy_vad))
    return tmp_path


def test_utterances_end_in_pauses(data):
    write_segmented("data", "cut", max_sec=5.0)
    utterances = {x.utt: x for x in read_utterances("cut")}
    assert utterances.pop("b-short").duration == 2
    long = [x for x in utterances.values() if x.utt.startswith("a-long")]
    starts = np.array([x.start for x in long])
    stops = starts + [x.duration for x in long]
    np.testing.assert_allclose(starts, [0, 3.4, 7.4], atol=0.06)
    np.testing.assert_allclose(stops, [3.1, 7.1, 12], atol=0.06)
    assert {x.source for x in long} == {"a-long.wav"}
    sessions = read_table("cut/utt2session")
    assert sessions["a-long-0002"] == "a-long"
    assert sessions["b-short"] == "b-short"
    assert set(read_table("cut/utt2spk")) == sessions.keys()


def test_pieces_without_speech_enough_are_left_out(data):
    write_segmented("data", "cut", max_sec=5.0, min_sec=3.2)
    names = [x.utt for x in read_utterances("cut")]
    assert names == ["a-long-0001", "a-long-0002", "b-short"]


def test_vad_of_other_audio_is_refused(data):
    (data / "vad.scp").write_text((data / "data" / "vad.scp").read_text())
    longer = [x._replace(duration=1.5) for x in read_utterances("data")]
    write_utterances("data", longer)
    with pytest.raises(DataError):
        write_segmented("data", "cut")
    with pytest.raises(DataError, match="expected another directory"):
        write_segmented("data", "data")
    assert not (data / "cut").exists()
