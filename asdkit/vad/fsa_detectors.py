"""Voice activity by finite-state acceptors over frame scores (k2).

Frame scores come from a pair of Gaussian mixtures trained on the recordings themselves,
from silero-vad, or from an archive of any classifier's scores.  The decisions are the
best path through an acceptor in which speech and pauses have minimum durations and
changes cost something.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.packages import require
from asdkit.base.ranges import (
    Count,
    FilePath,
    Natural,
    NonNegative,
    Positive,
    Probability,
)
from asdkit.batches.cut_arrays import at_rate, load_samples, require_audio
from asdkit.data.cuts import read_cuts
from asdkit.data.frame_segments import frame_times
from asdkit.gmm.diagonal import FRAMES_PER_GAUSSIAN, DiagGmm
from asdkit.io.ark import load_array, read_scp
from asdkit.io.origins import require_origin
from asdkit.io.tables import PathName
from asdkit.segmentation.binary import BinarySegmenter
from asdkit.vad.detection import read_batches

logger = logging.getLogger(__name__)

SILERO_RATE, SILERO_SAMPLES = 16000, 512  # it hears 32 ms at a time


@dataclass
class SmoothDetector:
    """Best path of speech and pauses through an acceptor; a subclass scores the frames.

    Args:
        min_speech_sec: shortest speech segment in seconds, except at the ends of a
            recording.
        min_pause_sec: shortest pause in seconds, except at the ends of a recording.
        change_cost: cost of switching between speech and pause, in nats.
        speech_bias: bias added to the frame log odds; positive values keep more frames.
        score_scale: scale of the biased log odds before costs are subtracted.
    """

    min_speech_sec: Positive = 0.3
    min_pause_sec: Positive = 0.3
    change_cost: NonNegative = 3.0
    speech_bias: float = 0.0
    score_scale: Positive = 1.0
    needs_energy: ClassVar[bool] = False

    def prepare(self, data_dir: PathName) -> None:
        """Make the acceptor for the frames of a data directory.

        Raises:
            AsdkitError: k2 is not installed.
        """
        shift = frame_times(data_dir).shift_sec
        shortest = (self.min_pause_sec, self.min_speech_sec)
        pause, speech = (max(1, round(sec / shift)) for sec in shortest)
        self._segmenter = BinarySegmenter(
            (pause, speech), self.change_cost, self.score_scale, self.speech_bias
        )

    def detect(
        self, utts: Sequence[str], feats: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """N ids and their (T, D) features -> N times (T,) bool, True for speech."""
        return self._segmenter.decide(self.log_odds(utts, feats))

    def log_odds(
        self, utts: Sequence[str], feats: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """N ids and their (T, D) features -> N times (T,) log odds of speech."""
        raise NotImplementedError


@dataclass
class GmmDetector(SmoothDetector):
    """Two mixtures trained on the quietest and the loudest frames of each recording.

    They see all coefficients, each less its mean over the recording, so that one pair
    serves recordings of any level.  It learns once more from what it has decided.

    Args:
        num_gauss: Gaussians of each mixture.
        quiet_share: share of a recording's frames, the quietest, to take as pauses at
            first.
        loud_share: share of a recording's frames, the loudest, to take as speech at
            first.
        num_rounds: number of rounds of retraining on its own decisions.
        num_frames: maximum number of frames to train on, from recordings drawn at
            random.
        seed: random seed for drawing the recordings.

    Source: T. Kinnunen and P. Rajan, "A practical, self-adaptive voice activity
    detector for speaker verification with noisy telephone and microphone data", ICASSP
    2013, for learning from the extremes of energy; there each recording has a pair of
    codebooks for itself.
    """

    # Successive frames are alike: they count for a tenth of independent ones.
    score_scale: Positive = 0.1
    num_gauss: Count = 16
    quiet_share: Probability = 0.15
    loud_share: Probability = 0.4
    num_rounds: Natural = 1
    num_frames: Count = 500_000
    seed: Natural = 0
    needs_energy: ClassVar[bool] = True

    def prepare(self, data_dir: PathName) -> None:
        """Train the mixtures, and make the acceptor.

        Raises:
            AsdkitError: k2 is not installed.
            FitError: there are too few frames.
        """
        super().prepare(data_dir)
        if self.quiet_share + self.loud_share > 1:
            raise AsdkitError(
                f"expected shares of quiet and loud frames up to 1 together, got "
                f"{self.quiet_share} and {self.loud_share}"
            )
        feats = self._sample(data_dir)
        frames = [_centered(matrix) for matrix in feats]
        labels = [self._extremes(matrix[:, 0]) for matrix in feats]
        self._fit(frames, labels)
        for _ in range(self.num_rounds):
            labels = [decided.astype(int) for decided in self.detect([], feats)]
            least = np.bincount(np.concatenate(labels), minlength=2).min()
            if least < FRAMES_PER_GAUSSIAN * self.num_gauss:
                logger.warning("vad: %d frames of one class: too few to learn", least)
                break
            self._fit(frames, labels)

    def log_odds(
        self, utts: Sequence[str], feats: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """N ids and their (T, D) features -> N times (T,) log odds of speech."""
        odds = []
        for matrix in feats:
            frames = torch.from_numpy(_centered(matrix))
            pause, speech = (
                gmm.loglikes(frames).logsumexp(dim=1) for gmm in self._gmms
            )
            odds.append((speech - pause).numpy())
        return odds

    def _sample(self, data_dir: PathName) -> list[np.ndarray]:
        """Load recordings at random until there are enough frames."""
        table = list(read_scp(f"{data_dir}/feats.scp").items())
        order = np.random.default_rng(self.seed).permutation(len(table))
        feats: list[np.ndarray] = []
        left = self.num_frames
        for _, (matrix,) in read_batches((table[i] for i in order), max_frames=1):
            feats.append(matrix[:left])
            left -= len(feats[-1])
            if left <= 0:
                break
        return feats

    def _extremes(self, energy: np.ndarray) -> np.ndarray:
        """(T,) log energies -> (T,) 0 for pauses, 1 for speech, -1 for undecided."""
        shares = [self.quiet_share, 1 - self.loud_share]
        quiet, loud = np.quantile(energy, shares)
        return np.where(energy <= quiet, 0, np.where(energy >= loud, 1, -1))

    def _fit(self, frames: list[np.ndarray], labels: list[np.ndarray]) -> None:
        """Train a mixture for pauses, and one for speech."""
        everything, classes = np.concatenate(frames), np.concatenate(labels)
        counts = np.bincount(classes[classes >= 0], minlength=2)
        self._gmms = [
            DiagGmm(self.num_gauss, num_iters=8, seed=self.seed).fit(
                torch.from_numpy(everything[classes == c])
            )
            for c in range(2)
        ]
        logger.info("vad: %d frames of pauses, %d of speech to learn from", *counts)


@dataclass
class SileroDetector(SmoothDetector):
    """The neural network of the package silero-vad, which must be installed.

    Its input is the audio, at 16 kHz; of the features only their number matters.
    """

    def prepare(self, data_dir: PathName) -> None:
        """Load the network, look for the audio, make the acceptor.

        Raises:
            AsdkitError: k2 or silero-vad is not installed.
            DataError: there is no audio.
        """
        super().prepare(data_dir)
        cure = "pip install silero-vad"
        self._network = require("silero_vad", cure).load_silero_vad()
        cuts = list(read_cuts(data_dir, features=False))
        require_audio(cuts)
        self._data_dir = data_dir
        self._cuts = {cut.id: cut for cut in at_rate(cuts, SILERO_RATE)}
        self._times = frame_times(data_dir)

    def log_odds(
        self, utts: Sequence[str], feats: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """N ids and their (T, D) features -> N times (T,) log odds of speech."""
        odds = []
        for utt, matrix in zip(utts, feats, strict=True):
            if utt not in self._cuts:
                raise DataError(self._data_dir, f"{utt!r} has features, but no audio")
            samples = torch.from_numpy(load_samples(self._cuts[utt]))
            self._network.reset_states()
            with torch.inference_mode():
                probs = self._network.audio_forward(samples[None], SILERO_RATE)[0]
            middles = self._times.middles(len(matrix)) * SILERO_RATE
            place = (middles / SILERO_SAMPLES).astype(int).clip(0, len(probs) - 1)
            logit = torch.logit(probs.double(), eps=1e-6).numpy()
            odds.append(logit[place])
        return odds


@dataclass
class ScoresDetector(SmoothDetector):
    """Frame scores of any classifier, from an archive.

    Args:
        scores: table (.scp) of (T,) log odds of speech, or of (T, 2) log-likelihoods or
            log-posteriors of pause and speech; None: none; required for --method
            scores.
    """

    scores: FilePath | None = None

    def prepare(self, data_dir: PathName) -> None:
        """Look for the scores, and make the acceptor.

        Raises:
            AsdkitError: k2 is not installed, or there is no table.
        """
        super().prepare(data_dir)
        if not self.scores:
            raise AsdkitError("--method scores needs --scores FILE.scp")
        self._place = self.scores.removeprefix("scp:")
        require_origin(self._place)
        self._table = read_scp(self._place)

    def log_odds(
        self, utts: Sequence[str], feats: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """N ids and their (T, D) features -> N times (T,) log odds of speech."""
        return [
            self._load(utt, len(matrix))
            for utt, matrix in zip(utts, feats, strict=True)
        ]

    def _load(self, utt: str, num_frames: int) -> np.ndarray:
        """Load the log odds of an utterance, (T,)."""
        if utt not in self._table:
            raise DataError(self._place, f"{utt!r} is not in it")
        odds = load_odds(utt, self._table[utt])
        if len(odds) != num_frames:
            problem = f"{utt!r}: {len(odds)} scores for {num_frames} frames"
            raise DataError(self._table[utt], problem)
        return odds


def load_odds(utt: str, location: str) -> np.ndarray:
    """Load the scores of an utterance's frames.

    Args:
        utt: its id.
        location: of (T,) log odds of class 1, or of (T, 2) log-likelihoods or
            log-posteriors of classes 0 and 1.

    Returns:
        (T,) log odds.

    Raises:
        DataError: they are missing, have another shape, or are NaN or infinite.
    """
    scores = load_array(utt, location)
    if scores.size == 0 or scores.ndim > 2 or scores.shape[1:] not in ((), (2,)):
        problem = f"{utt!r}: expected (T,) or (T, 2) scores, got shape {scores.shape}"
        raise DataError(location, problem)
    odds = scores if scores.ndim == 1 else scores[:, 1] - scores[:, 0]
    if not np.isfinite(odds).all():
        raise DataError(location, f"{utt!r} holds NaN or infinity")
    return odds


def _centered(feats: np.ndarray) -> np.ndarray:
    """Subtract the mean of the recording: (T, D) -> (T, D) float32."""
    return (feats - feats.mean(axis=0)).astype(np.float32)
