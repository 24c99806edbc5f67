"""Models of every kind, trained by the programs on a few synthesized speakers."""

import http.client
import json
import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
import torch
from untrained import (
    SMALL_SENET,
    SMALL_XVECTOR,
    write_bundle,
    write_pair,
    write_untrained,
)

import asdkit
from asdkit.__main__ import main
from asdkit.backends.calibration import Calibration
from asdkit.backends.center import Center
from asdkit.backends.cosine import Cosine
from asdkit.backends.pipeline import Pipeline
from asdkit.features.mel import Fbank
from asdkit.features.waveform import Waveform
from asdkit.inference.service import Service
from asdkit.inference.serving import bind, make_app, serve
from asdkit.inference.uploads import Limits
from asdkit.io.ark import read_arrays
from asdkit.io.store import save_arrays, save_model
from asdkit.nnet.registry import MODELS

SMALL = {
    "resnet": {"channels": 4},
    "resnet_se": {"channels": 4},
    "senet": SMALL_SENET,
    "ecanet": {"channels": 4},
    "xvector": SMALL_XVECTOR,
    "ecapa": {"channels": 16, "pooled_channels": 24},
    "campplus": {"head_channels": 4, "channels": 16, "growth": 4},
    "lcnn": {"channels": 4},
    "rawnet2": {"channels": 16, "gru_dim": 16, "embedding_dim": 16},
    "aasist": {"last_channels": 8, "graph_dim": 8, "joint_dim": 8},
    "dvector": {"hidden_dim": 16, "num_layers": 1, "embedding_dim": 16},
}
ON_SAMPLES = ("aasist", "rawnet2", "dvector")


def small_options(name):
    """Options that make a network small."""
    found = {}
    for prefix, options in SMALL.items():
        if name.startswith(prefix):
            found = options
    few = {"blocks": (1, 1, 1, 1)} if "bottleneck" in MODELS[name].bound else {}
    return {**found, **few}


def _write_untrained(
    folder, name, features=None, classes=("ann", "bob"), network=(), **data
):
    """Write a small untrained network of a name."""
    on_samples = name.startswith(ON_SAMPLES) or name.endswith("samples")
    if features is None:
        features = Waveform() if on_samples else Fbank(num_mel_bins=24, dither=0.0)
    bands = {"num_mel_bins": 24} if name.endswith("samples") else {}
    options = {"name": name, **bands, **small_options(name), **dict(network)}
    write_untrained(folder, options, features, classes, not on_samples, **data)


@pytest.fixture(scope="session", name="write_untrained")
def fixture_of_write_untrained():
    """Write an untrained network into a folder."""
    return _write_untrained


