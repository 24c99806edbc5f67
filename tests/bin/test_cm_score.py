"""The programs cm-gmm-train and cm-score with the corpus of the countermeasures."""

import subprocess
import sys

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.io.cm_scores import read_cm_scores


@pytest.fixture
def attacked(noise_corpus):
    """Speakers s0 to s3 of the noises are attacks; the features stay."""
    from asdkit.data.manifests import read_utterances, write_utterances

    utterances = [
        item._replace(custom={"attack": "A01" if item.spk < "s4" else "bonafide"})
        for item in read_utterances("data/train")
    ]
    write_utterances("data/train", utterances)
    return noise_corpus


@pytest.fixture
def models(attacked, small_training):
    """A network and two mixtures."""
    data = "data/train"
    assert main(["cm-gmm-train", "--num-gauss", "4", data, "exp/gmm"]) == 0
    assert main(["cm-train", *small_training, data, data, "exp/net"]) == 0
    return ["exp/gmm", "exp/net"]


def test_either_kind_of_model_scores_every_utterance(models, attacked):
    for model in models:
        assert main(["cm-score", "data/train", model, f"{model}/scores"]) == 0
        scores = read_cm_scores(f"{model}/scores")
        assert set(scores.utt) == attacked.keys()
        assert np.isfinite(scores.values).all()


def test_a_folder_without_a_model_is_one_line(attacked, capsys):
    assert main(["cm-score", "data/train", "exp", "scores"]) == 1
    assert "exp: expected network.pt" in capsys.readouterr().err


@pytest.mark.slow
def test_two_ranks_score_what_one_does(models):
    launch = "-m torch.distributed.run --standalone --nproc-per-node 2 -m asdkit"
    train = ["cm-gmm-train", "--num-gauss", "4", "data/train", "exp/gmm2"]
    ranks = [sys.executable, *launch.split()]
    subprocess.run([*ranks, *train], check=True, capture_output=True)
    for model in [*models, "exp/gmm2"]:
        score = ["cm-score", "data/train", model]
        subprocess.run([*ranks, *score, f"{model}/2"], check=True, capture_output=True)
        one = model.removesuffix("2")
        assert main(["cm-score", "data/train", one, f"{one}/1"]) == 0
        alone, both = (read_cm_scores(x) for x in (f"{one}/1", f"{model}/2"))
        assert alone.utt == both.utt
        np.testing.assert_allclose(both.values, alone.values, rtol=1e-3, atol=1e-3)
