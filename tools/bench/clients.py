"""Equal error rate of one network in five clients, on the same trials.

    python tools/bench/clients.py [--backend FILE] exp/net data/test data/test/trials

The network is exported three times (samples in, our features in, for sherpa-onnx); each
client embeds all utterances of the trials and their cosines are compared, or what a
back-end says of them:

- ours: asdkit's runtime, from samples;
- WeSpeaker: an ONNX runtime that is fed with our features, as its runtime and pyannote
  feed theirs;
- onnx-asr (pip install onnx-asr), whose WespeakerEmbeddings runs the same graph: from
  samples if the network was trained on the features that this class computes, otherwise
  with our features in their place;
- sherpa-onnx from Python (pip install sherpa-onnx), with features of its own;
- sherpa-onnx from Node.js (npm install sherpa-onnx-node, found by NODE_PATH), likewise.

A client that is not installed is left out, with the command that installs it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

import asdkit
from asdkit.features.mel import Fbank
from asdkit.inference.export import export
from asdkit.inference.graph_trials import TrialSet, error_rate_of
from asdkit.inference.recordings import read_recording

SCRIPT = Path(__file__).with_name("embed_sherpa.js")
ONNX_ASR = Fbank(  # of onnx-asr 0.12.0: samples are not multiplied by 32768
    num_mel_bins=80, window_type="hamming", sample_scale=1.0, dither=0.0
)
BATCH = 100  # files that one process of Node.js embeds
Recordings = Mapping[str, np.ndarray]  # name -> (L,) samples


class Missing(Exception):
    """A client is not installed; the message says how to install it."""


def ours(model: Any, folder: Path, recordings: Recordings) -> list[np.ndarray]:
    """Embed samples with the graph that has the front end in it."""
    from asdkit.inference.onnx_model import OnnxModel

    graph = OnnxModel(export(model, "waveform").content)
    return [graph.run([x])[0][0] for x in recordings.values()]


def wespeaker(model: Any, folder: Path, recordings: Recordings) -> list[np.ndarray]:
    """Embed features, as callers of WeSpeaker's models do: feats -> embs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(export(model, "feats").content)
    found = []
    for samples in recordings.values():
        feats = model.front_end.extractor(samples)
        feats = feats - feats.mean(axis=0)  # the caller subtracts the mean
        (embs,) = session.run(["embs"], {"feats": feats[None].astype(np.float32)})
        found.append(embs[0])
    return found


def onnx_asr(model: Any, folder: Path, recordings: Recordings) -> list[np.ndarray]:
    """Embed samples with onnx-asr, by its features if they are the model's."""
    try:
        from onnx_asr.loader import Manager
        from onnx_asr.models.wespeaker import WespeakerEmbeddings
    except ImportError:
        raise Missing("pip install onnx-asr") from None
    path = folder / "onnx_asr/model.onnx"
    path.parent.mkdir()
    path.write_bytes(export(model, "feats").content)
    if computed_by(ONNX_ASR, model):
        client = Manager().create_se(local_dir=path.parent)
        return [client.embedding(x) for x in recordings.values()]

    def ours(samples: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute (1, L) -> (1, T, D), (1,) in place of the client's features."""
        feats = model.front_end.extractor(samples[0])[None].astype(np.float32)
        return feats, np.array([feats.shape[1]])

    fed = WespeakerEmbeddings({"model": path}, lambda _: ours, {})
    return [fed.embedding(x[None], np.array([len(x)]))[0] for x in recordings.values()]


def computed_by(features: Fbank, model: Any) -> bool:
    """Return whether features are those of a model, but for dither."""
    config, extractor = model.front_end.config, model.front_end.extractor
    if config.type != "fbank" or config.delta_order or config.voiced:
        return False
    return {**extractor.options, "dither": 0.0} == {**features.options, "dither": 0.0}


def sherpa_python(model: Any, folder: Path, recordings: Recordings) -> list[np.ndarray]:
    """Embed samples with sherpa-onnx, which computes the features itself."""
    try:
        import sherpa_onnx
    except ImportError:
        raise Missing("pip install sherpa-onnx") from None
    path = _sherpa_graph(model, folder)
    config = sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=str(path))
    client = sherpa_onnx.SpeakerEmbeddingExtractor(config)
    found = []
    for samples in recordings.values():
        stream = client.create_stream()
        stream.accept_waveform(model.front_end.sampling_rate, samples)
        stream.input_finished()
        found.append(np.array(client.compute(stream)))
    return found


def sherpa_node(model: Any, folder: Path, recordings: Recordings) -> list[np.ndarray]:
    """Embed WAV files with sherpa-onnx in Node.js."""
    try:
        known = subprocess.run(
            ["node", "-e", "require('sherpa-onnx-node')"], capture_output=True
        )
    except FileNotFoundError:
        raise Missing("apt-get install nodejs npm") from None
    if known.returncode:
        raise Missing("npm install sherpa-onnx-node, and its folder in NODE_PATH")
    path, files = _sherpa_graph(model, folder), []
    for n, samples in enumerate(recordings.values()):
        files.append(str(folder / f"{n}.wav"))
        soundfile.write(files[-1], samples, model.front_end.sampling_rate, "PCM_16")
    found = []
    for start in range(0, len(files), BATCH):
        words = ["node", str(SCRIPT), str(path), *files[start : start + BATCH]]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        found += [np.array(json.loads(line)) for line in done.stdout.splitlines()]
    return found


def _sherpa_graph(model: Any, folder: Path) -> Path:
    """Export for sherpa-onnx, once."""
    path = folder / "sherpa.onnx"
    if not path.exists():
        path.write_bytes(export(model, "sherpa").content)
    return path


CLIENTS: dict[str, Callable[[Any, Path, Recordings], list[np.ndarray]]] = {
    "asdkit, samples": ours,
    "WeSpeaker-style caller, our features": wespeaker,
    "onnx-asr": onnx_asr,
    "sherpa-onnx, Python": sherpa_python,
    "sherpa-onnx, Node.js": sherpa_node,
}


def compare(trials: TrialSet) -> dict[str, float | str]:
    """Return the equal error rate in every client, or how to install it."""
    utts = sorted({*trials.trials.enroll_ids, *trials.trials.test_ids})
    rate = trials.model.front_end.sampling_rate
    recordings = {x: read_recording(trials.cuts[x], rate).samples for x in utts}
    found: dict[str, float | str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, embed in CLIENTS.items():
            try:
                rows = embed(trials.model, Path(folder), recordings)
            except Missing as missing:
                found[name] = f"not installed: {missing}"
                continue
            found[name] = error_rate_of(dict(zip(utts, rows, strict=True)), trials)
    return found


def main() -> None:
    """Print a line for every client."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backend", help="back-end that compares (default: cosine)")
    parser.add_argument("model", help="directory with network.pt")
    parser.add_argument("data", help="data directory of the trials' utterances")
    parser.add_argument("trials", help="trials of these")
    args = parser.parse_args()
    model = asdkit.load(args.model)
    for name, value in compare(
        TrialSet.read(model, args.trials, args.data, args.backend)
    ).items():
        text = value if isinstance(value, str) else f"{100 * value:.3f} % EER"
        sys.stdout.write(f"{name}: {text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
