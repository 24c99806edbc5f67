"""Compute from recordings the features that a model was trained on."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from asdkit.base.command import CommandParser
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.options import add_choice, add_options, choice_of
from asdkit.base.references import Reference
from asdkit.base.threads import one_thread
from asdkit.batches.feature_config import FeatureConfig, completed, described
from asdkit.data.feats_info import parse_feats_info, parse_vad_info
from asdkit.features.framing import Features
from asdkit.features.registry import FEATURES, name_of
from asdkit.inference.recordings import Recording, read_recordings
from asdkit.io.store import building
from asdkit.io.tables import PathName
from asdkit.vad.energy import energy_vad

ENERGY = {"energy": Reference("asdkit.vad.energy:energy_vad")}
MIN_SEC = 0.025  # shorter utterances of audio are left out of a training
FEATURES_ARGUMENT = (
    "features=: a feats.json of feats-compute, its .conf file, or an object such as "
    "asdkit.features.mel.Mfcc(); the options must be those of the training"
)
VAD_ARGUMENT = (
    "vad=: a vad.json of vad-compute, its .conf file, a dictionary of the options of "
    "energy_vad, or False to keep all frames; it must be that of the training"
)


class Prepared(NamedTuple):
    """A recording as a model takes it.

    Attributes:
        name: for messages.
        frames: (T, D) float32, T > 0.
    """

    name: str
    frames: np.ndarray


class WaveformFrontEnd:
    """Compute the features of recordings, and which of their frames hold speech.

    Args:
        path: the model file, for messages.
        config: description of the features in that file.
        features: features of the training, if the file does not describe them.
        vad: voice activity detection of the training, likewise; False: none.

    Attributes:
        config: features and VAD in full.
        sampling_rate: in Hz.

    Raises:
        DataError: neither the file nor the arguments describe features and VAD, or they
            contradict each other.
    """

    def __init__(
        self,
        path: PathName,
        config: FeatureConfig,
        features: Features | PathName | None = None,
        vad: Mapping[str, Any] | PathName | bool | None = None,
    ) -> None:
        if features is not None:
            config = _with_features(path, config, features)
        if vad is not None:
            config = _with_vad(config, vad)
        if config.type is None:
            problem = "it does not say how its features were computed"
            raise DataError(path, problem, hint=FEATURES_ARGUMENT)
        if config.voiced:
            _require_vad(path, config)
        self.path = path
        self.config = config
        with building(path):
            self.extractor = config.extractor()
        self.sampling_rate = int(self.extractor.sample_frequency)

    @property
    def shift_sec(self) -> float:
        """Seconds from a frame to the next."""
        return self.extractor.window_shift / self.sampling_rate

    def require_dim(self, wanted: int, delta_order: int) -> None:
        """Raise a DataError unless features and derivatives have D' numbers."""
        found = self.extractor.dim * (delta_order + 1)
        if found != wanted:
            problem = f"it takes frames of {wanted} numbers, its features have {found}"
            raise DataError(self.path, problem)

    def prepare(
        self,
        audios: Iterable[Any],
        finish: Callable[[np.ndarray, np.ndarray | None], np.ndarray],
        min_frames: int = 1,
    ) -> Iterator[Prepared]:
        """Read recordings and prepare them as in training.

        Args:
            audios: see `asdkit.inference.recordings.read_recording`.
            finish: (T, D) features, (T,) which hold speech or None -> (T', D') frames.
            min_frames: the shortest recording that the model can take.

        Raises:
            DataError: a recording is wrong, as `read_recording` says; or it is too
                short, or holds no speech.
        """
        for recording in read_recordings(audios, self.sampling_rate):
            with one_thread():  # as feats-compute and training do: sums have an order
                feats = self._features(recording)
                voiced = self._voiced(recording, feats)
                frames = finish(feats, voiced)
            if len(frames) < min_frames:
                raise DataError(
                    recording.name,
                    f"expected at least {min_frames} frames "
                    f"({min_frames * self.shift_sec:.2g} s), got {len(frames)}",
                )
            yield Prepared(recording.name, frames)

    def keep_voiced(self, feats: np.ndarray, voiced: np.ndarray | None) -> np.ndarray:
        """(T, D) features, (T,) bool or None -> (T', D') frames for a network."""
        return self.config.prepare(feats, voiced)

    def _features(self, recording: Recording) -> np.ndarray:
        """Compute (T, D) features, T > 0."""
        samples, size = recording.samples, self.extractor.window_size
        sec = len(samples) / self.sampling_rate
        is_short = False
        if self.config.source == "audio":  # as a training on audio treats its own
            is_short = sec < MIN_SEC
            samples = samples if len(samples) >= size else np.resize(samples, size)
        feats = self.extractor(samples, zlib.crc32(recording.utt.encode()))
        if is_short or not len(feats):
            least = MIN_SEC if is_short else size / self.sampling_rate
            problem = f"expected at least {least:.3g} s, got {sec:.3g} s"
            raise DataError(recording.name, problem)
        if not np.isfinite(feats).all():
            raise DataError(recording.name, "its features are NaN or infinite")
        return feats

    def _voiced(self, recording: Recording, feats: np.ndarray) -> np.ndarray | None:
        """Tell which frames hold speech: (T,) bool; None: all frames are used."""
        if not self.config.voiced:
            return None
        assert self.config.vad is not None
        voiced = energy_vad(feats[:, 0], **self.config.vad["options"])
        if not voiced.any():
            sec = len(feats) * self.shift_sec
            raise DataError(recording.name, f"no speech found in its {sec:.2f} s")
        return voiced


