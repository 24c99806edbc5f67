"""Frames to i-vectors: front end, UBM and extractor in one."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

from asdkit.base.estimators import set_arrays, split_state
from asdkit.features.frontend import FrontEnd
from asdkit.gmm.aligner import Aligner
from asdkit.gmm.ubm import Ubm
from asdkit.ivector.em import Totals
from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.stored_statistics import BATCH, FrameBatch, sum_utts, to_tensor

logger = logging.getLogger(__name__)

PREFIX = "extractor."


class IvectorSystem:
    """Everything that extraction needs besides features.

    Args:
        frontend: front end for stored features.
        ubm: UBM that aligns frames.
        extractor: extractor trained on this UBM's statistics.
        num_gselect: Gaussians per frame, see `Aligner`.
        min_post: smaller posteriors are dropped.
        features: description of the features that it was trained on, from
            `asdkit.batches.feature_config`; None: unknown.
    """

    def __init__(
        self,
        frontend: FrontEnd,
        ubm: Ubm,
        extractor: IvectorExtractor,
        num_gselect: int,
        min_post: float,
        features: Mapping[str, Any] | None = None,
    ) -> None:
        self.frontend = frontend
        self.ubm = ubm
        self.extractor = extractor
        self.num_gselect = num_gselect
        self.min_post = min_post
        self.features = features

    def aligner(self, device: torch.device | str = "cpu") -> Aligner:
        """Prepare to compute posteriors of frames."""
        return Aligner(
            self.ubm.diag, self.ubm.full, self.num_gselect, self.min_post, device
        )

    def extract(
        self, batches: Iterable[FrameBatch], device: torch.device | str = "cpu"
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Extract the i-vectors of utterances; arguments as for `posteriors`.

        Yields:
            the utterance's id and its (R,) i-vector.

        Raises:
            DataError: the frames have another dimension than the UBM.
        """
        for utt, ivector, _ in self.posteriors(batches, device):
            yield utt, ivector

    def posteriors(
        self, batches: Iterable[FrameBatch], device: torch.device | str = "cpu"
    ) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """Extract the i-vectors of utterances, and their precisions.

        Args:
            batches: ids, (T, D) frames one utterance after another and (N + 1,)
                where each begins, from `asdkit.batches.gmm_frames.read_frames`.
            device: where to compute.

        Yields:
            the utterance's id, its (R,) i-vector, and the (R,) diagonal of the
            precision of its posterior.

        Raises:
            DataError: the frames have another dimension than the UBM.
        """
        yield from Extraction(self, device)(batches)

    def resume(self, saved: IvectorSystem, totals: Totals) -> bool:
        """Resume an interrupted training, if it was this one.

        Args:
            saved: system after some iteration, whose extractor is copied.
            totals: statistics of the present training data.

        Returns:
            whether options, but for the number of iterations, and data are the same,
            so that `IvectorExtractor.iterate` can do what is left.
        """
        saved.extractor.num_iters = self.extractor.num_iters
        if saved.features is None:  # a version before 0.2 did not note them
            saved.features = self.features
        if saved.to_state()[0] != self.to_state()[0]:
            return False
        if not saved.extractor.continues(totals):
            return False
        self.extractor = saved.extractor
        done = len(self.extractor.loglikes_)
        logger.info("ivector-extractor: going on after iteration %d", done)
        return True

    def to_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return options and arrays for a model file."""
        extractor, arrays = split_state(self.extractor)
        options = {
            "frontend": self.frontend.options,
            "num_gselect": self.num_gselect,
            "min_post": self.min_post,
            "extractor": extractor,
        }
        if self.features is not None:
            options["features"] = dict(self.features)
        return options, self.ubm.state() | {PREFIX + k: x for k, x in arrays.items()}

    @classmethod
    def from_state(
        cls, options: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
    ) -> IvectorSystem:
        """Build one from what `to_state` returned.

        Raises:
            KeyError: an option or an array is missing.
        """
        extractor = IvectorExtractor(**options["extractor"])
        set_arrays(extractor, arrays, PREFIX)
        return cls(
            FrontEnd(**options["frontend"]),
            Ubm.of(arrays),
            extractor,
            options["num_gselect"],
            options["min_post"],
            options.get("features"),
        )


class Extraction:
    """A system prepared on a device, to extract again and again.

    Args:
        system: trained.
        device: where to compute.
    """

    def __init__(
        self, system: IvectorSystem, device: torch.device | str = "cpu"
    ) -> None:
        self.device = torch.device(device)
        self.feat_dim = system.ubm.full.means_.shape[1]
        self.aligner = system.aligner(self.device)
        self.posterior = system.extractor.posterior(self.device)

    def __call__(
        self, batches: Iterable[FrameBatch]
    ) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """Extract as `IvectorSystem.posteriors` does.

        Raises:
            DataError: the frames have another dimension than the UBM.
        """
        for batch in batches:
            frames = to_tensor(batch, self.feat_dim, self.device)
            posteriors = self.aligner.align(frames)
            utts, _, splits = batch
            for first in range(0, len(utts), BATCH):
                part = splits[first : first + BATCH + 1]
                n, f = sum_utts(frames, posteriors, part)
                yield from zip(
                    utts[first : first + BATCH],
                    self.posterior.mean(n, f).cpu().numpy(),
                    self.posterior.precision(n).cpu().numpy(),
                    strict=True,
                )
