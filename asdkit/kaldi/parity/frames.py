"""Parity of frames: features, VAD decisions, the front end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.numbers import parse_finite
from asdkit.features.cmn import sliding_cmn
from asdkit.features.deltas import add_deltas
from asdkit.features.frontend import FrontEnd
from asdkit.features.mel import Fbank, Mfcc
from asdkit.io.ark import read_scp
from asdkit.io.audio import open_audio, read_samples
from asdkit.io.tables import read_table
from asdkit.kaldi.conf_files import read_options
from asdkit.kaldi.parity.experiment import Experiment, NotFoundError, Part
from asdkit.kaldi.parity.table import (
    IDENTICAL,
    Finding,
    Limit,
    differ,
    largest,
)
from asdkit.vad.energy import energy_vad

# Kaldi's float32 FFT is up to 4e-3 off its own definition where a band has next to no
# energy.  The golden files agree to 2e-3 (tests/features/test_mel.py); a lab has more
# frames, and somewhere among them worse luck.
FEATURES = Limit(5e-3, "abs")
COMPRESSED = Limit(1.0, "rel")  # of a step of the compression
DERIVED = Limit(1e-4, "abs")  # sums over a few hundred frames

# Steps of the front end that Kaldi's scripts pipe through and do not keep.
Step = Callable[[np.ndarray, np.ndarray], np.ndarray]
STEPS: dict[str, Step] = {
    "deltas": lambda x, _: add_deltas(x),
    "deltas_cmn": lambda x, _: sliding_cmn(add_deltas(x), 300, center=True),
    "deltas_cmn50": lambda x, _: sliding_cmn(add_deltas(x), 50, 50, center=True),
    "voiced": FrontEnd(delta_window=2),
}


def check_mfcc(experiment: Experiment, part: Part) -> Iterator[Finding]:
    """Compute MFCCs from audio."""
    extract = Mfcc(**read_options(experiment.file("conf", "mfcc.conf"), Mfcc))
    yield _check_features(experiment, part, extract, experiment.place("feats", part))


def check_fbank(experiment: Experiment) -> Iterator[Finding]:
    """Compute filter banks from audio, if the experiment has any."""
    extract = Fbank(**read_options(experiment.file("conf", "fbank.conf"), Fbank))
    for path in experiment.kept("feats/fbank*.ark"):
        yield _check_features(experiment, "test", extract, path)


def check_vad(experiment: Experiment, part: Part) -> Iterator[Finding]:
    """Decide by energy which of Kaldi's frames are speech."""
    options = read_options(experiment.file("conf", "vad.conf"), energy_vad)
    path = experiment.place("vad", part)
    decisions = dict(experiment.first(experiment.arrays(path)))
    found = (
        differ(energy_vad(feats[:, 0], **options), decisions[utt])
        for utt, feats in _feats_of(experiment, part, decisions, path)
    )
    yield Finding(experiment.show(path), largest(found, path), IDENTICAL)


def check_front_end(experiment: Experiment) -> Iterator[Finding]:
    """Compare the front end step by step, where Kaldi's outputs were kept."""
    voiced = dict(experiment.arrays(experiment.place("vad", "test")))
    for name, step in STEPS.items():
        for path in experiment.kept(f"feats/{name}_head*.ark"):
            theirs = dict(experiment.arrays(path))
            found = (
                differ(step(feats, voiced[utt] != 0), theirs[utt])
                for utt, feats in _feats_of(experiment, "test", theirs, path)
            )
            yield Finding(experiment.show(path), largest(found, path), DERIVED)


def _feats_of(
    experiment: Experiment, part: Part, wanted: Mapping[str, Any], source: Path
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield Kaldi's features of the utterances that are wanted.

    Raises:
        DataError: there are none of an utterance.
    """
    missing = set(wanted)
    for utt, feats in experiment.arrays(experiment.place("feats", part)):
        if utt in missing:
            missing.remove(utt)
            yield utt, feats
        if not missing:
            return
    raise DataError(source, f"no features of {min(missing)!r}")


def _check_features(
    experiment: Experiment, part: Part, extract: Mfcc | Fbank, path: Path
) -> Finding:
    """Compare what we extract from audio with what an archive holds."""
    if extract.dither:
        raise NotFoundError(
            f"features without dither; these have --dither={extract.dither:g}, random "
            "noise that cannot be repeated"
        )
    compressed = is_compressed(experiment, path)
    theirs = dict(experiment.first(experiment.arrays(path)))
    found = (
        differ(
            extract(samples),
            theirs[utt],
            FEATURES.value + compression_step(theirs[utt]) if compressed else None,
        )
        for utt, samples in _read_samples(experiment, part, theirs, extract)
    )
    file, worst = experiment.show(path), largest(found, path)
    if compressed:
        return Finding(file, worst, COMPRESSED, "compressed")
    return Finding(file, worst, FEATURES)


def _read_samples(
    experiment: Experiment, part: Part, utts: Mapping[str, Any], extract: Mfcc | Fbank
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the samples of utterances, whole recordings or segments of them."""
    path = experiment.file("data", "wav.scp", part)
    wavs = read_table(path)
    segments = path.with_name("segments")
    spans = read_table(segments) if segments.exists() else {}
    for utt in utts:
        reco, *times = spans.get(utt, utt).split()
        if reco not in wavs:
            raise DataError(path, f"no recording of {utt!r}")
        source, is_command = wavs[reco], wavs[reco].endswith("|")
        if is_command and not experiment.allow_pipes:
            raise NotFoundError("sound files; --allow-pipes true runs what makes them")
        source = source[:-1] if is_command else experiment.rooted(source)
        start, end = map(parse_finite, times) if times else (0.0, -1.0)
        with open_audio(source, is_command, experiment.allow_pipes) as file:
            if file.samplerate != extract.sample_frequency:
                problem = f"expected {extract.sample_frequency:g} Hz"
                raise DataError(source, f"{problem}, got {file.samplerate}")
            length = None if end == -1 else end - start
            yield utt, read_samples(file, source, start, length)


def is_compressed(experiment: Experiment, path: Path) -> bool:
    """Tell whether the first matrix of a table is compressed."""
    if path.suffix != ".scp":
        return False
    location = next(iter(read_scp(path).values()))
    name, _, offset = location.partition("[")[0].rpartition(":")
    with Path(experiment.rooted(name)).open("rb") as stream:
        stream.seek(int(offset))
        return stream.read(4) == b"\0BCM"


def compression_step(feats: np.ndarray) -> np.ndarray:
    """(T, D) that were compressed to 8 bits -> (D,) the largest steps between values.

    Source: Kaldi, CompressedMatrix::FloatToChar in src/matrix/compressed-matrix.cc.
    """
    quantiles = np.percentile(feats, [0, 25, 75, 100], axis=0)
    return (np.diff(quantiles, axis=0) / [[64], [128], [63]]).max(axis=0)
