"""The gate of an export: a graph gives what the training path gives, or is no file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.detectors import NetworkCountermeasure
from asdkit.inference.graph import MAX_SEC
from asdkit.inference.graph_models import Networked
from asdkit.inference.onnx_model import OnnxModel
from asdkit.io.audio import read_audio
from asdkit.io.tables import PathName
from asdkit.simulation.corpus import DrawnCorpus

logger = logging.getLogger(__name__)

MIN_COSINE = 0.9999
MAX_DIFFERENCE = 1e-3  # of scores: cosines of pairs, or a countermeasure's
SECONDS = (0.1, 0.35, 1.0, 2.9, 4.1, 11.0, 30.0, MAX_SEC)
IN_BATCH = 4  # recordings of unequal lengths, all at once
SUFFIXES = (".flac", ".wav")
LISTS = (".txt", ".scp")  # the last word of a line is a file
NUM_FILES = 20
ZERO = 1e-6  # length of an embedding that is none


class Parity(NamedTuple):
    """Result of a comparison.

    Attributes:
        num_recordings: recordings compared.
        num_skipped: recordings without enough speech for the training path.
        cosine: the lowest of embeddings, 1 for a countermeasure.
        difference: the largest of scores.
    """

    num_recordings: int
    num_skipped: int
    cosine: float
    difference: float

    @property
    def holds(self) -> bool:
        """Whether it is equal enough."""
        return self.cosine >= MIN_COSINE and self.difference <= MAX_DIFFERENCE

    def __str__(self) -> str:
        return (
            f"{self.num_recordings} recordings: cosine >= {self.cosine:.7f}, "
            f"scores differ by at most {self.difference:.1e}"
        )


def read_check_audio(path: PathName, sampling_rate: int) -> np.ndarray:
    """Read (L,) float32 samples of a sound file, or the first of a directory or list.

    Raises:
        DataError: there is none, or one cannot be read.
    """
    files = [Path(path)]
    if files[0].is_dir():
        found = sorted(files[0].rglob("*"))
        files = [x for x in found if x.suffix.lower() in SUFFIXES][:NUM_FILES]
    elif files[0].suffix in LISTS:
        lines = files[0].read_text().splitlines() if files[0].is_file() else []
        files = [Path(x.split()[-1]) for x in lines if x.strip()][:NUM_FILES]
    if not files:
        raise DataError(path, f"expected {' or '.join(SUFFIXES)} files, got none")
    return np.concatenate([read_audio(str(x), sampling_rate)[0] for x in files])


def synthesize_check_audio(sampling_rate: int) -> np.ndarray:
    """Synthesize (L,) samples of four voices: speech-like, and the same every time."""
    corpus = DrawnCorpus(4, 1, 1, 5.0, "check", 0, sampling_rate)
    return np.concatenate([corpus.speak(item) for item in corpus.utterances()])


def cut_lengths(
    speech: np.ndarray, min_samples: int, sampling_rate: int
) -> Iterator[np.ndarray]:
    """Cut (L,) speech into recordings from the shortest to a minute, repeating it."""
    lengths = [round(sec * sampling_rate) for sec in SECONDS]
    start = 0
    for length in [min_samples, *(x for x in lengths if x > min_samples)]:
        yield np.resize(np.roll(speech, -start), length).astype(np.float32)
        start += length


def compare(
    model: Networked, onnx: OnnxModel, speech: np.ndarray, least: int
) -> Parity:
    """Compare a graph with the training path, without dither.

    Args:
        model: from `asdkit.load`.
        onnx: its graph.
        speech: (L,) at the model's rate.
        least: the shortest recording that the graph takes, in samples.

    Raises:
        AsdkitError: no recording has enough speech for this model.
    """
    rate = model.front_end.sampling_rate
    kept: list[np.ndarray] = []
    ours: list[np.ndarray] = []
    theirs: list[np.ndarray] = []
    skipped = 0
    for samples in cut_lengths(speech, least, rate):
        try:
            reference = _reference(model, samples)
        except DataError as error:
            logger.info("parity: %.3g s skipped: %s", len(samples) / rate, error)
            skipped += 1
            continue
        ours.append(reference)
        theirs.append(_by_graph(model, onnx, samples))
        kept.append(samples)
    if not kept:
        problem = "no recording to check the graph with has enough speech"
        raise AsdkitError(problem, hint="--check-audio with real speech")
    if onnx.form == "waveform":  # as one padded batch, too
        few = kept[:IN_BATCH]
        ours += ours[: len(few)]
        theirs += list(np.atleast_1d(onnx.run(few)[0]))
    if onnx.localizes and isinstance(model, NetworkCountermeasure):
        for samples in kept[:IN_BATCH]:
            frames = model.score_frames((samples, rate))
            found = onnx.run_frames(samples)[1]
            if len(found) != len(frames):
                problem = f"the graph scores {len(found)} frames, not {len(frames)}"
                raise AsdkitError(f"{model.path}: {problem}")
            scale = max(1.0, float(np.abs(frames).max()))
            ours.append(np.array(0.0))
            theirs.append(np.array(float(np.abs(frames - found).max()) / scale))
    x, y = np.stack(ours), np.stack(theirs)
    is_cm = isinstance(model, NetworkCountermeasure)
    if is_cm:
        return Parity(len(kept), skipped, 1.0, float(np.abs(x - y).max()))
    cosines = [_cosine(a, b) for a, b in zip(x, y, strict=True)]
    difference = float(np.abs(_pairs(x) - _pairs(y)).max())
    return Parity(len(kept), skipped, min(cosines), difference)


def _reference(model: Networked, samples: np.ndarray) -> np.ndarray:
    """(L,) -> (E,) or () by the training path."""
    audio = samples, model.front_end.sampling_rate
    if isinstance(model, NetworkCountermeasure):
        return np.array(float(model.detect(audio)))
    return model.embed(audio)


def _by_graph(model: Networked, onnx: OnnxModel, samples: np.ndarray) -> np.ndarray:
    """(L,) -> (E,) or () by the graph, which may want features."""
    if onnx.form == "waveform":
        found: np.ndarray = onnx.run([samples])[0][0]
        return found
    audio: Any = samples, model.front_end.sampling_rate
    (prepared,) = model._prepare([audio])
    return onnx.run_features(prepared.frames[None])[0]


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    """(E,), (E,) -> cosine; two that are zero are equal."""
    lengths = np.linalg.norm(a), np.linalg.norm(b)
    if max(lengths) < ZERO:
        return 1.0
    return float(a @ b / max(lengths[0] * lengths[1], ZERO**2))


def _pairs(x: np.ndarray) -> np.ndarray:
    """(N, E) -> (N, N) cosines."""
    x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), ZERO)
    return x @ x.T


def through_sherpa(
    model: Networked, path: PathName, speech: np.ndarray
) -> Parity | None:
    """Compare sherpa-onnx, the client itself, with the training path.

    Args:
        model: from `asdkit.load`.
        path: the graph's file.
        speech: (L,) at the model's rate.

    Returns:
        what was found; None where sherpa-onnx is not installed.
    """
    try:
        import sherpa_onnx
    except ImportError:
        return None
    config = sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=str(path))
    client = sherpa_onnx.SpeakerEmbeddingExtractor(config)
    rate = model.front_end.sampling_rate
    ours, theirs = [], []
    for samples in cut_lengths(speech, rate, rate):
        stream = client.create_stream()
        stream.accept_waveform(rate, samples)
        stream.input_finished()
        theirs.append(np.array(client.compute(stream)))
        ours.append(_reference(model, samples))
    x, y = np.stack(ours), np.stack(theirs)
    cosines = [_cosine(a, b) for a, b in zip(x, y, strict=True)]
    return Parity(len(x), 0, min(cosines), float(np.abs(_pairs(x) - _pairs(y)).max()))
