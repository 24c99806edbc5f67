"""One network has the same error rate in every client that is installed."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.batches.feature_config import FeatureConfig
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.inference.graph_trials import TrialSet
from asdkit.inference.loading import load
from asdkit.inference.sherpa import SHERPA
from asdkit.models.networks import build_network, save_network

BENCH = Path(__file__).parents[2] / "tools/bench/clients.py"
spec = importlib.util.spec_from_file_location("clients", BENCH)
clients = importlib.util.module_from_spec(spec)
spec.loader.exec_module(clients)

FEATURES = {"SHERPA": SHERPA, "ONNX_ASR": clients.ONNX_ASR}


@pytest.fixture(params=["SHERPA"])
def trials(tmp_path, monkeypatch, rng, request):
    """Six recordings of two colors of noise, 16 bits, and an untrained network."""
    monkeypatch.chdir(tmp_path)
    utterances = []
    for n in range(6):
        utt = f"s{n % 2}-{n}"
        samples = np.convolve(rng.normal(0, 0.05, 16000), [1, n % 2 - 0.5], "same")
        samples[8000:] *= 3e-4  # below the floor of features of samples in [-1, 1)
        soundfile.write(f"{utt}.flac", samples, 16000, "PCM_16")
        words = utt, utt[:2], f"{utt}.flac", False, 0.0, 1.0, 0, 16000
        utterances.append(Utterance(*words))
    write_utterances("data", utterances)
    assert main(["trials-make", "data", "trials"]) == 0
    network = {"name": "ecapa_tdnn", "channels": 16, "pooled_channels": 24}
    config = FeatureConfig.computed_by(FEATURES[request.param], True)
    options = {
        "network": network,
        "loss": {"name": "cross_entropy"},
        "classes": ["x", "y"],
        "features": config.description,
    }
    save_network("network.pt", build_network(options))
    return TrialSet.read(load("."), "trials", "data")


def embed(trials, name, folder):
    read = clients.read_recording
    recordings = {x: read(cut, 16000).samples for x, cut in trials.cuts.items()}
    try:
        return np.stack(clients.CLIENTS[name](trials.model, folder, recordings))
    except clients.Missing as missing:
        pytest.skip(f"{name} is not installed: {missing}")


@pytest.mark.slow
@pytest.mark.parametrize("name", clients.CLIENTS)
def test_a_client_embeds_as_the_training_path_does(trials, name, tmp_path):
    require_equal(trials, embed(trials, name, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("trials", ["ONNX_ASR"], indirect=True)
def test_onnx_asr_computes_the_features_itself(trials, tmp_path):
    assert clients.computed_by(clients.ONNX_ASR, trials.model)
    assert not clients.computed_by(SHERPA, trials.model)
    require_equal(trials, embed(trials, "onnx-asr", tmp_path))


def require_equal(trials, found):
    expected = trials.model.embed_many(list(trials.cuts.values()))
    cosines = (found * expected).sum(1) / np.linalg.norm(found, axis=1)
    assert (cosines / np.linalg.norm(expected, axis=1) > 0.9999).all()


def test_a_client_that_is_missing_is_named_with_its_command(trials, monkeypatch):
    def missing(*_):
        raise clients.Missing("pip install it")

    monkeypatch.setattr(clients, "CLIENTS", {"x": missing})
    assert clients.compare(trials) == {"x": "not installed: pip install it"}


def test_the_script_has_a_help():
    words = [sys.executable, str(BENCH), "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "Equal error rate of one network in five clients" in done.stdout
