"""A data directory as a network is trained on it: batches, classes, validation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, NamedTuple

from asdkit.base.errors import AsdkitError, FitError
from asdkit.data.augmentation import Augmentation, Noises, Rooms, SpecAugment
from asdkit.data.batches import ExtractionBatches, TrainingBatches
from asdkit.data.cuts import number_speakers, speaker_of
from asdkit.data.lanes import AudioLane, Lane
from asdkit.data.loading import at_rate
from asdkit.data.noises import (
    DrawnNoises,
    DrawnRooms,
    RecordedNoises,
    RecordedRooms,
)
from asdkit.data.sampling import RandomChunks, Sampler, SpeakerChunks
from asdkit.data.sources import FeatureSource
from asdkit.features.frames import FrameFeatures
from asdkit.features.registry import FEATURES
from asdkit.io.tables import PathName
from asdkit.training.validation import Validation, hold_out

SPEEDS = (1.0, 0.9, 1.1)


def stored() -> None:
    """Compute no features, because they are stored."""


# Where frames come from: what to compute from audio, if anything.
FRONT_ENDS: dict[str, Callable[..., FrameFeatures | None]] = {
    "stored": stored,
    **FEATURES,
}


class Corpus(NamedTuple):
    """What a network is trained and validated on.

    Attributes:
        batches: of chunks, endless.
        classes: names in the order of their labels.
        source: how the frames are made.
        feat_dim: D.
        held_out: utt2spk of the held-out utterances; empty without validation.
        held_out_batches: gives batches of these, for a network's shortest utterance.
        options: all that the result depends on, for checkpoints.
    """

    batches: TrainingBatches
    classes: list[str]
    source: FeatureSource
    feat_dim: int
    held_out: dict[str, str]
    held_out_batches: Callable[[int], ExtractionBatches]
    options: dict[str, Any]

    def validation(self, device: str) -> Validation | None:
        """Return what validates a network, None without held-out speakers."""
        if not self.held_out:
            return None
        return Validation(self.held_out, self.held_out_batches, device)


@dataclass(frozen=True)
class CorpusReader:
    """Read a data directory and say how batches are made of it.

    Args:
        voiced: whether to leave out what vad.scp rejects; stored features only.
        subtract_mean: whether to subtract the mean of every chunk.
        chunk_frames: T.
        batch_size: chunks in a batch, of all ranks together.
        chunks_per_utt: how many chunks of each utterance an epoch has.
        utts_per_speaker: chunks of every speaker in a batch, as metric losses want
            them; 0 draws utterances whoever speaks.
        spec_augment_prob: how many chunks get bands and stretches masked.
        augment_prob: how many chunks get noise or a room; audio only.
        noises: data directory or folder of noise; None draws noise.
        rooms: data directory or folder of impulse responses; None draws rooms.
        perturb_speed: whether to play chunks at 0.9 and 1.1 times their speed, too;
            audio only.
        speed_classes: whether these count as other speakers.
        num_workers: processes that make batches ahead; makes no difference otherwise.
        num_valid_spks: see `asdkit.training.validation.hold_out`, as for the next.
        utts_per_valid_spk: of each held-out speaker.
        seed: of every draw.
    """

    voiced: bool = False
    subtract_mean: bool = True
    chunk_frames: int = 200
    batch_size: int = 64
    chunks_per_utt: int = 1
    utts_per_speaker: int = 0
    spec_augment_prob: float = 0.0
    augment_prob: float = 0.6
    noises: str | None = None
    rooms: str | None = None
    perturb_speed: bool = False
    speed_classes: bool = True
    num_workers: int = 0
    num_valid_spks: int = 0
    utts_per_valid_spk: int = 20
    seed: int = 0

    def read(
        self, data_dir: PathName, extractor: FrameFeatures | None = None
    ) -> Corpus:
        """Read a data directory.

        Args:
            data_dir: with manifests, and feats.scp unless features are computed.
            extractor: computes features from audio; None reads stored ones.

        Raises:
            DataError: something is missing or damaged.
            FitError: there are too few speakers or utterances.
            AsdkitError: options contradict each other.
        """
        source = self._source(data_dir, extractor)
        cuts = source.read_cuts(data_dir)
        utt2spk = {cut.id: speaker_of(cut) for cut in cuts}
        limits = self.num_valid_spks, self.utts_per_valid_spk
        held_out = hold_out(utt2spk, *limits, self.seed)
        gone = set(held_out.values())
        kept = cuts.filter(lambda cut: speaker_of(cut) not in gone).to_eager()
        lane = (
            self._audio_lane(kept, extractor) if extractor else source.open_lane(kept)
        )
        speakers = number_speakers(lane.cuts)
        spec_augment = SpecAugment(prob=self.spec_augment_prob)
        batches = TrainingBatches(
            lane,
            speakers,
            self._sampler(lane),
            self.chunk_frames,
            self.subtract_mean,
            spec_augment if self.spec_augment_prob else None,
            self.num_workers,
            self.seed,
        )
        classes = list(speakers)
        for speed in SPEEDS[1 : lane.num_copies]:
            classes += [f"{spk}*{speed}" for spk in speakers]

        @cache
        def held_out_batches(min_frames: int) -> ExtractionBatches:
            chosen = cuts.filter(lambda cut: cut.id in held_out).to_eager()
            return ExtractionBatches(
                source.open_lane(chosen),
                min_frames=min_frames,
                subtract_mean=self.subtract_mean,
                num_workers=self.num_workers,
            )

        options = {k: x for k, x in asdict(self).items() if k != "num_workers"}
        options["steps_per_epoch"] = batches.steps_per_epoch
        return Corpus(
            batches, classes, source, lane.dim, held_out, held_out_batches, options
        )

    def _source(
        self, data_dir: PathName, extractor: FrameFeatures | None
    ) -> FeatureSource:
        """Say where frames come from."""
        if extractor is None and self.perturb_speed:
            raise AsdkitError("stored features cannot be played at another speed")
        if extractor is None:
            return FeatureSource.stored_in(data_dir, self.voiced, self.subtract_mean)
        if self.voiced:
            problem = "frames without speech are left out of stored features only"
            raise AsdkitError(problem)
        return FeatureSource.computed_by(extractor, self.subtract_mean)

    def _audio_lane(self, cuts: Iterable[Any], extractor: FrameFeatures) -> Lane:
        """Compute features of audio that changes every time."""
        rate = int(extractor.sample_frequency)
        cuts = at_rate(cuts, rate)
        augmentation = None
        if self.augment_prob:
            room: Rooms = DrawnRooms(sample_frequency=rate)
            noise: Noises = DrawnNoises(cuts, rate)  # with babble of these speakers
            if self.rooms is not None:
                room = RecordedRooms(self.rooms, rate)
            if self.noises is not None:
                noise = RecordedNoises(self.noises, rate)
            augmentation = Augmentation(room, noise, self.augment_prob)
        speeds = SPEEDS if self.perturb_speed else SPEEDS[:1]
        return AudioLane(cuts, extractor, speeds, self.speed_classes, augmentation)

    def _sampler(self, lane: Lane) -> Sampler:
        """Choose which utterances make a batch."""
        size, group = self.batch_size, self.utts_per_speaker
        if not group:
            return RandomChunks(len(lane.cuts), size, self.chunks_per_utt, self.seed)
        if size % group:
            raise FitError(
                f"a batch of {size} cannot hold {group} utterances of every speaker",
                hint="choose a --batch-size that --utts-per-speaker divides",
            )
        speakers = [speaker_of(cut) for cut in lane.cuts]
        return SpeakerChunks(speakers, size // group, group, self.seed)
