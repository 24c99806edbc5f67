"""A data directory as a countermeasure is trained and validated on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import torch
from torch import nn

from asdkit.base.distributed import all_reduce, gather
from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import Share
from asdkit.batches.batches import ExtractionBatches
from asdkit.batches.crops import Crop, CroppedFrames
from asdkit.batches.feature_config import FeatureConfig
from asdkit.batches.frame_labels import LabelChunks, bonafide_frames
from asdkit.batches.frame_sources import FrameSource
from asdkit.batches.samplers import BalancedChunks, Sampler
from asdkit.data.cuts import attack_of, number_spoof_classes, spoof_class_of
from asdkit.data.frame_segments import frame_times
from asdkit.io.protocols import BONAFIDE
from asdkit.io.tables import PathName
from asdkit.losses.classification import ClassificationLoss
from asdkit.metrics.eer import eer
from asdkit.metrics.segments import frame_eer
from asdkit.nnet.extraction import PaddedBatch, extract, extract_frames
from asdkit.nnet.network import Network
from asdkit.training.training_set import TrainingSet, TrainingSetReader
from asdkit.training.validation import share_buffers

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SpoofTrainingSetReader(TrainingSetReader):
    """As `TrainingSetReader`, but classes are spoofed and bona fide speech.

    Args:
        subtract_mean: subtract the mean over time from every chunk; it may carry traces
            of the vocoder or channel.
        augment_prob: share of chunks with added noise or reverberation; audio only.
        speed_classes: not used: a class is the same at all speeds.
        sampling: utterances of a batch: drawn regardless of class (natural), or as many
            of both classes (balanced).
        crop: part of an utterance that is scored: all of it (whole), or the first or
            central chunk_frames.
    """

    subtract_mean: bool = False
    augment_prob: Share = 0.0
    speed_classes: bool = False
    sampling: Literal["natural", "balanced"] = "natural"
    crop: Crop = "whole"

    class_of = staticmethod(spoof_class_of)
    number_classes = staticmethod(number_spoof_classes)

    def read_trials(
        self, data_dir: PathName, corpus: TrainingSet, loss: nn.Module, device: str
    ) -> SpoofValidation:
        """Read the utterances to validate on, made like those of training.

        Raises:
            DataError: something is missing, damaged, or not like that.
            FitError: the utterances are all of one class.
        """
        cuts = corpus.feature_config.read_cuts(data_dir)
        number_spoof_classes(cuts)
        frames = corpus.feature_config.open_frames(cuts, corpus.feat_dim)

        @cache
        def batches(min_frames: int) -> ExtractionBatches:
            return ExtractionBatches(
                CroppedFrames(frames, self.crop, self.chunk_frames, min_frames),
                max_frames=self.batch_size * self.chunk_frames,
                subtract_mean=self.subtract_mean,
                num_workers=self.num_workers,
            )

        attacks = {cut.id: attack_of(cut) for cut in frames.cuts}
        assert isinstance(loss, ClassificationLoss)
        return SpoofValidation(attacks, batches, loss, device)

    def read_frames(
        self, data_dir: PathName, corpus: TrainingSet, loss: nn.Module, device: str
    ) -> FrameValidation:
        """Read utterances that are spoofed in part, to validate on their frames.

        Raises:
            DataError: as `read_trials` does.
            FitError: as `read_trials` does.
            AsdkitError: features are computed from audio; labels are of stored ones.
        """
        if corpus.feature_config.source == "audio":
            raise AsdkitError(
                "--objective frame_labels needs stored features",
                hint="asdkit feats-compute, and --features stored",
            )
        cuts = corpus.feature_config.read_cuts(data_dir)
        number_spoof_classes(cuts)
        frames = corpus.feature_config.open_frames(cuts, corpus.feat_dim)
        times = frame_times(data_dir)
        labels = {
            cut.id: bonafide_frames(cut.supervisions[0], times, int(number))
            for cut, number in zip(frames.cuts, frames.num_frames, strict=True)
        }

        @cache
        def batches(min_frames: int) -> ExtractionBatches:
            return ExtractionBatches(
                frames,
                max_frames=self.batch_size * self.chunk_frames,
                min_frames=min_frames,
                subtract_mean=self.subtract_mean,
                num_workers=self.num_workers,
            )

        assert isinstance(loss, ClassificationLoss)
        return FrameValidation(labels, batches, loss, device)

    def _frame_labels(
        self, data_dir: PathName, config: FeatureConfig, frames: FrameSource
    ) -> LabelChunks | None:
        """Label the frames of stored features, if some utterance is spoofed in part."""
        custom = (cut.supervisions[0].custom or {} for cut in frames.cuts)
        if config.source == "audio" or not any("spoofed" in known for known in custom):
            return None
        return LabelChunks(frames.cuts, frame_times(data_dir), frames.num_frames)

    def _sampler(self, frames: FrameSource) -> Sampler:
        """Choose which utterances make a batch."""
        if self.sampling == "natural":
            return super()._sampler(frames)
        classes = [spoof_class_of(cut) for cut in frames.cuts]
        return BalancedChunks(classes, self.batch_size, self.chunks_per_utt, self.seed)


def balanced_weights(corpus: TrainingSet) -> tuple[float, ...]:
    """Return weights that sum to 1 and make both classes count the same in the loss."""
    rarity = 1 / corpus.batches.class_counts
    return tuple((rarity / rarity.sum()).round(6).tolist())


class SpoofValidation:
    """Score the utterances of a development set with the network and its loss.

    Args:
        attacks: utterance -> attack, or "bonafide".
        batches: gives this rank's share of them, for a network's shortest utterance.
        loss: maps embeddings to scores.
        device: where both are.
    """

    def __init__(
        self,
        attacks: Mapping[str, str],
        batches: Callable[[int], Iterable[PaddedBatch]],
        loss: ClassificationLoss,
        device: str = "cpu",
    ) -> None:
        self.attacks = attacks
        self.batches = batches
        self.loss = loss
        self.device = device

    def __call__(self, network: Network) -> float:
        """Return the EER of all attacks together; every rank must ask."""
        share_buffers(network)
        batches = self.batches(network.min_frames)
        scored = extract(network, batches, self.device, self.loss.scores)
        scores = gather(list(self.attacks), scored)
        is_bonafide = np.array([self.attacks[utt] == BONAFIDE for utt in scores])
        values = np.array(list(scores.values()))
        if not np.isfinite(values).all():
            logger.warning("validation: scores are not finite")
            return float("nan")
        return eer(values[is_bonafide], values[~is_bonafide])


class FrameValidation:
    """Score the frames of a development set with the network and its loss.

    Args:
        labels: utterance -> (T,) 0 for spoofed and 1 for bona fide frames.
        batches: gives this rank's share of them, for a network's shortest utterance.
        loss: maps embeddings to scores.
        device: where both are.
    """

    def __init__(
        self,
        labels: Mapping[str, np.ndarray],
        batches: Callable[[int], Iterable[PaddedBatch]],
        loss: ClassificationLoss,
        device: str = "cpu",
    ) -> None:
        self.labels = np.concatenate(list(labels.values()))
        ends = np.cumsum([len(part) for part in labels.values()]).tolist()
        self.places = {
            utt: slice(end - len(part), end)
            for (utt, part), end in zip(labels.items(), ends, strict=True)
        }
        self.batches = batches
        self.loss = loss
        self.device = device

    def __call__(self, network: Network) -> float:
        """Return the EER of frames, whatever their utterance; every rank must ask."""
        share_buffers(network)
        scores = torch.zeros(len(self.labels), dtype=torch.float64)
        is_there = torch.zeros(len(self.labels), dtype=torch.int64)
        batches = self.batches(network.min_frames)
        for utt, values in extract_frames(
            network, batches, self.device, self.loss.scores
        ):
            scores[self.places[utt]] = torch.from_numpy(values).double()
            is_there[self.places[utt]] = 1
        there = all_reduce(is_there).numpy() > 0
        kept = all_reduce(scores).numpy()[there]
        if not np.isfinite(kept).all():
            logger.warning("validation: scores are not finite")
            return float("nan")
        return frame_eer(kept, self.labels[there] == 1)
