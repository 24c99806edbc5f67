"""Trials are scored as the model scores their pairs, one by one."""

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.inference.trained_model import TrainedModel
from asdkit.inference.trial_scores import score_trials
from asdkit.io.trials import match_scores, read_pairs, read_scores


class Level(TrainedModel):
    """Embeds a recording as its level; silence is refused."""

    def __init__(self):
        super().__init__("here", "a model of levels")

    def embed_many(self, audios):
        found = [self.embed(audio) for audio in audios]
        return np.array(found)

    def embed(self, audio):
        level = float(np.abs(audio.load_audio()).mean())
        if not level:
            raise DataError(audio.id, "no speech")
        return np.array([level])

    def score_trials(self, enroll, test, rows, columns):
        return -np.abs(enroll[rows, 0] - test[columns, 0])


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    utterances = []
    for n in range(40):
        soundfile.write(f"u{n}.wav", np.full(1600, n / 64), 16000)
        place = (f"u{n}", f"s{n % 4}", f"u{n}.wav", False, 0.0, 0.1, 0, 16000)
        utterances.append(Utterance(*place))
    write_utterances("data", utterances)
    return tmp_path


def test_every_pair_has_the_score_of_the_model(data):
    (data / "trials").write_text("u1 u3 target\nu39 u2 nontarget\nu3 u1 spoof\n")
    score_trials(Level(), "data", "trials", "scores")
    scores, pairs = read_scores("scores"), read_pairs("trials")
    found = match_scores(pairs, scores, "trials", "scores")
    np.testing.assert_allclose(found, [-2 / 64, -37 / 64, -2 / 64], atol=1e-4)


def test_utterances_that_the_model_refuses_are_counted(data):
    (data / "trials").write_text("u1 u0 target\nu1 u2 nontarget\n")
    with pytest.raises(DataError, match="refuses 1 of 3 utterances, first 'u0'"):
        score_trials(Level(), "data", "trials", "scores")
    assert not (data / "scores").exists()


def test_utterances_that_are_not_there_are_named(data):
    (data / "trials").write_text("u1 x target\n")
    with pytest.raises(DataError, match="1 of 2 utterances are not in data: 'x'"):
        score_trials(Level(), "data", "trials", "scores")
