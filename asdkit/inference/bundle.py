"""Bundles: all that a decision needs in one directory, without torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.backend import Calibrator
from asdkit.inference.onnx_model import OnnxModel
from asdkit.inference.score import Score
from asdkit.inference.speaker_comparison import Comparison
from asdkit.inference.stretches import Localization
from asdkit.inference.trained_model import TrainedModel
from asdkit.inference.verdict import Verdict
from asdkit.inference.voices import (
    TooLittleSpeech,
    Voice,
    read_voice,
    require_speech,
)
from asdkit.io.tables import PathName
from asdkit.metrics.decision_costs import DecisionCosts
from asdkit.models.bundle_files import (
    CARD,
    CM_CARD,
    COPY,
    INDEX,
    read_index,
    read_json,
    unchanged_files,
)

SAME, BONAFIDE = "the same speaker", "bona fide speech"


class Bundle(TrainedModel):
    """A directory that bundle-make wrote.

    Args:
        path: the directory.
        about: content of its `INDEX`.
        files: names of its files -> paths, checked.

    Attributes:
        about: content of its `INDEX`.
        min_speech_sec: the floor below which a recording is refused.
    """

    def __init__(
        self, path: PathName, about: Mapping[str, Any], files: Mapping[str, Path]
    ) -> None:
        super().__init__(path, str(about["what"]))
        self.about = about
        self.files = files
        self.min_speech_sec = _positive(about, "min_speech_sec")
        self.max_sec = _positive(about, "max_sec")
        self.num_top = int(about["num_top"])
        if self.num_top < 0:
            raise ValueError(f"num_top: expected 0 or more, got {self.num_top}")
        self.costs = DecisionCosts(**about["decision"])
        self.cm_costs = DecisionCosts(**about["cm_decision"])
        self.localization = Localization.read(about.get("localization", {}))
        self._speaker: OnnxModel | None = None
        self._cm: OnnxModel | None = None
        self._comparison: Comparison | None = None
        self._cm_calibrator: Calibrator | None = None
        self._open_onnx: Callable[[PathName], OnnxModel] = OnnxModel

    @classmethod
    def open(
        cls, path: PathName, open_onnx: Callable[[PathName], OnnxModel] = OnnxModel
    ) -> Bundle:
        """Open a bundle, and compare all its files with their checksums.

        Args:
            path: the directory.
            open_onnx: opens its graphs, when they are first needed.

        Raises:
            DataError: it is no bundle, of a later version, or a file is missing or has
                changed.
        """
        about, index = read_index(path), Path(path) / INDEX
        try:
            bundle = cls(path, about, unchanged_files(path, about["files"]))
            bundle._open_onnx = open_onnx
            return bundle
        except DataError:
            raise
        except AsdkitError as error:
            raise DataError(index, f"damaged: {error}", hint=COPY) from None
        except (*(KeyError, TypeError, ValueError), AttributeError, OverflowError) as e:
            raise DataError(index, f"damaged: {e!r}", hint=COPY) from None

    @property
    def speaker(self) -> OnnxModel:
        """The graph that embeds.

        Raises:
            AsdkitError: there is none.
        """
        if self._speaker is None:
            if "speaker.onnx" not in self.files:
                self._refuse("compare speakers", "a bundle with a network of speakers")
            self._speaker = self._open_graph("speaker.onnx", is_cm=False)
        return self._speaker

    @property
    def cm(self) -> OnnxModel:
        """The graph that scores how likely a recording is bona fide.

        Raises:
            AsdkitError: there is none.
        """
        if self._cm is None:
            if "cm.onnx" not in self.files:
                self._refuse("detect spoofed speech", "bundle-make --cm adds one")
            self._cm = self._open_graph("cm.onnx", is_cm=True)
        return self._cm

    @property
    def has_cm(self) -> bool:
        """Whether it detects spoofed speech."""
        return "cm.onnx" in self.files

    @property
    def comparison(self) -> Comparison:
        """Back-end, normalization and calibration, opened once."""
        if self._comparison is None:
            dim = self.speaker.embedding_dim if "cohort.npz" in self.files else None
            self._comparison = Comparison.read(
                self.files, self.num_top, dim, str(self.path)
            )
        return self._comparison

    def _open_graph(self, name: str, is_cm: bool) -> OnnxModel:
        """Open a graph of samples, which embeds or scores."""
        graph = self._open_onnx(path := self.files[name])
        if graph.form != "waveform" or graph.is_cm != is_cm:
            what = "scores" if is_cm else "embeds"
            raise DataError(path, f"expected a graph that {what} samples", hint=COPY)
        return graph

    def warm_up(self) -> list[OnnxModel]:
        """Open all that is opened when it is first needed; return the graphs."""
        graphs = []
        if "speaker.onnx" in self.files:
            graphs.append(self.speaker)
            _ = self.comparison
        if self.has_cm:
            graphs.append(self.cm)
        return graphs

    def card(self) -> dict[str, Any] | None:
        """Return the threshold card; None: none was made."""
        return self._read_card(CARD)

    def cm_card(self) -> dict[str, Any] | None:
        """Return the card of the countermeasure; None: it is not calibrated."""
        return self._read_card(CM_CARD)

    def _read_card(self, name: str) -> dict[str, Any] | None:
        """Read a card, if there is one of this name."""
        if file := self.files.get(name):
            found: dict[str, Any] = read_json(file)
            return found
        return None

    def embed(self, audio: Any, channel: int | None = None) -> np.ndarray:
        """Compute the (E,) float32 embedding of a recording.

        Args:
            audio: path, `SoundFile` in memory, or (samples, rate) with (L,) samples in
                [-1, 1).
            channel: counted from 0; None: the only one.

        Raises:
            DataError: it cannot be read, holds less speech than `min_speech_sec`, or
                has several channels that differ.
        """
        return self.embed_voice(self.hear(audio, channel))

    def embed_many(self, audios: Iterable[Any]) -> np.ndarray:
        """Compute the (N, E) float32 embeddings of N recordings."""
        found = [self.embed(audio) for audio in audios]
        empty = np.empty((0, self.speaker.embedding_dim), np.float32)
        return np.stack(found) if found else empty

    def hear(self, audio: Any, channel: int | None = None) -> Voice:
        """Read a recording for the speaker model, and require speech in it."""
        rate = self.speaker.sampling_rate
        voice = read_voice(audio, rate, channel, self.max_sec)
        require_speech(voice, self.min_speech_sec, self.speaker.min_samples)
        return voice

    def embed_voice(self, voice: Voice) -> np.ndarray:
        """Compute the (E,) float32 embedding of a recording that was read."""
        found, num_frames = self.speaker.run([voice.samples])
        if num_frames[0] < self.speaker.min_frames:
            problem = f"expected {self.speaker.min_frames} frames of speech or more"
            raise TooLittleSpeech(voice.name, f"{problem}, got {num_frames[0]}")
        if not found[0].any():
            raise DataError(voice.name, "its embedding is zero")
        row: np.ndarray = found[0]
        return row

    def score(self, enroll: Any, test: Any) -> Score:
        """Tell how likely two recordings, or embeddings, are of the same speaker."""
        is_matrix = isinstance(enroll, np.ndarray) and enroll.ndim == 2
        several = list(enroll) if is_matrix or isinstance(enroll, list) else [enroll]
        x = [
            side if isinstance(side, np.ndarray) else self.embed(side)
            for side in (*several, test)
        ]
        return self.comparison.score(np.stack(x[:-1]), x[-1])

    def score_trials(
        self,
        enroll: np.ndarray,
        test: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
    ) -> np.ndarray:
        """Score many pairs of embeddings, see `TrainedModel.score_trials`."""
        return self.comparison.score_trials(enroll, test, rows, columns)

    def verify(self, *audios: Any, channel: int | None = None) -> Verdict:
        """Decide whether the last recording is of the speaker of all before it.

        Args:
            audios: recordings of the enrolled speaker, and then the one to test.
            channel: of files with several that differ; counted from 0.

        Raises:
            DataError: a recording cannot be read, or holds too little speech.
        """
        if len(audios) < 2:
            raise AsdkitError(f"expected two recordings or more, got {len(audios)}")
        voices = [self.hear(audio, channel) for audio in audios]
        x = np.stack([self.embed_voice(voice) for voice in voices])
        spoof = self.detect_voice(audios[-1], channel) if self.has_cm else None
        return self.decide(self.comparison.score(x[:-1], x[-1]), voices, spoof)

    def decide(
        self, score: Score, voices: Iterable[Voice], spoof: Verdict | None = None
    ) -> Verdict:
        """Turn a score of speakers into a decision."""
        voices = list(voices)
        notes = (f"{x.name}: {note}" for x in voices for note in x.notes)
        speech = tuple(x.speech_sec for x in voices)
        return Verdict(SAME, score, self.costs, speech, tuple(notes), spoof)

    def detect(self, audio: Any, channel: int | None = None) -> Score:
        """Tell how likely a recording is bona fide, calibrated if the bundle can."""
        return self.detect_voice(audio, channel).score

    def detect_many(self, audios: Iterable[Any]) -> list[Score]:
        """Score recordings as `detect` does."""
        return [self.detect(audio) for audio in audios]

    def hear_cm(self, audio: Any, channel: int | None = None) -> Voice:
        """Read a recording for the countermeasure, and require speech in it."""
        voice = read_voice(audio, self.cm.sampling_rate, channel, self.max_sec)
        require_speech(voice, self.min_speech_sec, self.cm.min_samples)
        return voice

    def detect_voice(self, audio: Any, channel: int | None = None) -> Verdict:
        """Decide whether a recording is bona fide speech.

        Raises:
            DataError: it cannot be read, or holds too little speech.
        """
        return self.judge(self.hear_cm(audio, channel))

    def judge(self, voice: Voice) -> Verdict:
        """Decide whether a recording that `hear_cm` read is bona fide speech."""
        stretches = None
        if self.cm.localizes:
            value, frames = self.cm.run_frames(voice.samples)
            sec = len(voice.samples) / self.cm.sampling_rate
            stretches = self.localization.spoofed(frames, self.cm.frame_times, sec)
        else:
            value = float(self.cm.run([voice.samples])[0][0])
        score = Score(value, "bona fide score")
        if file := self.files.get("cm_calibration.npz"):
            if self._cm_calibrator is None:
                self._cm_calibrator = Calibrator.read(file)
            score = self._cm_calibrator.calibrate(score)
        notes = tuple(f"{voice.name}: {note}" for note in voice.notes)
        speech = (voice.speech_sec,)
        return Verdict(
            BONAFIDE, score, self.cm_costs, speech, notes, stretches=stretches
        )


def _positive(about: Mapping[str, Any], name: str) -> float:
    """Look up a finite number above 0; raise a ValueError for any other."""
    value = float(about[name])
    if not 0 < value < math.inf:
        raise ValueError(f"{name}: expected a number above 0, got {value}")
    return value
