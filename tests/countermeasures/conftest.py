"""A corpus of spoofed noise, and models that tell it apart."""

import numpy as np
import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.data.manifests import (
    Utterance,
    read_manifests,
    write_manifests,
    write_utterances,
)
from asdkit.io.ark import ArkWriter
from asdkit.io.tables import read_table, write_table

SPOOFED_SEC = [0.5, 1.0]  # of every second utterance of `partial_corpus`


@pytest.fixture
def spoof_corpus(tmp_path, rng, monkeypatch):
    """Sixteen utterances of 0.2 to 0.8 s, half bona fide, with LFCCs.

    Bona fide noise is white, spoofed noise is low-pass.  The current directory is
    ``tmp_path``; ``data`` has the features of ``exp/lfcc``.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    utterances = []
    for n in range(16):
        utt, attack = f"s{n // 4}-{n:02}", ["bonafide", "A01", "bonafide", "A02"][n % 4]
        samples = 0.1 * rng.standard_normal(3200 + 640 * n)
        if attack != "bonafide":
            samples = np.convolve(samples, np.ones(3) / 3, mode="same")
        soundfile.write(f"{utt}.flac", samples, 16000)
        utterances.append(
            Utterance(
                utt,
                f"s{n // 4}",
                f"{utt}.flac",
                False,
                0.0,
                len(samples) / 16000,
                0,
                16000,
                custom={"attack": attack},
            )
        )
    write_utterances("data", utterances)
    assert main(["feats-compute", "--type", "lfcc", "data", "exp/lfcc"]) == 0
    return tmp_path / "data"


@pytest.fixture
def small_gmm(spoof_corpus):
    """Train two mixtures of four Gaussians."""
    options = ["--num-gauss", "4", "--device", "cpu"]
    assert main(["cm-gmm-train", *options, "data", "exp/gmm"]) == 0
    return "exp/gmm"


@pytest.fixture
def small_options():
    """The options of a training that takes a moment."""
    network = "--network senet9 --channels 4 --chunk-frames 30 --batch-size 4"
    loop = "--num-epochs 2 --optimizer adamw --learning-rate 0.01 --device cpu"
    return [*network.split(), *loop.split()]


@pytest.fixture
def small_network(spoof_corpus, small_options):
    """Train a small network."""
    assert main(["cm-train", *small_options, "data", "data", "exp/net"]) == 0
    return "exp/net"


@pytest.fixture
def partial_corpus(tmp_path, rng, monkeypatch):
    """Six utterances of two seconds, and scores of frames that are often wrong."""
    monkeypatch.chdir(tmp_path)
    utts = [f"u{n}" for n in range(6)]
    for utt in utts:
        soundfile.write(f"{utt}.wav", np.zeros(32000), 16000)
    write_utterances(
        "data",
        [Utterance(u, "s", f"{u}.wav", False, 0.0, 2.0, 0, 16000) for u in utts],
    )
    manifests = read_manifests("data")
    for n, item in enumerate(manifests.supervisions.values()):
        item.custom = {"attack": "A01", "spoofed": [SPOOFED_SEC]}
        item.custom = item.custom if n % 2 else {"attack": "bonafide"}
    write_manifests(
        "data", manifests.recordings.values(), manifests.supervisions.values()
    )
    with ArkWriter("ark", "feats") as writer:
        for utt in utts:
            writer[utt] = np.zeros((198, 2))
    write_table("data/feats.scp", read_table(writer.scp))
    with ArkWriter("exp", "frames") as writer:
        for n, utt in enumerate(utts):
            middles = 0.0125 + 0.01 * np.arange(198)
            inside = (
                (middles >= SPOOFED_SEC[0]) & (middles < SPOOFED_SEC[1]) & (n % 2 == 1)
            )
            scores = np.where(inside, -2, 2) + 2 * rng.standard_normal(198)
            writer[utt] = scores
    return utts
