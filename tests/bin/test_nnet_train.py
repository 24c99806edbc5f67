"""The program nnet-train, on a corpus of noises."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from asdkit.__main__ import main
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.io.ark import ArkWriter, read_arrays
from asdkit.models.networks import load_network
from asdkit.nnet.network import Network
from asdkit.nnet.resnet import ResNet

STUDENT = ["data/train", "exp/student"]


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


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("--seed=-1", "expected an integer at least 0, got -1"),
        ("--num-epochs=0", "expected an integer at least 1, got 0"),
        ("--batch-size=0", "expected an integer at least 1, got 0"),
        ("--chunk-frames=0", "expected an integer at least 1, got 0"),
        ("--channels=0", "expected an integer at least 1, got 0"),
        ("--embedding-dim=-8", "expected an integer at least 1, got -8"),
        ("--accumulate=0", "expected an integer at least 1, got 0"),
        ("--num-workers=-1", "expected an integer at least 0, got -1"),
        ("--utts-per-valid-spk=1", "expected an integer at least 2, got 1"),
        ("--augment-prob=1.1", "expected a number at least 0 and at most 1, got 1.1"),
        ("--spec-augment-prob=nan", "at least 0 and at most 1, got nan"),
        ("--margin-start=-0.1", "expected a number at least 0 and at most 1, got -0.1"),
        ("--warmup=1", "expected a number at least 0 and below 1, got 1"),
        ("--ema-decay=1", "expected a number at least 0 and below 1, got 1"),
        ("--learning-rate=0", "expected a number above 0, got 0"),
        ("--max-grad-norm=0", "expected a number above 0, got 0"),
        ("--scale=-30", "expected a number above 0, got -30"),
        ("--num-subcenters=0", "expected an integer at least 1, got 0"),
        ("--pooling=mean", "invalid choice: 'mean'"),
    ],
)
def test_a_value_that_cannot_be_is_one_line(option, problem, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["nnet-train", option, "data/train", str(tmp_path / "net")])
    first, hint = capsys.readouterr().err.splitlines()
    name = option.partition("=")[0]
    assert first.startswith(f"asdkit nnet-train: error: argument {name}: ")
    assert problem in first
    assert hint == "  hint: asdkit nnet-train --help"
    assert not list(tmp_path.iterdir())


def test_gradients_may_be_as_long_as_they_are(noise_corpus, small_training):
    options = [*small_training, "--max-grad-norm", "inf"]
    assert main(["nnet-train", *options, "data/train", "exp/net"]) == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("--network ecapa_tdnn --channels 12", "a multiple of 8 channels, got 12"),
        ("--network xvector --chunk-frames 14", "of 15 frames or more, as the network"),
    ],
)
def test_a_network_that_cannot_be_is_one_line(
    options, problem, noise_corpus, small_training, capsys
):
    arguments = [*small_training, *options.split(), "data/train", "exp/net"]
    assert main(["nnet-train", *arguments]) == 1
    assert problem in capsys.readouterr().err
    assert not Path("exp/net").exists()


@pytest.mark.usefixtures("damaged")
def test_a_bad_frame_stops_with_its_utterance(
    noise_corpus, small_training, rewrite_feats, capsys
):
    noise_corpus["s3-1"][4, 2] = np.nan
    rewrite_feats(noise_corpus)
    assert main(["nnet-train", *small_training, "data/train", "exp/net"]) == 1
    assert "'s3-1' holds NaN or infinity" in capsys.readouterr().err


FROM_AUDIO = "--features fbank --perturb-speed true --spec-augment-prob 0.5"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data_dir", "more"),
    [
        ("data/train", "--averaging ema"),
        ("data/audio", f"{FROM_AUDIO} --num-workers 1 --optimizer adamw"),
    ],
)
def test_killed_with_sigkill_it_ends_with_the_same_bits(
    data_dir, more, audio, small_training
):
    """The whole program in processes of its own, killed wherever it is."""
    options = [*small_training, "--checkpoint-minutes", "0", *more.split()]
    command = [sys.executable, "-m", "asdkit", "nnet-train", *options, data_dir]
    subprocess.run([*command, "exp/whole"], check=True, capture_output=True)
    seen = 0
    for _ in range(2):
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


@pytest.fixture
def write_vectors(rng):
    """Write an archive of vectors of 5 dimensions."""

    def write(name, utts, positive=False):
        with ArkWriter("exp/teacher", name) as writer:
            for utt in utts:
                x = rng.normal(size=5).astype(np.float32)
                writer[utt] = np.exp(x) if positive else x
        return f"scp:exp/teacher/{name}.scp"

    return write


@pytest.fixture
def teacher(noise_corpus, small_training):
    """Train a network on all eight speakers."""
    assert main(["nnet-train", *small_training, "data/train", "exp/net"]) == 0
    return "exp/net"


@pytest.mark.parametrize(
    ("objective", "options"),
    [
        ("mse", "--distill-weight 2 --distill-warmup 0.5"),
        ("mse", "--loss ge2e --utts-per-speaker 2"),
        ("precision", "--slack 1"),
        ("cosine", "--embedding-dim 5 --projection identity"),
        ("relational", "--angle-weight 1 --accumulate 2"),
    ],
)
def test_vectors_teach(objective, options, noise_corpus, small_training, write_vectors):
    vectors = write_vectors("ivector", noise_corpus)
    arguments = [*small_training, "--objective", objective, "--teacher", vectors]
    if objective == "precision":
        precision = write_vectors("precision", noise_corpus, positive=True)
        arguments += ["--teacher-precision", precision]
    assert main(["nnet-train", *arguments, *options.split(), *STUDENT]) == 0
    trained = load_network("exp/student/network.pt")
    assert trained.options["objective"]["name"] == objective
    assert trained.options["teacher"]["teacher"] == vectors
    terms = {"distances", "angles"} if objective == "relational" else {objective}
    assert terms | {"loss", "distill"} <= trained.options["history"][-1].keys()


@pytest.mark.parametrize("objective", ["kl", "decoupled_kd", "kl_cosine", "cosine"])
@pytest.mark.parametrize("loss", ["am_softmax", "ge2e"])
def test_a_network_teaches(objective, loss, teacher, small_training):
    """The student holds two speakers out, so its labels are not the teacher's."""
    options = f"--loss {loss} --utts-per-speaker 2 --num-valid-spks 2 --teacher exp/net"
    arguments = [*small_training, *options.split(), "--objective", objective]
    assert main(["nnet-train", *arguments, *STUDENT]) == 0
    trained = load_network("exp/student/network.pt")
    assert len(trained.options["classes"]) == 6
    assert len(trained.options["history"]) == 2


