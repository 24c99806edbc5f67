"""Corpora of noises and tones, to train networks on."""

import numpy as np
import pytest
import soundfile
import torch

from asdkit.__main__ import main
from asdkit.base.errors import DataError
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.inference.score import LLR, Score
from asdkit.inference.verdict import Verdict
from asdkit.inference.voices import Voice
from asdkit.io.ark import ArkWriter
from asdkit.io.tables import read_table, write_table
from asdkit.metrics.decision_costs import DecisionCosts


@pytest.fixture
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def noise_corpus(tmp_path, rng, monkeypatch, one_thread):
    """Eight speakers with five utterances each; features of 10 bins."""
    monkeypatch.chdir(tmp_path)
    utts, feats = [], {}
    for spk in range(8):
        mean = rng.normal(size=10)
        for n in range(5):
            utt = f"s{spk}-{n}"
            length = int(rng.integers(20, 60))
            feats[utt] = (mean * np.sign(rng.normal(size=(length, 1)))).astype("f4")
            feats[utt] += 0.3 * rng.normal(size=feats[utt].shape).astype("f4")
            utts.append(
                Utterance(
                    utt=utt,
                    spk=f"s{spk}",
                    source=f"{utt}.wav",
                    is_command=False,
                    start=0.0,
                    duration=length / 100,
                    channel=0,
                    sampling_rate=16000,
                    gender=None,
                )
            )
    write_utterances("data/train", utts)
    write_feats(feats)
    return feats


def write_feats(feats):
    """Write features into data/train."""
    with ArkWriter("exp/feats", "feats") as writer:
        for utt, matrix in feats.items():
            writer[utt] = matrix
    write_table("data/train/feats.scp", read_table(writer.scp))
    write_table("data/train/utt2num_frames", {u: len(x) for u, x in feats.items()})


@pytest.fixture
def rewrite_feats():
    return write_feats


@pytest.fixture
def small_training():
    """The options of a training that takes a moment."""
    network = "--network resnet18 --channels 4 --embedding-dim 8 --chunk-frames 30"
    loop = "--batch-size 8 --num-epochs 2 --learning-rate 0.02 --device cpu"
    return [*network.split(), *loop.split()]


@pytest.fixture
def one_attack(tmp_path, rng, monkeypatch):
    """Four speakers with two utterances, the second of which is noise, a spoof."""
    monkeypatch.chdir(tmp_path)
    utterances = []
    for spk in range(4):
        for n, attack in enumerate(["bonafide", "A01"]):
            utt = f"s{spk}-{n}"
            samples = 0.1 * rng.standard_normal(16000)
            if attack == "bonafide":
                samples = 0.3 * np.sin(0.1 * (1 + spk) * np.arange(16000)) + samples / 9
            soundfile.write(f"{utt}.wav", samples, 16000)
            custom = {"attack": attack}
            row = (utt, f"s{spk}", f"{utt}.wav", False, 0.0, 1.0, 0, 16000)
            utterances.append(Utterance(*row, custom=custom))
    write_utterances("data", utterances)


@pytest.fixture
def frame_training():
    """The options of a training on frames that takes a moment."""
    network = "--network senet9 --channels 2 --objective frame_labels"
    loop = "--chunk-frames 60 --batch-size 4 --num-epochs 1 --loss cross_entropy"
    return [*network.split(), *loop.split(), "--device", "cpu"]


@pytest.fixture
def frame_network(one_attack, frame_training):
    """Features of spliced utterances, and a network that has seen their frames."""
    assert main(["spoof-splice", "--max-sec=0.4", "data", "spliced", "wav"]) == 0
    assert main(["feats-compute", "--type=fbank", "spliced", "exp/feats"]) == 0
    assert main(["cm-train", *frame_training, "spliced", "spliced", "exp/cm"]) == 0


class Bundle:
    """Stands in for a bundle: scores from names, so that programs can be tested alone.

    What a real one answers is in tests/inference/test_bundle.py.
    """

    has_cm = False
    cm = None
    files = ()
    max_sec = 60.0

    def warm_up(self):
        return []

    @property
    def about(self):
        return {"files": {"speaker.onnx": "0"}}

    def verdict(self, name, question):
        if name not in ("good.wav", "bad.wav"):
            raise DataError(name, "no such file")
        score = Score({"good.wav": 2.5, "bad.wav": -1.5}[name], LLR, True)
        return Verdict(question, score, DecisionCosts(), (1.25,))

    def verify(self, *audios, channel=None):
        return self.verdict(audios[-1], "the same speaker")

    def detect_voice(self, audio, channel=None):
        return self.judge(self.hear_cm(audio, channel))

    def hear_cm(self, audio, channel=None):
        return self.hear(audio, channel)

    def judge(self, voice):
        return self.verdict(voice.name, "bona fide speech")

    def hear(self, audio, channel=None):
        return Voice(audio, np.ones(16000, np.float32), 1.5, 1.25)

    def embed(self, audio, channel=None):
        return self.embed_voice(self.hear(audio))

    def embed_voice(self, voice):
        return np.float32([2, 1] if voice.name == "good.wav" else [1, 2])

    @property
    def comparison(self):
        return self

    def score(self, enroll, test):
        return Score(float(enroll[0] @ test) - 4.5, LLR, True)

    def decide(self, score, voices, spoof=None):
        return Verdict("the same speaker", score, DecisionCosts(), (1.25,))


@pytest.fixture
def bundle(monkeypatch, tmp_path):
    """Let every --model be the bundle above; go to an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("asdkit.inference.bundle.Bundle.open", lambda *_: Bundle())
