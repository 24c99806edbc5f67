"""Scores of countermeasures from the waveform are those that cm-score writes."""

import numpy as np
import pytest

import asdkit
from asdkit.base.errors import AsdkitError, DataError

KINDS = {
    "gmm": "bona fide LLR per frame",
    "gmm_voiced": "bona fide LLR per frame",
    "cm": "bona fide score",
    "cm_audio": "bona fide score",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_has_the_score_that_the_program_writes(models, kind):
    model, written = asdkit.load(f"exp/{kind}"), models.scores(f"{kind}/scores")
    assert len(written) == 32
    files = [models.audio[utt] for (utt,) in written]
    together = model.detect_many(files)
    alone = [model.detect(file) for file in files]
    expected = list(written.values())
    for found in (together, alone):
        np.testing.assert_allclose(
            [float(score) for score in found], expected, rtol=1e-5, atol=1e-5
        )
    assert {score.kind for score in together} == {KINDS[kind]}
    assert not any(score.is_calibrated for score in together)


def test_batches_make_no_difference(models, monkeypatch):
    for kind in KINDS:
        model = asdkit.load(f"exp/{kind}")
        files = list(models.audio.values())[:8]
        before = [float(score) for score in model.detect_many(files)]
        with monkeypatch.context() as patch:
            patch.setattr("asdkit.inference.recording_model.READ_AHEAD", 200)
            after = [float(score) for score in model.detect_many(files)]
        np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5)


def test_a_short_recording_is_repeated_as_cm_score_does(models):
    model = asdkit.load("exp/cm")
    samples = np.random.default_rng(0).normal(0, 0.1, 400)
    assert np.isfinite(float(model.detect((samples, 16000))))


def test_a_countermeasure_compares_no_speakers(models):
    path = models.audio["spk0001-01-01"]
    for kind in KINDS:
        model = asdkit.load(f"exp/{kind}")
        with pytest.raises(AsdkitError, match=r"a countermeasure .* does not compare"):
            model.score(path, path)
        with pytest.raises(AsdkitError, match="has no use for backend="):
            asdkit.load(f"exp/{kind}", backend="exp/plda.npz")


def test_a_score_that_is_no_number_is_never_returned(models):
    model = asdkit.load("exp/cm")
    for parameter in model.cm.network.parameters():
        parameter.data.fill_(float("nan"))
    with pytest.raises(DataError, match=r"network.pt: its score of .* is nan"):
        model.detect(models.audio["spk0001-01-01"])
