from pathlib import Path

import numpy as np
import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.countermeasures.gmm import (
    SpoofFrontEnd,
    load_spoof_gmm,
    split_classes,
    train_spoof_gmm,
)
from asdkit.features.frontend import FrontEnd
from asdkit.io.ark import read_arrays
from asdkit.io.tables import read_table, write_table


def test_the_score_is_the_mean_ratio_of_the_frames(small_gmm):
    """The definition, written out: log-sums over Gaussians, a mean over frames."""
    model = load_spoof_gmm(f"{small_gmm}/gmm.npz")
    scores = dict(
        pair for utts, x in model.score("data") for pair in zip(utts, x, strict=True)
    )
    for utt, feats in read_arrays("scp:data/feats.scp"):
        frames = torch.from_numpy(FrontEnd(1, 2, 0)(feats)).double()
        assert frames.shape[1] == 60
        bonafide, spoof = (
            np.logaddexp.reduce(gmm.loglikes(frames).numpy(), axis=1)
            for gmm in (model.bonafide, model.spoof)
        )
        np.testing.assert_allclose(scores[utt], (bonafide - spoof).mean(), rtol=1e-4)


def test_bona_fide_scores_are_higher(small_gmm):
    model = load_spoof_gmm(f"{small_gmm}/gmm.npz")
    attacks = read_table("data/utt2attack")
    scored = {}
    for utts, scores in model.score("data"):
        scored |= dict(zip(utts, scores, strict=True))
    is_bonafide = {utt: attacks[utt] == "bonafide" for utt in scored}
    lowest = min(scored[utt] for utt in scored if is_bonafide[utt])
    assert lowest > max(scored[utt] for utt in scored if not is_bonafide[utt])


def test_a_model_comes_back_with_its_front_end(small_gmm, spoof_corpus):
    read = load_spoof_gmm(f"{small_gmm}/gmm.npz")
    options = {"num_gauss": 4, "seed": 0}
    again = train_spoof_gmm("data", SpoofFrontEnd(), **options)
    np.testing.assert_array_equal(read.spoof.means_, again.spoof.means_)
    assert read.frontend == FrontEnd(delta_window=1, delta_order=2, cmn_window=0)
    assert (read.feature_config.type, read.feature_config.options["num_ceps"]) == (
        "lfcc",
        20,
    )


def test_other_features_are_refused(small_gmm, spoof_corpus):
    from asdkit.__main__ import main

    model = load_spoof_gmm(f"{small_gmm}/gmm.npz")
    other = ["feats-compute", "--type", "lfcc", "--num-ceps", "10", "data", "exp/other"]
    assert main(other) == 0
    with pytest.raises(DataError, match="trained with --num-ceps=20, these "):
        list(model.score("data"))


def test_every_utterance_has_a_class_and_every_class_an_utterance(spoof_corpus):
    bonafide, spoof = split_classes("data")
    assert len(bonafide) == len(spoof) == 8
    Path("data/supervisions.jsonl.gz").unlink()  # which would contradict
    attacks = read_table("data/utt2attack")
    write_table("data/utt2attack", dict.fromkeys(attacks, "A01"))
    with pytest.raises(DataError, match="got 0 bona fide and 16 spoofed"):
        split_classes("data")
    write_table("data/utt2attack", {"s0-00": "bonafide"})
    with pytest.raises(DataError, match=r"'s0-01' is not in it \(15 such\)"):
        split_classes("data")
