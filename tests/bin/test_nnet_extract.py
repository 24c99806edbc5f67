"""The program nnet-extract, on a corpus of noises."""

import os

import numpy as np
import pytest
import torch

from asdkit.__main__ import main
from asdkit.io.ark import read_arrays
from asdkit.models.networks import TrainedNetwork, load_network, save_network


@pytest.fixture
def network(noise_corpus, small_training):
    """Train one; return it."""
    assert main(["nnet-train", *small_training, "data/train", "exp/net"]) == 0
    return load_network("exp/net/network.pt")


def test_an_utterance_has_the_embedding_that_the_network_gives(network, noise_corpus):
    assert main(["nnet-extract", "data/train", "exp/net", "exp/net/train"]) == 0
    embeddings = dict(read_arrays("scp:exp/net/train/embedding.scp"))
    assert embeddings.keys() == noise_corpus.keys()
    for utt in ("s0-0", "s7-4"):
        feats = noise_corpus[utt] - noise_corpus[utt].mean(axis=0)
        with torch.no_grad():
            expected = network.network(torch.from_numpy(feats)[None])[0].numpy()
        np.testing.assert_allclose(embeddings[utt], expected, rtol=1e-3, atol=1e-4)


def test_features_of_another_dimension_are_refused(
    network, noise_corpus, rewrite_feats, capsys
):
    rewrite_feats({utt: matrix[:, :9] for utt, matrix in noise_corpus.items()})
    assert main(["nnet-extract", "data/train", "exp/net", "exp/x"]) == 1
    assert "expected features of 10 dimensions, got 9" in capsys.readouterr().err
    assert not os.path.exists("exp/x")


def test_audio_needs_features_that_have_a_name(network, capsys):
    arguments = ["--features", "audio", "data/train", "exp/net", "exp/x"]
    assert main(["nnet-extract", *arguments]) == 1
    assert "features of an unknown type cannot be computed" in capsys.readouterr().err


def test_a_network_that_gives_no_numbers_writes_nothing(network, capsys):
    with torch.no_grad():
        network.network.output.bias[0] = float("nan")
    save_network("exp/net/network.pt", TrainedNetwork(*network))
    assert main(["nnet-extract", "data/train", "exp/net", "exp/x"]) == 1
    assert "its embedding of 's" in capsys.readouterr().err
    assert not os.path.exists("exp/x/embedding.scp")


def test_a_directory_without_a_network_is_one_line(noise_corpus, capsys):
    assert main(["nnet-extract", "data/train", "exp/none", "exp/x"]) == 1
    assert "exp/none/network.pt: no such file" in capsys.readouterr().err
