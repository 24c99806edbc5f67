"""The trials that are most wrong, and their recordings if asked for."""

import base64
import io
import re
import shutil

import numpy as np
import pytest
import soundfile

from asdkit.data.manifests import Utterance, write_utterances
from asdkit.report.worst_trials import find_worst, worst_trials


def test_they_are_the_lowest_targets_and_the_highest_nontargets(found):
    scores, target = found.systems[0].scores, found.classes[0]
    worst = find_worst(found, 3)
    assert [one.sort for one in worst] == ["target"] * 3 + ["nontarget"] * 3
    assert [one.score for one in worst[:3]] == sorted(scores[target])[:3]
    assert [one.score for one in worst[3:]] == sorted(scores[~target])[:-4:-1]
    for one in worst[:3]:
        assert one.beyond == pytest.approx(np.mean(scores[~target] >= one.score))
    for one in worst[3:]:
        assert one.beyond == pytest.approx(np.mean(scores[target] < one.score))


def test_audio_is_embedded_only_if_asked_for(found, rng):
    shutil.rmtree("data/test")
    wave = rng.normal(size=16000).astype("f4") * 0.1
    utts = []
    for utt in dict.fromkeys([*found.enroll, *found.test]):
        soundfile.write(f"{utt}.wav", wave, 16000)
        about = {"is_command": False, "channel": 0, "gender": None}
        about |= {"source": f"{utt}.wav", "start": 0.0, "duration": 1.0}
        utts.append(Utterance(utt=utt, spk=utt[:3], sampling_rate=16000, **about))
    write_utterances("data/test", utts)
    assert "<audio" not in worst_trials(found)
    text = worst_trials(found, audio=True)
    assert text.count("<audio") == 40
    first = re.search(r"data:audio/ogg;base64,([^\"]*)", text)[1]
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(first)))
    assert rate == 16000
    assert len(samples) == 16000


def test_without_recordings_a_sentence_says_so(found):
    assert "no recordings" in worst_trials(found, audio=True)
