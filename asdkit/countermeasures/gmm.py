"""GMM countermeasure: one mixture for bona fide and one for spoofed speech.

The score of an utterance is the mean over its frames of the log-likelihood ratio of the
two.  With linear-frequency or constant-Q cepstra these are the challenges' baselines.

Source: ASVspoof 2019 and 2021, baselines B02 (LFCC) and B01 (CQCC): 512 Gaussians a
class, static coefficients, deltas and their deltas, no normalization.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from asdkit.base.distributed import share
from asdkit.base.errors import DataError
from asdkit.base.estimators import set_arrays, split_state
from asdkit.base.ranges import Count, Natural, Share
from asdkit.batches.feature_config import FeatureConfig
from asdkit.batches.gmm_frames import (
    FrameBatch,
    Frames,
    list_utts,
    read_frames,
    sample_frames,
)
from asdkit.data.agreement import require_agreement_of
from asdkit.features.frontend import FrontEnd
from asdkit.gmm.diagonal import DiagGmm
from asdkit.gmm.ubm import train_diagonal
from asdkit.io.protocols import BONAFIDE
from asdkit.io.store import building, load_arrays, save_arrays
from asdkit.io.tables import PathName, read_words

logger = logging.getLogger(__name__)

KIND = "SpoofGmm"


@dataclass(frozen=True)
class SpoofFrontEnd(FrontEnd):
    """A `FrontEnd` that keeps means, which carry traces of vocoders and channels.

    Frame-to-frame jitter of a vocoder shows with a ``delta_window`` of 1 only.

    Args:
        delta_window: frames on each side used for a time derivative; 1 in the LFCC
            baselines, 3 in those with CQCCs.
        cmn_window: frames of the sliding window for mean subtraction; 0: none.
    """

    delta_window: Count = 1
    cmn_window: Natural = 0


@dataclass(frozen=True)
class SpoofGmm:
    """A countermeasure of two mixtures.

    Args:
        bonafide: mixture of bona fide speech.
        spoof: mixture of all attacks together.
        frontend: front end for stored features.
        feature_config: kind of features.
    """

    bonafide: DiagGmm
    spoof: DiagGmm
    frontend: FrontEnd
    feature_config: FeatureConfig

    def llrs(self, frames: Tensor) -> Tensor:
        """(T, D) frames -> (T,) log-likelihood ratios, bona fide over spoof."""
        return self.bonafide.densities(frames) - self.spoof.densities(frames)

    def score(
        self, data_dir: PathName, device: str = "cpu"
    ) -> Iterator[tuple[list[str], np.ndarray]]:
        """Score this rank's share of the utterances of a data directory.

        Yields:
            N ids and their (N,) float64 scores; higher means bona fide.

        Raises:
            DataError: the features are missing, damaged, or others than the model's.
        """
        self.feature_config.check_stored(data_dir)
        utts = share(list_utts(data_dir))
        for batch in read_frames(data_dir, self.frontend, utts):
            dim = self.bonafide.means_.shape[1]
            if batch.frames.shape[1] != dim:
                problem = f"expected {dim} dimensions, got {batch.frames.shape[1]}"
                raise DataError(Path(data_dir) / "feats.scp", problem)
            yield batch.utts, self.score_batch(batch, device)

    def score_batch(self, batch: FrameBatch, device: str = "cpu") -> np.ndarray:
        """Score N utterances by their prepared frames: (N,) float64."""
        llrs = self.llrs(torch.from_numpy(batch.frames).to(device)).double()
        sums = np.add.reduceat(llrs.cpu().numpy(), batch.splits[:-1])
        return sums / np.diff(batch.splits)


def train_spoof_gmm(
    data_dir: PathName,
    frontend: FrontEnd,
    device: str = "cpu",
    num_gauss: Count = 512,
    num_init_iters: Natural = 20,
    num_iters: Natural = 4,
    min_gaussian_weight: Share = 1e-4,
    num_frames: Count = 500_000,
    seed: Natural = 0,
) -> SpoofGmm:
    """Train both mixtures, one after the other; all ranks take part.

    Args:
        data_dir: with feats.scp and utt2attack.
        frontend: front end to apply to the features.
        device: device to compute on.
        num_gauss: number of Gaussians of each mixture.
        num_init_iters: initial EM iterations on a sample of frames in memory.
        num_iters: EM iterations on all frames.
        min_gaussian_weight: weight below which a Gaussian is not updated.
        num_frames: maximum number of frames to initialize each mixture from.
        seed: random seed for the initial frames.

    Raises:
        DataError: an utterance has no attack, or there is none of a class.
        FitError: there are fewer than ten sampled frames per Gaussian.
    """
    mixtures = []
    for name, utts in zip(
        ("bona fide", "spoofed"), split_classes(data_dir), strict=True
    ):
        logger.info("cm-gmm: %s: %d utterances", name, len(utts))
        sample = sample_frames(data_dir, frontend, utts, num_frames, seed)
        gmm = train_diagonal(
            torch.from_numpy(sample).to(device),
            _reader(Frames(data_dir, frontend, share(utts)), device),
            num_gauss,
            num_init_iters,
            num_iters,
            min_gaussian_weight,
            seed,
        )
        mixtures.append(gmm)
    config = FeatureConfig.read_by_gmms(data_dir)
    bonafide, spoof = mixtures
    return SpoofGmm(bonafide, spoof, frontend, config)


def _reader(frames: Frames, device: str) -> Callable[[], Iterator[Tensor]]:
    """Let frames be read again and again, as tensors on a device."""
    return lambda: (torch.from_numpy(batch.frames).to(device) for batch in frames)


def split_classes(data_dir: PathName) -> tuple[list[str], list[str]]:
    """List the utterances with features: bona fide ones, and spoofed ones.

    Raises:
        DataError: one is not in utt2attack, or there is none of a class.
    """
    path = Path(data_dir) / "utt2attack"
    utt2attack, utts = read_words(path), list_utts(data_dir)
    require_agreement_of(path, utt2attack)
    if unknown := [utt for utt in utts if utt not in utt2attack]:
        raise DataError(path, f"{unknown[0]!r} is not in it ({len(unknown)} such)")
    bonafide = [utt for utt in utts if utt2attack[utt] == BONAFIDE]
    spoof = [utt for utt in utts if utt2attack[utt] != BONAFIDE]
    if not bonafide or not spoof:
        counts = f"{len(bonafide)} bona fide and {len(spoof)} spoofed"
        raise DataError(path, f"expected utterances of both classes, got {counts}")
    return bonafide, spoof


def save_spoof_gmm(path: PathName, model: SpoofGmm) -> None:
    """Write a model atomically: both mixtures, and their front end."""
    arrays = {
        f"{name}.{key}": array
        for name in ("bonafide", "spoof")
        for key, array in split_state(getattr(model, name))[1].items()
    }
    options = {
        "frontend": model.frontend.options,
        "features": model.feature_config.description,
    }
    save_arrays(path, KIND, options, arrays)


def load_spoof_gmm(path: PathName) -> SpoofGmm:
    """Read what `save_spoof_gmm` wrote.

    Raises:
        DataError: missing, damaged, or another kind of model.
    """
    options, arrays = load_arrays(path, KIND)
    with building(path):
        mixtures = []
        for name in ("bonafide", "spoof"):
            gmm = DiagGmm(len(arrays[f"{name}.weights_"]))
            set_arrays(gmm, arrays, f"{name}.")
            mixtures.append(gmm)
        bonafide, spoof = mixtures
        frontend = FrontEnd(**options["frontend"])
        config = FeatureConfig.read(options["features"])
        return SpoofGmm(bonafide, spoof, frontend, config)
