"""Detectors whose decisions are paths: what they find in drawn recordings."""

import sys
import types

import numpy as np
import pytest
import torch

from asdkit.base.errors import AsdkitError, DataError
from asdkit.io.ark import ArkWriter, read_arrays
from asdkit.io.tables import read_table, write_table
from asdkit.vad.detection import compute_vad
from asdkit.vad.fsa_detectors import GmmDetector, ScoresDetector, SileroDetector


@pytest.fixture
def truth(speech, rng):
    """Features of voices in noise for `speech`, loud ones in some recordings only.

    A voice has more of every coefficient, but half its variance comes from noise, so
    single frames are often on the wrong side.
    """
    voiced, levels = {}, {}
    table = dict(read_arrays(f"scp:{speech}/feats.scp"))
    with ArkWriter("noisy", "feats") as writer:
        for utt, feats in table.items():
            num = len(feats)
            voiced[utt] = (np.arange(num) // 40) % 2 == 1
            levels[utt] = rng.uniform(-20, 20)
            scores = np.where(voiced[utt][:, None], 1.0, -1.0) * [1.5, 0.6, 0.6, 0, 0]
            writer[utt] = scores + rng.standard_normal((num, 5)) + levels[utt]
    write_table(speech / "feats.scp", read_table(writer.scp))
    return voiced


def share_wrong(data, truth):
    """How many of all frames are decided otherwise."""
    vad = dict(read_arrays(f"scp:{data}/vad.scp"))
    wrong = [np.mean((vad[utt] > 0) != voiced) for utt, voiced in truth.items()]
    return np.mean(wrong)


@pytest.mark.k2
def test_mixtures_learn_from_what_they_hear_at_any_level(speech, truth):
    compute_vad(speech, "exp", GmmDetector(num_gauss=2, loud_share=0.3))
    smooth = share_wrong(speech, truth)
    loose = GmmDetector(
        num_gauss=2,
        loud_share=0.3,
        min_speech_sec=0.01,
        min_pause_sec=0.01,
        change_cost=0,
    )
    compute_vad(speech, "exp", loose)
    assert smooth < 0.03
    assert share_wrong(speech, truth) > 2 * smooth


@pytest.mark.k2
def test_a_bias_keeps_more_frames(speech, truth):
    means = []
    for bias in (-2.0, 0.0, 2.0):
        compute_vad(speech, "exp", GmmDetector(speech_bias=bias, num_gauss=2))
        vads = read_arrays(f"scp:{speech}/vad.scp")
        means.append(np.mean(np.concatenate([vad for _, vad in vads])))
    assert means == sorted(means)
    assert means[0] < means[2]


@pytest.mark.k2
@pytest.mark.parametrize("columns", [1, 2])
def test_scores_of_any_classifier_do(speech, truth, rng, columns):
    with ArkWriter("scores", "scores") as writer:
        for utt, voiced in truth.items():
            odds = 2 * np.where(voiced, 1, -1) + 2 * rng.standard_normal(len(voiced))
            both = np.stack([-odds / 2, odds / 2], axis=1)
            writer[utt] = odds if columns == 1 else both
    compute_vad(speech, "exp", ScoresDetector(scores="scores/scores.scp"))
    assert share_wrong(speech, truth) < 0.03


@pytest.mark.k2
def test_silero_decides_by_what_it_hears(speech, truth, monkeypatch):
    """Its place is taken by a network that knows speech by being loud."""

    class Network:
        def reset_states(self):
            """Nothing is kept."""

        def audio_forward(self, samples, rate):
            assert rate == 16000
            num = -(-samples.shape[1] // 512)
            return torch.where(torch.arange(num) < num // 2, 0.9, 0.1)[None]

    fake = types.ModuleType("silero_vad")
    fake.load_silero_vad = Network
    monkeypatch.setitem(sys.modules, "silero_vad", fake)
    compute_vad(speech, "exp", SileroDetector())
    vad = dict(read_arrays(f"scp:{speech}/vad.scp"))["s0-u4"]
    assert vad[0] == 1
    (change,) = np.flatnonzero(np.diff(vad))
    assert vad[-1] == 0
    # 2.1 s are 66 times 32 ms, of which 33 are loud.
    assert 0.01 * change == pytest.approx(33 * 0.032, abs=0.02)


@pytest.mark.k2
def test_silero_names_whom_it_cannot_hear(speech, truth, monkeypatch):
    """s9 has features in feats.scp, and is in no manifest."""
    fake = types.ModuleType("silero_vad")
    fake.load_silero_vad = object
    monkeypatch.setitem(sys.modules, "silero_vad", fake)
    with ArkWriter("other", "feats") as writer:
        writer["s9"] = np.zeros((50, 5))
    write_table(speech / "feats.scp", read_table(writer.scp))
    with pytest.raises(DataError, match="'s9' has features, but no audio"):
        compute_vad(speech, "exp", SileroDetector())


@pytest.mark.parametrize("kind", [GmmDetector, SileroDetector, ScoresDetector])
def test_without_k2_nothing_is_written(speech, monkeypatch, tmp_path, kind):
    monkeypatch.setitem(sys.modules, "k2", None)
    with pytest.raises(AsdkitError, match="k2 is not installed"):
        compute_vad(speech, "exp", kind())
    assert not (tmp_path / "exp").exists()


@pytest.mark.k2
def test_without_silero_it_is_said_what_to_install(speech, monkeypatch):
    monkeypatch.setitem(sys.modules, "silero_vad", None)
    with pytest.raises(AsdkitError, match="silero_vad is not installed") as caught:
        compute_vad(speech, "exp", SileroDetector())
    assert caught.value.hint == "pip install silero-vad"


@pytest.mark.k2
@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "'s0-u0' is not in it"),
        ({"s0-u0": np.zeros(3)}, "'s0-u0': 3 scores for 48 frames"),
        ({"s0-u0": np.zeros((48, 3))}, r"'s0-u0': expected \(T,\) or \(T, 2\) scores"),
        ({"s0-u0": np.full(48, np.nan)}, "'s0-u0' holds NaN"),
    ],
)
@pytest.mark.usefixtures("damaged")
def test_scores_that_do_not_fit_are_named(speech, scores, message):
    with ArkWriter("scores", "scores") as writer:
        for utt, array in scores.items():
            writer[utt] = array
    with pytest.raises(DataError, match=message):
        compute_vad(speech, "exp", ScoresDetector(scores="scores/scores.scp"))


@pytest.mark.k2
def test_scores_must_be_named(speech):
    with pytest.raises(AsdkitError, match="needs --scores"):
        compute_vad(speech, "exp", ScoresDetector())