def in_batches(
    prepared: Iterable[Prepared], max_frames: int
) -> Iterator[list[Prepared]]:
    """Group recordings up to a number of frames; a longer one is a batch by itself."""
    batch: list[Prepared] = []
    num_frames = 0
    for item in prepared:
        if batch and num_frames + len(item.frames) > max_frames:
            yield batch
            batch, num_frames = [], 0
        batch.append(item)
        num_frames += len(item.frames)
    if batch:
        yield batch


def _with_features(
    path: PathName, config: FeatureConfig, features: Features | PathName
) -> FeatureConfig:
    """Add type and options of the features that the user names."""
    if isinstance(features, Features):
        kind, options = name_of(features), dict(features.options)
    elif os.fspath(features).endswith(".json"):
        known, options = described(parse_feats_info(features))
        assert known is not None
        kind = known
    else:
        kind, options = _read_features_conf(features)
    stated, options = completed(config.type, config.options), completed(kind, options)
    if config.type is not None and (config.type, stated) != (kind, options):
        differing = {k for k in options if options[k] != stated.get(k)}
        raise DataError(
            path,
            f"it was trained on {config.type}, features= says {kind}"
            + (f"; {', '.join(sorted(differing))} differ" if differing else ""),
            hint="leave features= out",
        )
    return replace(config, type=kind, options=options)


def _with_vad(
    config: FeatureConfig, vad: Mapping[str, Any] | PathName | bool
) -> FeatureConfig:
    """Add the voice activity detection that the user names."""
    if vad is False:
        return replace(config, voiced=False, vad=None)
    if isinstance(vad, Mapping):
        info = {"method": "energy", "options": dict(vad)}
    elif isinstance(vad, bool):
        raise AsdkitError("vad=True does not say which", hint=VAD_ARGUMENT)
    elif os.fspath(vad).endswith(".json"):
        info = parse_vad_info(vad)._asdict()
    else:
        info = {"method": "energy", "options": _read_vad_conf(vad)}
    return replace(config, source="stored", voiced=True, vad=info)


def _require_vad(path: PathName, config: FeatureConfig) -> None:
    """Raise unless single recordings can be told speech from pauses as in training."""
    if config.vad is None:
        problem = "it was trained on voiced frames, and does not say how it found them"
        raise DataError(path, problem, hint=VAD_ARGUMENT)
    if (method := config.vad.get("method")) != "energy":
        problem = f"its voice activity detection, {method}, needs a data directory"
        raise DataError(path, problem, hint=VAD_ARGUMENT)
    options = config.options
    has_energy = config.type == "mfcc" or options.get("use_energy")
    if not has_energy or options.get("htk_compat"):
        problem = f"voice activity is found by energy, which its {config.type} lacks"
        raise DataError(path, problem, hint=VAD_ARGUMENT)
    try:
        energy_vad(np.zeros(1, np.float32), **config.vad["options"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(path, f"voice activity detection: {error}") from None


def _read_features_conf(path: PathName) -> tuple[str, dict[str, Any]]:
    """Read a .conf file of feats-compute: type, and all options of the features."""
    parser = CommandParser("asdkit feats-compute", None)
    add_choice(parser, "type", FEATURES, "kind of features")
    others = "seed", "compress", "allow_pipes", "allow_downsample", "allow_upsample"
    add_options(parser, "asdkit.data.features:compute_features", *others)
    args = parser.parse(["--config", os.fspath(path)])
    kind, options = choice_of(args, "type", FEATURES)
    extractor = kind(**options)
    return name_of(extractor), dict(extractor.options)


def _read_vad_conf(path: PathName) -> dict[str, Any]:
    """Read a .conf file of vad-compute."""
    parser = CommandParser("asdkit vad-compute", None)
    add_choice(parser, "method", ENERGY, "decision method")
    args = parser.parse(["--config", os.fspath(path)])
    return choice_of(args, "method", ENERGY)[1]