@pytest.fixture
def untrained(tmp_path):
    """Write an untrained network of a name, and load it."""

    def make(*args, **options):
        _write_untrained(tmp_path, *args, **options)
        return asdkit.load(tmp_path)

    return make


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory):
    """A folder with a bundle of two untrained networks, and recordings, 0.wav to 7.wav.

    The bundle compares speakers by calibrated scores, and detects spoofing by others.
    Sounds differ in color and in length.
    """
    folder = tmp_path_factory.mktemp("small")
    write_pair(folder)
    rng = np.random.default_rng(0)
    for n, seconds in enumerate((3.0, 1.5, 2.9, 0.8, 5.0, 1.6, 2.0, 3.1)):
        noise = rng.normal(0, 0.1, round(seconds * 16000))
        taps = rng.normal(size=1 + 2 * n)
        sound = np.convolve(noise, taps / np.abs(taps).sum(), mode="same")
        soundfile.write(folder / f"{n}.wav", sound, 16000)
    # What an untrained network adds to all embeddings alike is subtracted.
    x = asdkit.load(folder / "net").embed_many(sorted(map(str, folder.glob("*.wav"))))
    backend = Pipeline([Center(), Cosine()]).fit(x.astype(float), np.arange(8) // 2)
    save_arrays(folder / "backend.npz", "Pipeline", *backend.to_state())
    scores = np.concatenate([rng.normal(0.3, 0.4, 99), rng.normal(-0.3, 0.4, 99)])
    calibration = Calibration(ridge=1e-3).fit(scores[:, None], np.arange(198) < 99)
    save_model(folder / "calibration.npz", calibration)
    files = {name: folder / f"{name}.npz" for name in ("backend", "calibration")}
    write_bundle(folder, **files)
    return folder


class Server:
    """A server in a thread, and requests to it."""

    token = "a-token-of-many-letters"
    limits = Limits(max_mb=1, max_sec=6, max_files=4, patience_sec=1)

    def __init__(self, folder, profiles):
        self.folder = folder
        self.service = Service(folder / "model", profiles, self.limits)
        app = make_app(self.service, self.token)
        listener = bind("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        args = app, listener
        threading.Thread(target=serve, args=args, daemon=True).start()

    def ask(self, method, path, parts=(), token=token, headers=(), body=None):
        """Send a request; return its status and its answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = dict(headers)
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if parts:
            sent["Content-Type"] = "multipart/form-data; boundary=x"
            body = b"".join(map(part, parts)) + b"--x--\r\n"
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        kind = answer.getheader("content-type", "")
        is_json = kind.startswith("application/json")
        return answer.status, json.loads(content) if is_json else content.decode()

    def sound(self, n):
        return (self.folder / f"{n}.wav").read_bytes()


def part(item):
    """Write a field of a form, and the name of a file if it is one."""
    field, name, content = item
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"'
    head += f'; filename="{name}"\r\n\r\n' if name else "\r\n\r\n"
    return head.encode() + content + b"\r\n"


@pytest.fixture(scope="session")
def server(small_bundle, tmp_path_factory):
    """Serve the small bundle on a free port."""
    pytest.importorskip("fastapi", reason="needs asdkit[serve]")
    return Server(small_bundle, tmp_path_factory.mktemp("serve") / "p.sqlite")


NETWORK = (
    "--network ecapa_tdnn --channels 8 --pooled-channels 24 --embedding-dim 8 "
    "--chunk-frames 30 --batch-size 8 --num-epochs 1 --device cpu"
)
CM = (
    "--network senet9 --channels 4 --chunk-frames 30 --batch-size 8 --num-epochs 1 "
    "--device cpu"
)
# Dither is Kaldi's, and the VAD rejects a part of the frames.
LINES = (
    "speakers-draw --num-spks 4 --num-sessions 2 --mean-sec 1.2 data exp/wav",
    "feats-compute --type mfcc --num-ceps 8 --frame-length 20 data exp/mfcc",
    "vad-compute --vad-energy-threshold 6.5 data exp/vad",
    "ubm-train --device cpu --num-gauss 4 data exp/ubm",
    "ivector-train --device cpu --ivector-dim 5 --num-iters 1 data exp/ubm exp/ivector",
    "ivector-extract --device cpu data exp/ivector exp/ivector/out",
    "backend-train --steps center,length-norm,plda data/utt2spk "
    "scp:exp/ivector/out/ivector.scp exp/plda.npz",
    "trials-make data exp/trials",
    "backend-score exp/plda.npz exp/trials scp:exp/ivector/out/ivector.scp exp/scores",
    "calibration-train --ridge 1e-3 exp/trials exp/scores exp/calibration.npz",
    "score-calibrate exp/calibration.npz exp/scores exp/llrs",
    f"nnet-train {NETWORK} --voiced true --delta-order 1 data exp/stored",
    "nnet-extract data exp/stored exp/stored/out",
    f"nnet-train {NETWORK} --features fbank data exp/audio",
    "nnet-extract data exp/audio exp/audio/out",
    "spoof-simulate --attacks lpc data spoof exp/spoof_wav",
    "feats-compute --type lfcc spoof exp/lfcc",
    "cm-gmm-train --device cpu --num-gauss 4 spoof exp/gmm",
    "cm-score --device cpu spoof exp/gmm exp/gmm/scores",
    "data-subset spoof voiced",
    "feats-compute --type mfcc voiced exp/mfcc_spoof",
    "vad-compute --vad-energy-threshold 6.5 voiced exp/vad_spoof",
    "cm-gmm-train --device cpu --num-gauss 4 voiced exp/gmm_voiced",
    "cm-score --device cpu voiced exp/gmm_voiced exp/gmm_voiced/scores",
    f"cm-train {CM} spoof spoof exp/cm",
    "cm-score --device cpu spoof exp/cm exp/cm/scores",
    f"cm-train {CM} --crop first --features lfcc spoof spoof exp/cm_audio",
    "cm-score --device cpu spoof exp/cm_audio exp/cm_audio/scores",
)


class Lab(NamedTuple):
    """What the programs left in a folder.

    Attributes:
        folder: its path, which is the current one in every test.
        audio: utterance -> sound file.
    """

    folder: Path
    audio: dict[str, str]

    def vectors(self, model):
        """Read what the extraction wrote: utterance -> vector."""
        (table,) = (self.folder / "exp" / model / "out").glob("*.scp")
        return dict(read_arrays(f"scp:{table}"))

    def scores(self, name):
        """Read a file of scores: the words before the last one -> score."""
        lines = (self.folder / "exp" / name).read_text().splitlines()
        words = (line.split() for line in lines)
        return {tuple(x[:-1]): float(x[-1]) for x in words}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Train the models, once for all tests."""
    folder = tmp_path_factory.mktemp("lab")
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("OMP_NUM_THREADS", "1")
        torch.set_num_threads(1)
        for line in LINES:
            assert main(line.split()) == 0, line
    torch.set_num_threads(threads)
    found = [*folder.glob("exp/wav/**/*.flac"), *folder.glob("exp/spoof_wav/**/*.flac")]
    return Lab(folder, {path.stem: str(path) for path in found})


@pytest.fixture
def models(trained, monkeypatch):
    """Enter the folder of the models, which tests leave as they found it."""
    monkeypatch.chdir(trained.folder)
    return trained
