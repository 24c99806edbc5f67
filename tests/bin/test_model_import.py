"""The program model-import, and what the network it writes is good for."""

import json

import numpy as np
import pytest
import soundfile
import torch

from asdkit.__main__ import main
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.io.cm_scores import read_cm_scores
from asdkit.models.networks import load_network

DATA = "data/train"
SECONDS = {"s0-a": 0.3, "s1-a": 0.4, "s2-b": 0.35, "s3-b": 4.2}  # b: bona fide


@pytest.fixture
def teacher(tmp_path, rng, monkeypatch, one_thread, aasist_state):
    """Import random weights of AASIST-L into exp/teacher; recordings are in DATA."""
    monkeypatch.chdir(tmp_path)
    utterances = []
    for utt, seconds in SECONDS.items():
        samples = 0.1 * rng.standard_normal(round(16000 * seconds))
        soundfile.write(f"{utt}.flac", samples, 16000)
        attack = "bonafide" if utt.endswith("b") else "A01"
        utterances.append(
            Utterance(
                *(utt, utt[:2], f"{utt}.flac", False, 0.0, seconds, 0, 16000),
                custom={"attack": attack},
            )
        )
    write_utterances(DATA, utterances)
    torch.save(aasist_state(24), "published.pth")
    assert main(["model-import", "aasist", "published.pth", "exp/teacher"]) == 0
    return "exp/teacher"


def test_cm_score_repeats_or_cuts_as_the_authors_do(teacher):
    assert main(["cm-score", "--max-frames", "64600", DATA, teacher, "scores"]) == 0
    scores = read_cm_scores("scores")
    trained = load_network(f"{teacher}/network.pt")
    for utt, score in zip(scores.utt, scores.values, strict=True):
        samples = soundfile.read(f"{utt}.flac", dtype="float32")[0]
        times = 64600 // len(samples) + 1
        samples = np.tile(samples, times)[None, :64600, None]
        with torch.no_grad():
            logits = trained.loss.logits(trained.network(torch.from_numpy(samples)))
        assert score == pytest.approx((logits[0, 1] - logits[0, 0]).item(), abs=1e-4)


def train(directory, *options):
    loop = "--crop first --batch-size 4 --num-epochs 1"
    rate = "--optimizer adam --learning-rate 1e-3 --device cpu"
    command = ["cm-train", *loop.split(), *rate.split(), *options]
    return main([*command, DATA, DATA, directory])


def test_it_teaches_a_network_on_other_features_and_is_fine_tuned(teacher, capsys):
    kl = ["--objective", "kl", "--teacher", teacher, "--features", "lfcc"]
    student = ["--network", "senet9", "--channels", "4", "--chunk-frames", "25"]
    assert train("exp/student", *kl, *student) == 0
    assert "distill = " in capsys.readouterr().err
    samples = ["--features", "waveform", "--chunk-frames", "4000"]
    same = ["--network", "aasist_l", "--init-from", f"{teacher}/network.pt", *samples]
    assert train("exp/tuned", *same, "--pre-norm", "false") == 0
    assert train("exp/other", *same) == 1
    said = "expected the same network, got network.pre_norm = False, now True"
    assert said in capsys.readouterr().err


def test_what_opens_networks_opens_it(teacher, capsys):
    assert main(["nnet-info", "--num-frames", "4000", teacher]) == 0
    capsys.readouterr()
    assert main(["model-info", f"{teacher}/network.pt"]) == 0
    options = json.loads(capsys.readouterr().out)["options"]
    assert options["imported"]["file"] == "published.pth"
    attack = ["--adversaries", "fgsm", "--epsilons", "0.01", "--crop", "whole"]
    assert main(["cm-attack", *attack, DATA, teacher, "exp/attacked"]) == 0
    assert len(read_cm_scores("exp/attacked/fgsm_0.01").utt) == len(SECONDS)


def test_one_clear_line_and_no_file_where_a_tensor_is_missing(
    tmp_path, monkeypatch, aasist_state, capsys
):
    monkeypatch.chdir(tmp_path)
    state = aasist_state(64)
    del state["pool_T.proj.weight"]
    torch.save(state, "cut.pth")
    assert main(["model-import", "aasist", "cut.pth", "exp/x"]) == 1
    lines = capsys.readouterr().err.splitlines()
    errors = [line for line in lines if line.startswith("asdkit model-import: error")]
    assert errors == [
        "asdkit model-import: error: cut.pth: not the weights of aasist: tensor "
        "'pool_T.proj.weight' of shape (1, 64) is missing"
    ]
    assert not (tmp_path / "exp/x/network.pt").exists()
