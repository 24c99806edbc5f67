"""An ONNX graph of asdkit's, opened by ONNX Runtime; neither torch nor lhotse.

What a client has to know is in the graph's metadata: the sampling rate, the shortest
recording, how many voiced frames an embedding needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.packages import require
from asdkit.io.tables import PathName
from asdkit.segmentation.segments import FrameTimes

RUNTIME = "pip install asdkit[runtime], or tools/setup.sh --runtime in the source tree"
EXPORTER = "asdkit nnet-export makes one"
QUIET = 3  # ONNX Runtime's level: errors only


class OnnxModel:
    """A graph that embeds or scores recordings, or features.

    Args:
        source: the file, or its content.
        num_threads: threads of one call.

    Attributes:
        path: the file, for messages.
        about: the metadata.
        form: "waveform", or "feats" or "sherpa" where it takes features.
        is_cm: whether it scores how likely a recording is bona fide, or embeds it.

    Raises:
        AsdkitError: ONNX Runtime is not installed.
        DataError: the file is missing, damaged, or no graph of asdkit's.
    """

    def __init__(self, source: PathName | bytes, num_threads: int = 1) -> None:
        ort = require("onnxruntime", RUNTIME)
        self.path = "the graph" if isinstance(source, bytes) else str(source)
        if not isinstance(source, bytes):
            if not Path(source).is_file():
                raise DataError(source, "no such file", hint=EXPORTER)
            source = Path(source).read_bytes()
        options = ort.SessionOptions()
        options.intra_op_num_threads = num_threads
        options.inter_op_num_threads = 1
        options.log_severity_level = QUIET
        try:
            self.session = ort.InferenceSession(
                source, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # of many kinds, none of which is public
            said = str(error).strip().partition("\n")[0]
            raise DataError(self.path, f"no ONNX graph: {said}") from None
        self.about: dict[str, str] = self.session.get_modelmeta().custom_metadata_map
        if self.about.get("producer") != "asdkit":
            raise DataError(self.path, "not a graph of asdkit's", hint=EXPORTER)
        self.form = self.about.get("form", "")
        self.output = self.session.get_outputs()[0].name
        self.is_cm = self.output == "score"

    @property
    def sampling_rate(self) -> int:
        """The rate of its samples in Hz."""
        return self._whole("sample_rate")

    @property
    def embedding_dim(self) -> int:
        """E; 1 for scores."""
        return self._whole("output_dim")

    @property
    def min_samples(self) -> int:
        """The shortest recording, in samples."""
        return self._whole("min_samples")

    @property
    def min_frames(self) -> int:
        """The fewest frames that an embedding is computed from."""
        return self._whole("min_frames")

    def _whole(self, name: str) -> int:
        """Look up a whole number above 0 of the metadata."""
        text = self.about.get(name, "nothing")
        if not (text.isdecimal() and len(text) < 10 and int(text) > 0):
            problem = f"damaged metadata: expected a number {name}, got {text!r}"
            raise DataError(self.path, problem, hint=EXPORTER)
        return int(text)

    def run(self, recordings: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Compute N embeddings or scores in one batch.

        Args:
            recordings: (L,) float32 samples in [-1, 1) at the model's rate, each at
                least `min_samples` long.

        Returns:
            (N, E) or (N,), and (N,) how many frames each was computed from.

        Raises:
            DataError: a recording is too short, or the result is not finite.
        """
        lengths = np.array([len(x) for x in recordings], dtype=np.int64)
        if (shortest := int(lengths.min())) < self.min_samples:
            rate = self.sampling_rate
            least = f"{self.min_samples} samples ({self.min_samples / rate:.3g} s)"
            problem = f"expected at least {least}, got {shortest}"
            raise DataError("audio", problem)
        batch = np.zeros((len(recordings), int(lengths.max())), dtype=np.float32)
        for row, samples in zip(batch, recordings, strict=True):
            row[: len(samples)] = samples
        inputs: dict[str, np.ndarray] = {"samples": batch, "num_samples": lengths}
        found, num_frames = self._run(inputs, 4 if self.localizes else 2)[:2]
        return self._checked(found), num_frames

    @property
    def localizes(self) -> bool:
        """Whether it scores single frames, too."""
        return "frame_shift_sec" in self.about

    @property
    def frame_times(self) -> FrameTimes:
        """The times of the frames that it scores.

        Raises:
            DataError: the metadata are damaged.
        """
        try:
            names = "frame_shift_sec", "frame_first_sec"
            shift, first = (float(self.about[name]) for name in names)
            if not (0 < shift < 1 and 0 <= first < 1):
                raise ValueError(f"{shift} and {first}")
        except (KeyError, ValueError) as error:
            problem = f"damaged metadata: times of frames: {error}"
            raise DataError(self.path, problem, hint=EXPORTER) from None
        return FrameTimes(shift, first)

    def run_frames(self, samples: np.ndarray) -> tuple[float, np.ndarray]:
        """Score a recording and its frames: (L,) -> score, (T',) scores.

        Raises:
            DataError: the result is not finite.
        """
        assert self.localizes
        length = np.array([len(samples)], dtype=np.int64)
        inputs = {"samples": samples[None], "num_samples": length}
        score, _, frames, num_scores = self._run(inputs, 4)
        real = frames[0, : int(num_scores[0])]
        return float(self._checked(score)[0]), self._checked(real)

    def run_features(self, feats: np.ndarray) -> np.ndarray:
        """(N, T, D) features -> (N, E) or (N,).

        Raises:
            DataError: they are too few, or the result is not finite.
        """
        if feats.shape[1] < self.min_frames:
            problem = f"expected {self.min_frames} frames or more, got {feats.shape[1]}"
            raise DataError("features", problem)
        return self._checked(self._run({"feats": feats.astype(np.float32)}, 1)[0])

    def _run(self, inputs: dict[str, np.ndarray], num_outputs: int) -> list[Any]:
        """Run the graph, in which a layer may fail."""
        try:
            found: list[Any] = self.session.run(None, inputs)
        except Exception as error:  # of many kinds, none of which is public
            said = str(error).strip().partition("\n")[0]
            raise DataError(self.path, f"it fails: {said}") from None
        if len(found) != num_outputs or len(found[0]) != len(
            next(iter(inputs.values()))
        ):
            problem = f"expected {num_outputs} outputs, a row for each recording"
            raise DataError(self.path, problem, hint=EXPORTER)
        return found

    def _checked(self, found: np.ndarray) -> np.ndarray:
        """Raise unless a result is finite."""
        if not np.isfinite(found).all():
            raise DataError(self.path, "its result is NaN or infinite")
        return found
