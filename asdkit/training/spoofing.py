"""Training set and development set of a countermeasure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from torch import nn

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
from asdkit.io.tables import PathName
from asdkit.losses.classification import ClassificationLoss
from asdkit.training.dev_error import FrameDevError, SpoofDevError
from asdkit.training.training_set import TrainingSet, TrainingSetReader


@dataclass(frozen=True)
class SpoofTrainingSetReader(TrainingSetReader):
    """Read a data directory whose classes are spoofed and bona fide speech.

    Args:
        subtract_mean: subtract the mean over time from every chunk; it may carry traces
            of the vocoder or channel.
        augment_prob: share of chunks with added noise or reverberation; audio only.
        speed_classes: not used: a class is the same at all speeds.
        sampling: utterances of a batch: drawn regardless of class (natural), or as many
            of both classes (balanced).
        crop: scored part of an utterance: all of it (whole), or the first or central
            chunk_frames.
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
    ) -> SpoofDevError:
        """Read a development set to score its utterances.

        Raises:
            DataError: something is missing, damaged, or has other features.
            FitError: all utterances are of one class.
        """
        frames = _open_dev(data_dir, corpus)
        attacks = {cut.id: attack_of(cut) for cut in frames.cuts}

        def crop(min_frames: int) -> CroppedFrames:
            return CroppedFrames(frames, self.crop, self.chunk_frames, min_frames)

        assert isinstance(loss, ClassificationLoss)
        return SpoofDevError(attacks, self._dev_batches(crop), loss, device)

    def read_frames(
        self, data_dir: PathName, corpus: TrainingSet, loss: nn.Module, device: str
    ) -> FrameDevError:
        """Read a development set of partial spoofs to score their frames.

        Raises:
            DataError: as for `read_trials`.
            FitError: as for `read_trials`.
            AsdkitError: features are computed from audio; only stored ones have labels.
        """
        if corpus.feature_config.source == "audio":
            raise AsdkitError(
                "--objective frame_labels needs stored features",
                hint="asdkit feats-compute, and --features stored",
            )
        frames = _open_dev(data_dir, corpus)
        times = frame_times(data_dir)
        labels = {
            cut.id: bonafide_frames(cut.supervisions[0], times, int(number))
            for cut, number in zip(frames.cuts, frames.num_frames, strict=True)
        }
        batches = self._dev_batches(lambda _: frames)
        assert isinstance(loss, ClassificationLoss)
        return FrameDevError(labels, batches, loss, device)

    def _dev_batches(
        self, frames_for: Callable[[int], FrameSource]
    ) -> Callable[[int], ExtractionBatches]:
        """Return a function of the shortest utterance that makes batches, once each."""

        @cache
        def batches(min_frames: int) -> ExtractionBatches:
            return ExtractionBatches(
                frames_for(min_frames),
                max_frames=self.batch_size * self.chunk_frames,
                min_frames=min_frames,
                subtract_mean=self.subtract_mean,
                num_workers=self.num_workers,
            )

        return batches

    def _frame_labels(
        self, data_dir: PathName, config: FeatureConfig, frames: FrameSource
    ) -> LabelChunks | None:
        """Label the frames of stored features, if an utterance is partially spoofed."""
        custom = (cut.supervisions[0].custom or {} for cut in frames.cuts)
        if config.source == "audio" or not any("spoofed" in known for known in custom):
            return None
        return LabelChunks(frames.cuts, frame_times(data_dir), frames.num_frames)

    def _sampler(self, frames: FrameSource) -> Sampler:
        """Choose the sampler of utterances for batches."""
        if self.sampling == "natural":
            return super()._sampler(frames)
        classes = [spoof_class_of(cut) for cut in frames.cuts]
        return BalancedChunks(classes, self.batch_size, self.chunks_per_utt, self.seed)


def _open_dev(data_dir: PathName, corpus: TrainingSet) -> FrameSource:
    """Open the frames of a development set, which needs both classes."""
    cuts = corpus.feature_config.read_cuts(data_dir)
    number_spoof_classes(cuts)
    return corpus.feature_config.open_frames(cuts, corpus.feat_dim)


def balanced_weights(corpus: TrainingSet) -> tuple[float, ...]:
    """Return class weights that sum to 1 and balance both classes in the loss."""
    rarity = 1 / corpus.batches.class_counts
    return tuple((rarity / rarity.sum()).round(6).tolist())