def test_a_second_student_does_not_ask_what_the_first_one_asked(
    teacher, small_training, monkeypatch
):
    """Chunks depend on data and seed, not on who hears them or what it minimizes."""
    asked = []

    def count(self, feats, num_frames=None):
        if self.embedding_dim == 8:  # the teacher's
            asked.append(len(feats))
        return Network.__call__(self, feats, num_frames)

    monkeypatch.setattr(ResNet, "__call__", count)
    keeping = ["--teacher", "exp/net", "--teacher-cache", "exp/cache"]
    common = [*small_training, "--spec-augment-prob", "0.5", "--embedding-dim", "4"]
    first = [*common, "--network", "resnet34", "--objective", "cosine", *keeping]
    assert main(["nnet-train", *first, "data/train", "exp/first"]) == 0
    assert len(asked) == 10  # 40 utterances in batches of 8, twice
    second = [*common, "--network", "xvector", "--objective", "kl"]
    assert main(["nnet-train", *second, *keeping, *STUDENT]) == 0
    assert len(asked) == 10
    without = [*second, "--teacher", "exp/net", "data/train", "exp/without"]
    assert main(["nnet-train", *without]) == 0
    assert len(asked) == 20
    ours, theirs = (
        load_network(f"exp/{name}/network.pt") for name in ("student", "without")
    )
    assert [entry["kl"] for entry in ours.options["history"]] == [
        entry["kl"] for entry in theirs.options["history"]
    ]
    for name, weights in ours.network.state_dict().items():
        assert torch.equal(weights, theirs.network.state_dict()[name]), name
    other_seed = [*second, *keeping, "--seed", "1", "data/train", "exp/seed1"]
    assert main(["nnet-train", *other_seed]) == 0
    assert len(asked) == 30


def test_a_cache_of_vectors_or_of_nobody_is_one_line(
    noise_corpus, small_training, write_vectors, capsys
):
    vectors = write_vectors("ivector", noise_corpus)
    cache = ["--teacher-cache", "exp/cache"]
    arguments = [*small_training, *cache, "--objective", "mse", "--teacher", vectors]
    assert main(["nnet-train", *arguments, *STUDENT]) == 1
    assert "--teacher-cache exp/cache: vectors are on disk" in capsys.readouterr().err
    assert main(["nnet-train", *small_training, *cache, *STUDENT]) == 1
    assert "exp/cache needs --teacher" in capsys.readouterr().err


