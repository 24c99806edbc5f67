"""The program nnet-info."""

from asdkit.__main__ import main
from asdkit.losses.registry import LOSSES
from asdkit.models.networks import build_network, full_options, save_network
from asdkit.nnet.registry import MODELS


def test_it_prints_a_line_per_network(capsys):
    assert main(["nnet-info", "xvector", "senet9", "--num-frames", "30"]) == 0
    _, first, second, _ = capsys.readouterr().out.splitlines()
    assert first.split()[:6] == ["xvector", "30", "x", "80", "256", "3,645,404"]
    assert second.split()[:6] == ["senet9", "30", "x", "45", "128", "314,640"]


def test_dimensions_can_be_given(capsys):
    command = ["nnet-info", "xvector", "--feat-dim", "24", "--embedding-dim", "64"]
    assert main(command) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[3:5] == ["24", "64"]


def test_compare_prints_shares(capsys):
    command = ["nnet-info", "--compare", "senet9", "ecanet9", "--num-frames", "30"]
    assert main(command) == 0
    assert "of senet9" in capsys.readouterr().out


def test_the_student_of_adversarial_speaker_distillation_is_a_fifth(capsys):
    """The published shares, which are what says that these are the paper's networks."""
    networks = ["resnet_se34", "resnet_se34_fast"]
    command = ["nnet-info", "--compare", *networks, "--num-frames", "401"]
    assert main(command) == 0
    _, teacher, student, share, _ = capsys.readouterr().out.splitlines()
    assert teacher.split()[5:8] == ["6,389,324", "4.585", "G"]
    assert student.split()[5:8] == ["1,437,078", "0.888", "G"]
    assert share.split()[:6] == ["of", "resnet_se34", "22.5", "%", "19.4", "%"]


def test_too_short_an_utterance_is_one_line(capsys):
    assert main(["nnet-info", "xvector", "--num-frames", "10"]) == 1
    error = capsys.readouterr().err
    assert "--num-frames: xvector needs 15 or more, got 10" in error


def test_a_trained_network_is_given_as_its_directory(tmp_path, capsys):
    sizes = {"channels": 8, "feat_dim": 24, "embedding_dim": 16}
    options = {
        "network": full_options(MODELS, "xvector", sizes),
        "loss": full_options(LOSSES, "cross_entropy", {}),
        "classes": ["anne", "bob"],
    }
    save_network(tmp_path / "network.pt", build_network(options))
    assert main(["nnet-info", str(tmp_path), "--num-frames", "30"]) == 0
    _, line, _ = capsys.readouterr().out.splitlines()
    assert line.split()[1:5] == ["30", "x", "24", "16"]


def test_what_is_neither_a_network_nor_a_directory_is_one_line(capsys):
    assert main(["nnet-info", "resnet35"]) == 1
    assert "expected a network's name or a directory" in capsys.readouterr().err
