import numpy as np
import pytest
import torch

from asdkit.base.errors import AsdkitError, DataError
from asdkit.countermeasures.scoring import score_network, write_scores
from asdkit.io.ark import read_arrays
from asdkit.io.cm_scores import read_cm_scores
from asdkit.models.networks import load_network


def scores_of(*args, **options):
    return {
        utt: float(score)
        for utts, scores in score_network(*args, **options)
        for utt, score in zip(utts, scores, strict=True)
    }


def test_the_score_is_what_network_and_loss_say_of_an_utterance(small_network):
    trained = load_network(f"{small_network}/network.pt")
    found = scores_of("data", f"{small_network}/network.pt")
    for utt, feats in read_arrays("scp:data/feats.scp"):
        with torch.inference_mode():
            embedding = trained.network(torch.from_numpy(feats.copy())[None])
            expected = trained.loss.scores(embedding).item()
        np.testing.assert_allclose(found[utt], expected, rtol=1e-3, atol=1e-3)


def test_the_crop_can_be_another_than_in_training(small_network):
    path = f"{small_network}/network.pt"
    whole, first = (scores_of("data", path, crop=crop) for crop in ("whole", "first"))
    assert whole == scores_of("data", path)
    assert whole.keys() == first.keys()
    assert any(abs(whole[utt] - first[utt]) > 1e-4 for utt in whole)


def test_the_features_can_be_computed(small_network):
    path = f"{small_network}/network.pt"
    stored, audio = (scores_of("data", path, features=x) for x in (None, "audio"))
    for utt, score in stored.items():
        np.testing.assert_allclose(audio[utt], score, rtol=1e-4, atol=1e-4)


def test_a_network_of_speakers_is_no_countermeasure(spoof_corpus, small_options):
    from asdkit.__main__ import main

    assert main(["nnet-train", *small_options, "data", "exp/spk"]) == 0
    with pytest.raises(DataError, match="got a network with 4 classes"):
        list(score_network("data", "exp/spk/network.pt"))


def test_frames_chosen_by_vad_cannot_be_computed(small_network, monkeypatch):
    from asdkit.countermeasures import loading

    trained = load_network(f"{small_network}/network.pt")
    trained.options["features"]["voiced"] = True
    monkeypatch.setattr(loading, "load_network", lambda path: trained)
    with pytest.raises(AsdkitError, match="are left out of stored features only"):
        list(score_network("data", "x", features="audio"))


def test_scores_are_written_in_the_order_of_utt2spk(spoof_corpus, caplog):
    utts = [f"s{n // 4}-{n:02}" for n in range(16)]
    parts = [(utts[9:], np.arange(9.0, 16.0)), (utts[1:9], np.arange(1.0, 9.0))]
    write_scores("scores", "data", parts)
    read = read_cm_scores("scores")
    assert read.utt == utts[1:]
    np.testing.assert_array_equal(read.values, np.arange(1.0, 16.0))
    assert "1 of 16 utterances have no score, e.g. 's0-00'" in caplog.text
    with pytest.raises(DataError, match="9 of 16 utterances have no score"):
        write_scores("scores", "data", parts[:1])
    with pytest.raises(DataError, match="the score of 's0-00' is nan"):
        write_scores("scores", "data", [(["s0-00"], np.array([np.nan])), *parts])