def test_a_speaker_whom_the_teacher_does_not_know_is_one_line(
    noise_corpus, small_training, capsys
):
    held_out = ["--num-valid-spks", "2", *small_training]
    assert main(["nnet-train", *held_out, "data/train", "exp/net"]) == 0
    arguments = [*small_training, "--objective", "kl", "--teacher", "exp/net"]
    assert main(["nnet-train", *arguments, *STUDENT]) == 1
    assert "2 of 8 classes are not among the 6 of the teacher: s" in (
        capsys.readouterr().err
    )


def test_another_teacher_is_refused(
    noise_corpus, small_training, write_vectors, capsys
):
    write_vectors("ivector", noise_corpus)
    options = "--objective mse --teacher scp:exp/teacher/ivector.scp"
    arguments = [*small_training, *options.split(), *STUDENT]
    assert main(["nnet-train", *arguments]) == 0
    write_vectors("ivector", noise_corpus)
    assert main(["nnet-train", *arguments]) == 1
    assert "made with teacher.checksum = " in capsys.readouterr().err


def test_missing_vectors_are_an_error_or_left_out(
    noise_corpus, small_training, write_vectors, capsys
):
    vectors = write_vectors("ivector", [*noise_corpus][2:])
    arguments = [*small_training, "--objective", "mse", "--teacher", vectors]
    assert main(["nnet-train", *arguments, *STUDENT]) == 1
    error = capsys.readouterr().err
    assert "no vector of 2 of 40 training utterances: s0-0, s0-1" in error
    skip = ["--missing-teacher", "skip"]
    assert main(["nnet-train", *arguments, *skip, *STUDENT]) == 0
    assert "38 utterances of 8 speakers" in capsys.readouterr().err


def test_options_of_other_objectives_are_refused(teacher, small_training, capsys):
    options = ["--objective", "cosine", "--gamma", "2", "--teacher", "exp/net"]
    assert main(["nnet-train", *small_training, *options, *STUDENT]) == 1
    assert "--gamma: --objective cosine has no such option" in capsys.readouterr().err


@pytest.fixture
def audio(noise_corpus):
    """Give the utterances audio, too: 0.6 s of noise each."""
    rng = np.random.default_rng(1)
    utts = []
    for utt in noise_corpus:
        soundfile.write(f"{utt}.wav", 0.1 * rng.standard_normal(9600), 16000)
        source = f"{utt}.wav"
        utts.append(Utterance(utt, utt[:2], source, False, 0.0, 0.6, 0, 16000, None))
    write_utterances("data/audio", utts)
    return "data/audio"


def test_a_self_supervised_teacher_hears_samples_and_the_student_mel_bins(
    audio, small_training, torchaudio
):
    """From a checkpoint of transformers' to a teacher, and from that to a student."""
    transformers = pytest.importorskip("transformers")
    config = transformers.WavLMConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
    )
    torch.manual_seed(0)
    model = transformers.WavLMModel(config)
    model.save_pretrained("exp/wavlm")
    options = "--network ssl_ecapa --channels 16 --embedding-dim 6 --num-epochs 1"
    options += " --features waveform --chunk-frames 5040 --batch-size 8 --device cpu"
    options += " --ssl-checkpoint exp/wavlm --learning-rate 0.01"
    assert main(["nnet-train", *options.split(), audio, "exp/teacher"]) == 0
    teacher = load_network("exp/teacher/network.pt").network
    theirs = model.encoder.layers[0].feed_forward.intermediate_dense.weight
    ours = teacher.ssl.model.encoder.transformer.layers[0].feed_forward
    assert torch.equal(ours.intermediate_dense.weight, theirs)
    assert teacher.mixture.abs().sum() > 0
    options = "--features fbank --objective kl_cosine --teacher exp/teacher"
    arguments = [*small_training, *options.split(), audio, "exp/student"]
    assert main(["nnet-train", *arguments]) == 0


def test_ssl_networks_and_their_checkpoints_go_together(
    noise_corpus, small_training, capsys
):
    for options in ("--network ssl_ecapa", "--ssl-checkpoint exp/wavlm"):
        assert main(["nnet-train", *options.split(), *STUDENT]) == 1
        assert "networks ssl_... have one, others none" in capsys.readouterr().err
