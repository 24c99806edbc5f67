"""Embeddings from the waveform are those that the programs write."""

import numpy as np
import pytest
import soundfile

import asdkit
from asdkit.base.errors import AsdkitError, DataError
from asdkit.data.cuts import read_cuts

KINDS = ["ivector", "stored", "audio"]


def error(found, expected):
    """Return the largest error relative to the length of a vector."""
    found, expected = np.stack(list(found)), np.stack(list(expected))
    lengths = np.linalg.norm(expected, axis=1)
    return (np.linalg.norm(found - expected, axis=1) / lengths).max()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_has_the_embedding_that_the_program_writes(models, kind):
    """Deltas, mean, VAD and the noise of dither are as in the training."""
    model, written = asdkit.load(f"exp/{kind}"), models.vectors(kind)
    assert len(written) == 16
    found = [model.embed(models.audio[utt]) for utt in written]
    assert found[0].dtype == np.float32
    assert error(found, written.values()) < 1e-5


@pytest.mark.parametrize("kind", KINDS)
def test_many_recordings_have_the_embeddings_of_each_alone(models, kind, monkeypatch):
    model = asdkit.load(f"exp/{kind}")
    files = [models.audio[utt] for utt in sorted(models.vectors(kind), reverse=True)]
    alone = [model.embed(file) for file in files]
    assert error(model.embed_many(files), alone) < 1e-5
    monkeypatch.setattr("asdkit.inference.recording_model.READ_AHEAD", 300)
    monkeypatch.setattr("asdkit.inference.embedders.MAX_FRAMES", 200)
    assert error(model.embed_many(iter(files)), alone) < 1e-5
    assert model.embed_many([]).shape == (0, model.embedding_dim)


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_and_samples_are_embedded_like_the_file(models, kind):
    model = asdkit.load(f"exp/{kind}")
    cut = next(iter(read_cuts("data", features=False)))
    expected = model.embed(models.audio[cut.id])
    np.testing.assert_array_equal(model.embed(cut), expected)
    samples, rate = soundfile.read(models.audio[cut.id])  # float64
    assert error([model.embed((samples, rate))], [expected]) < 0.1  # other dither
    np.testing.assert_array_equal(
        model.embed((samples, rate)),
        model.embed((samples.astype(np.float32), float(rate))),
    )


def test_scores_are_those_of_the_program(models):
    raw = asdkit.load("exp/ivector", backend="exp/plda.npz")
    llrs = asdkit.load(
        "exp/ivector", backend="exp/plda.npz", calibration="exp/calibration.npz"
    )
    written = models.scores("scores")
    for (enroll, test), expected in list(written.items())[::10]:
        score = raw.score(models.audio[enroll], models.audio[test])
        assert (score.kind, score.is_calibrated) == ("PLDA LLR", False)
        np.testing.assert_allclose(float(score), expected, rtol=1e-4, atol=1e-4)
    for (enroll, test), expected in list(models.scores("llrs").items())[::10]:
        score = llrs.score(models.audio[enroll], models.audio[test])
        assert (score.kind, score.is_calibrated) == ("log-likelihood ratio", True)
        np.testing.assert_allclose(float(score), expected, rtol=1e-4, atol=1e-4)


def test_without_a_back_end_the_score_is_the_cosine(models):
    model = asdkit.load("exp/audio")
    (_, x), (_, y), *_ = models.vectors("audio").items()
    files = [models.audio[utt] for utt in list(models.vectors("audio"))[:2]]
    score = model.score(*files)
    expected = x @ y / np.linalg.norm(x) / np.linalg.norm(y)
    np.testing.assert_allclose(float(score), expected, rtol=1e-5)
    assert str(score) == f"cosine {float(score):.4f} (not calibrated)"


def test_embeddings_and_several_enrollments_are_scored_as_recordings_are(models):
    model = asdkit.load("exp/ivector", backend="exp/plda.npz")
    a, b, test = (models.audio[utt] for utt in list(models.audio)[:3])
    stored = model.embed_many([a, b])
    both = model.score([a, b], test)
    np.testing.assert_allclose(
        float(model.score(list(stored), test)), float(both), rtol=1e-5
    )
    assert model.score(stored, test) == model.score(list(stored), test)
    expected = asdkit.load("exp/plda.npz").score(stored, model.embed(test))
    np.testing.assert_allclose(float(both), float(expected), rtol=1e-5)
    assert float(both) != pytest.approx(float(model.score(a, test)))


def test_what_cannot_be_embedded_is_one_clear_error(models, tmp_path):
    network, ivector = asdkit.load("exp/audio"), asdkit.load("exp/ivector")
    with pytest.raises(DataError, match=r"audio: expected at least 0.025 s, got 0.005"):
        network.embed((np.full(80, 0.1), 16000))
    with pytest.raises(DataError, match=r"audio: expected at least 0.02 s, got 0.005"):
        ivector.embed((np.full(80, 0.1), 16000))
    with pytest.raises(DataError, match=r"audio: no speech found in its 0.99 s"):
        ivector.embed((np.zeros(16000), 16000))
    with pytest.raises(AsdkitError, match="expected a recording or more, got none"):
        network.score([], models.audio["spk0001-01-01"])
    with pytest.raises(TypeError, match="expected a list of recordings"):
        network.embed_many("a.wav")


def test_fewer_frames_than_a_network_can_take_are_refused(models, monkeypatch):
    model = asdkit.load("exp/audio")
    monkeypatch.setattr(model.network, "min_frames", 15, raising=False)
    samples = np.random.default_rng(0).normal(0, 0.1, 14 * 160 + 240)
    with pytest.raises(DataError, match=r"at least 15 frames \(0.15 s\), got 14"):
        model.embed((samples, 16000))
    assert model.embed((np.tile(samples, 2), 16000)).shape == (8,)


def test_an_embedding_that_is_no_number_is_never_returned(models):
    model = asdkit.load("exp/audio")
    for parameter in model.network.parameters():
        parameter.data.fill_(float("nan"))
    with pytest.raises(DataError, match=r"network.pt: its embedding of .* not finite"):
        model.embed(models.audio["spk0001-01-01"])


def test_a_back_end_of_other_embeddings_is_refused(models):
    with pytest.raises(DataError, match=r"plda.npz: it takes embeddings of 5 numbers"):
        asdkit.load("exp/audio", backend="exp/plda.npz")


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_of_speakers_detects_no_spoofs(models, kind):
    with pytest.raises(AsdkitError, match="does not detect spoofed speech") as caught:
        asdkit.load(f"exp/{kind}").detect(models.audio["spk0001-01-01"])
    assert "cm-train" in caught.value.hint
