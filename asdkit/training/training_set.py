"""The training set of a network: its batches, classes and held-out speakers."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Annotated, Any, NamedTuple

from asdkit.base.errors import AsdkitError, FitError
from asdkit.base.ranges import Count, FolderPath, Natural, Range, Share
from asdkit.batches.augmentation import (
    Augmentation,
    Chain,
    Change,
    CodecAugmentation,
    Noises,
    Rooms,
    SpecAugment,
)
from asdkit.batches.batches import ExtractionBatches, TeacherFrontEnd, TrainingBatches
from asdkit.batches.cut_arrays import at_rate, sum_up_feats
from asdkit.batches.feature_config import FeatureConfig
from asdkit.batches.frame_labels import LabelChunks
from asdkit.batches.frame_sources import ComputedFrames, FrameSource
from asdkit.batches.noises import (
    DrawnNoises,
    DrawnRooms,
    RecordedNoises,
    RecordedRooms,
)
from asdkit.batches.samplers import RandomChunks, Sampler, SpeakerChunks
from asdkit.data.cuts import number_speakers, speaker_of
from asdkit.distillation.stored_teachers import StoredTeacher
from asdkit.features.framing import Features
from asdkit.io.origins import describe
from asdkit.io.tables import PathName
from asdkit.simulation.rawboost import RawBoost
from asdkit.training.dev_error import SpeakerDevError, hold_out

SPEEDS = (1.0, 0.9, 1.1)


class TrainingSet(NamedTuple):
    """Data to train a network on, and held-out speakers to measure its dev error on.

    Attributes:
        batches: endless batches of chunks.
        classes: class names in the order of their labels.
        feature_config: configuration of the features.
        feat_dim: D.
        held_out: utt2spk of the held-out utterances; empty if there are none.
        held_out_batches: returns batches of these for a network's shortest utterance.
        options: everything that the result depends on, for checkpoints.
    """

    batches: TrainingBatches
    classes: list[str]
    feature_config: FeatureConfig
    feat_dim: int
    held_out: dict[str, str]
    held_out_batches: Callable[[int], ExtractionBatches]
    options: dict[str, Any]

    def dev_error(self, device: str) -> SpeakerDevError | None:
        """Return a measure of the dev error; None without held-out speakers."""
        if not self.held_out:
            return None
        return SpeakerDevError(self.held_out, self.held_out_batches, device)

    def check_chunks(self, min_frames: int) -> None:
        """Raise an AsdkitError if a network of ``min_frames`` cannot take a chunk."""
        if self.batches.chunk_frames < min_frames:
            raise AsdkitError(
                f"expected chunks of {min_frames} frames or more, as the network "
                f"needs, got {self.batches.chunk_frames}",
                hint=f"--chunk-frames {min_frames}",
            )


@dataclass(frozen=True)
class TrainingSetReader:
    """Read a data directory to train on, with options for its batches.

    Args:
        voiced: leave out frames that vad.scp rejects; stored features only.
        subtract_mean: subtract the mean over time from every chunk.
        delta_order: order of the highest time derivative to append; 0: none.
        cmn_window: frames of the sliding window for mean subtraction, over all frames,
            pauses as well; 0: none.
        chunk_frames: frames per chunk; samples for networks on waveforms.
        batch_size: chunks per batch, over all ranks.
        chunks_per_utt: chunks per utterance in an epoch.
        utts_per_speaker: chunks per speaker in a batch, for metric losses; 0:
            utterances at random, whoever speaks.
        spec_augment_prob: share of chunks with SpecAugment masks in time and frequency.
        mask_teacher: give these masks to a teacher network, too.
        augment_prob: share of chunks with added noise or reverberation; audio only.
        noises: folder or data directory of noise recordings; None: synthetic noise.
        rooms: folder or data directory of room impulse responses; None: simulated
            rooms.
        codec_prob: share of chunks that then pass through a codec; audio only.
        rawboost: RawBoost algorithm, 1 to 8, that then distorts all chunks; 0: none;
            audio only.
        perturb_speed: also train on chunks at 0.9 and 1.1 times their speed; audio
            only.
        speed_classes: count a speaker at another speed as another speaker.
        num_workers: worker processes that prefetch batches.
        num_valid_spks: speakers held out for the dev error; 0: no dev error.
        utts_per_valid_spk: maximum number of utterances per held-out speaker.
        seed: random seed for weights, batch order and dropout.
    """

    voiced: bool = False
    subtract_mean: bool = True
    delta_order: Natural = 0
    cmn_window: Natural = 0
    chunk_frames: Count = 200
    batch_size: Count = 64
    chunks_per_utt: Count = 1
    utts_per_speaker: Natural = 0
    spec_augment_prob: Share = 0.0
    mask_teacher: bool = False
    augment_prob: Share = 0.6
    noises: FolderPath | None = None
    rooms: FolderPath | None = None
    codec_prob: Share = 0.0
    rawboost: Annotated[int, Range(0, 8)] = 0
    perturb_speed: bool = False
    speed_classes: bool = True
    num_workers: Natural = 0
    num_valid_spks: Natural = 0
    utts_per_valid_spk: Annotated[int, Range(least=2)] = 20
    seed: Natural = 0

    # The classes; subclasses have others than speakers.
    class_of = staticmethod(speaker_of)
    number_classes = staticmethod(number_speakers)

    def read(
        self,
        data_dir: PathName,
        extractor: Features | None = None,
        teacher: StoredTeacher | None = None,
    ) -> TrainingSet:
        """Read a data directory.

        Args:
            data_dir: data directory with manifests, and feats.scp unless features are
                computed.
            extractor: computes features from audio; None: stored features.
            teacher: teacher, which restricts the utterances and may need features of
                its own; None: no teacher.

        Raises:
            DataError: something is missing or damaged.
            FitError: there are too few speakers or utterances.
            AsdkitError: options contradict each other.
        """
        config = self._feature_config(data_dir, extractor)
        cuts = config.read_cuts(data_dir)
        utt2spk = {cut.id: speaker_of(cut) for cut in cuts}
        limits = self.num_valid_spks, self.utts_per_valid_spk
        held_out = hold_out(utt2spk, *limits, self.seed)
        gone = set(held_out.values())
        kept = cuts.filter(lambda cut: speaker_of(cut) not in gone).to_eager()
        own_front_end, unmasked = None, False
        if teacher is not None:
            taught = set(teacher.select([cut.id for cut in kept]))
            kept = kept.filter(lambda cut: cut.id in taught).to_eager()
            own_front_end = self._teacher_front_end(kept, config, teacher)
            is_masked = bool(self.spec_augment_prob) and not self.mask_teacher
            unmasked = is_masked and teacher.takes_chunks and own_front_end is None
        if extractor:
            frames = config.prepared(self._computed_frames(kept, extractor))
        else:
            frames = config.open_frames(kept)
        classes = self.number_classes(frames.cuts)
        spec_augment = SpecAugment(prob=self.spec_augment_prob)
        batches = TrainingBatches(
            frames,
            classes,
            self._sampler(frames),
            self.chunk_frames,
            self.subtract_mean,
            spec_augment if self.spec_augment_prob else None,
            self.num_workers,
            self.seed,
            own_front_end,
            self.class_of,
            self._frame_labels(data_dir, config, frames),
            unmasked,
        )
        names = list(classes)
        for speed in SPEEDS[1 : frames.num_copies]:
            names += [f"{name}*{speed}" for name in classes]

        @cache
        def held_out_batches(min_frames: int) -> ExtractionBatches:
            chosen = cuts.filter(lambda cut: cut.id in held_out).to_eager()
            return ExtractionBatches(
                config.open_frames(chosen),
                min_frames=min_frames,
                subtract_mean=self.subtract_mean,
                num_workers=self.num_workers,
            )

        options = {k: x for k, x in asdict(self).items() if k != "num_workers"}
        options["steps_per_epoch"] = batches.steps_per_epoch
        labeled = "\n".join(f"{cut.id} {self.class_of(cut)}" for cut in cuts)
        options["content"] = self._sum_up(data_dir, config, frames)
        options["utts"] = f"{len(cuts)} with checksum {zlib.crc32(labeled.encode())}"
        return TrainingSet(
            batches, names, config, frames.dim, held_out, held_out_batches, options
        )

    def _sum_up(
        self, data_dir: PathName, config: FeatureConfig, frames: FrameSource
    ) -> str:
        """Return a checksum of features or audio, to compare when resuming."""
        if config.source == "stored":
            return sum_up_feats(frames.cuts)
        sizes = describe(data_dir, ["sizes"]).get("sizes", "unknown")
        return f"audio with checksum {sizes}"

    def _frame_labels(
        self, data_dir: PathName, config: FeatureConfig, frames: FrameSource
    ) -> LabelChunks | None:
        """Return the labels of single frames, where these have classes."""
        return None

    def _feature_config(
        self, data_dir: PathName, extractor: Features | None
    ) -> FeatureConfig:
        """Return the configuration of the features."""
        if extractor is None and self.perturb_speed:
            raise AsdkitError("stored features cannot be played at another speed")
        if extractor is None and (self.codec_prob or self.rawboost):
            raise AsdkitError("codecs and RawBoost change audio, not stored features")
        prepared = self.subtract_mean, self.delta_order, self.cmn_window
        if extractor is None:
            return FeatureConfig.stored_in(data_dir, self.voiced, *prepared)
        if self.voiced:
            problem = "frames without speech are left out of stored features only"
            raise AsdkitError(problem)
        return FeatureConfig.computed_by(extractor, *prepared)

    def _computed_frames(self, cuts: Iterable[Any], extractor: Features) -> FrameSource:
        """Compute features of audio that is augmented anew every time."""
        rate = int(extractor.sample_frequency)
        cuts = at_rate(cuts, rate)
        changes: list[Change] = []
        if self.augment_prob:
            room: Rooms = DrawnRooms(sample_frequency=rate)
            noise: Noises = DrawnNoises(cuts, rate)  # with babble of these speakers
            if self.rooms is not None:
                room = RecordedRooms(self.rooms, rate)
            if self.noises is not None:
                noise = RecordedNoises(self.noises, rate)
            changes.append(Augmentation(room, noise, self.augment_prob))
        if self.codec_prob:
            changes.append(CodecAugmentation(rate, self.codec_prob))
        if self.rawboost:
            changes.append(RawBoost(self.rawboost, rate))
        augmentation = Chain(changes) if changes else None
        speeds = SPEEDS if self.perturb_speed else SPEEDS[:1]
        return ComputedFrames(cuts, extractor, speeds, self.speed_classes, augmentation)

    def _teacher_front_end(
        self, cuts: Iterable[Any], student: FeatureConfig, teacher: StoredTeacher
    ) -> TeacherFrontEnd | None:
        """Return the teacher's front end on the same samples, if it has its own."""
        config = teacher.front_end_for(student, self.perturb_speed)
        if config is None:
            return None
        ours, theirs = student.extractor(), config.extractor()
        length = (self.chunk_frames - 1) * ours.window_shift + ours.window_size
        shifts, rest = divmod(length - theirs.window_size, theirs.window_shift)
        if rest or shifts < 0 or ours.sample_frequency != theirs.sample_frequency:
            raise AsdkitError(
                f"chunks of {length} samples at {ours.sample_frequency:g} Hz are no "
                f"whole number of the teacher's frames of {theirs.window_size} with a "
                f"shift of {theirs.window_shift} at {theirs.sample_frequency:g} Hz",
                hint="another --chunk-frames, --frame-length or --frame-shift",
            )
        frames = config.prepared(self._computed_frames(cuts, theirs))
        return TeacherFrontEnd(frames, shifts + 1, config.subtract_mean)

    def _sampler(self, frames: FrameSource) -> Sampler:
        """Choose the sampler of utterances for batches."""
        size, group = self.batch_size, self.utts_per_speaker
        if not group:
            return RandomChunks(len(frames.cuts), size, self.chunks_per_utt, self.seed)
        if size % group:
            raise FitError(
                f"a batch of {size} cannot hold {group} utterances of every speaker",
                hint="choose a --batch-size that --utts-per-speaker divides",
            )
        speakers = [speaker_of(cut) for cut in frames.cuts]
        return SpeakerChunks(speakers, size // group, group, self.seed)
