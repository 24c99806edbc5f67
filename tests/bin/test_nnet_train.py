"""The program nnet-train, on a corpus of noises."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from asdkit.__main__ import main
from asdkit.data.networks import load_network
from asdkit.io.ark import read_arrays


def test_a_network_is_trained_and_knows_all_that_extraction_needs(
    noise_corpus, small_training
):
    arguments = [*small_training, "--num-valid-spks", "2", "data/train", "exp/net"]
    assert main(["nnet-train", *arguments]) == 0
    trained = load_network("exp/net/network.pt")
    assert len(trained.options["classes"]) == 6
    assert trained.options["network"]["feat_dim"] == 10
    assert trained.options["loss"]["name"] == "aam_softmax"
    assert trained.options["features"]["subtract_mean"]
    assert len(trained.options["history"]) == 2
    assert all(0 <= entry["EER %"] <= 100 for entry in trained.options["history"])


@pytest.mark.parametrize("loss", ["ge2e", "angular_prototypical"])
def test_metric_losses_have_batches_by_speaker(
    loss, noise_corpus, small_training, capsys
):
    arguments = ["--loss", loss, *small_training, "data/train", "exp/net"]
    assert main(["nnet-train", *arguments]) == 1
    assert "hint: --utts-per-speaker 2" in capsys.readouterr().err
    assert main(["nnet-train", "--utts-per-speaker", "2", *arguments]) == 0
    assert load_network("exp/net/network.pt").options["loss"]["name"] == loss


def test_other_options_and_other_speakers_are_one_line(
    noise_corpus, small_training, capsys
):
    arguments = [*small_training, "data/train", "exp/net"]
    assert main(["nnet-train", *arguments]) == 0
    assert main(["nnet-train", "--margin", "0.3", *arguments]) == 1
    assert "loss.margin = 0.2, now 0.3" in capsys.readouterr().err
    assert main(["nnet-train", "--num-valid-spks", "2", *arguments]) == 1
    error = capsys.readouterr().err
    assert re.search(r"has 8 classes, and the data none of 's\d' \(2 such", error)


def test_options_that_contradict_each_other_are_one_line(
    noise_corpus, small_training, capsys
):
    arguments = [*small_training, "data/train", "exp/net"]
    assert main(["nnet-train", "--perturb-speed", "true", *arguments]) == 1
    assert "stored features cannot be played" in capsys.readouterr().err
    features = ["--features", "fbank", "--voiced", "true"]
    assert main(["nnet-train", *features, *arguments]) == 1
    assert "left out of stored features only" in capsys.readouterr().err


def test_a_bad_frame_stops_with_its_utterance(
    noise_corpus, small_training, rewrite_feats, capsys
):
    noise_corpus["s3-1"][4, 2] = np.nan
    rewrite_feats(noise_corpus)
    assert main(["nnet-train", *small_training, "data/train", "exp/net"]) == 1
    assert "'s3-1' holds NaN or infinity" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_with_sigkill_it_ends_with_the_same_bits(noise_corpus, small_training):
    """The whole program in processes of its own, killed wherever it is."""
    options = [*small_training, "--checkpoint-minutes", "0", "--averaging", "ema"]
    command = [sys.executable, "-m", "asdkit", "nnet-train", *options, "data/train"]
    subprocess.run([*command, "exp/whole"], check=True, capture_output=True)
    seen = 0
    for _ in range(3):
        child = subprocess.Popen([*command, "exp/killed"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while last_step("exp/killed") <= seen and time.monotonic() < deadline:
            time.sleep(0.002)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        assert not os.path.exists("exp/killed/network.pt")
        assert last_step("exp/killed") > seen
        seen = last_step("exp/killed")
    subprocess.run([*command, "exp/killed"], check=True, capture_output=True)
    whole, killed = (
        load_network(f"exp/{name}/network.pt").network.state_dict()
        for name in ("whole", "killed")
    )
    assert all(torch.equal(whole[name], killed[name]) for name in whole)


def last_step(directory):
    """The number of the last checkpoint, 0 without."""
    if not os.path.isdir(directory):
        return 0
    names = (re.fullmatch(r"checkpoint\.(\d+)\.pt", x) for x in os.listdir(directory))
    return max((int(name[1]) for name in names if name), default=0)


@pytest.mark.slow
def test_two_ranks_train_and_extract(noise_corpus, small_training):
    launch = "-m torch.distributed.run --standalone --nproc-per-node 2 -m asdkit"
    ranks = [sys.executable, *launch.split()]
    options = ["--num-valid-spks", "2", *small_training]
    train = ["nnet-train", *options, "data/train", "exp/net"]
    subprocess.run([*ranks, *train], check=True, capture_output=True)
    extract = ["nnet-extract", "data/train", "exp/net"]
    subprocess.run([*ranks, *extract, "exp/two"], check=True, capture_output=True)
    assert main([*extract, "exp/one"]) == 0
    one = dict(read_arrays("scp:exp/one/embedding.scp"))
    two = dict(read_arrays("scp:exp/two/embedding.scp"))
    assert one.keys() == two.keys() == noise_corpus.keys()
    for utt in one:
        np.testing.assert_allclose(two[utt], one[utt], rtol=1e-3, atol=1e-4)
