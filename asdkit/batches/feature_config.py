"""How frames come to a network: its file remembers, and extraction does the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from asdkit.base.errors import DataError
from asdkit.base.registry import construct
from asdkit.batches.frame_sources import AudioLane, DeltaLane, Lane, StoredLane
from asdkit.data.cuts import read_cuts
from asdkit.data.derived import origin_of_audio, origin_of_features
from asdkit.data.feats_info import FeatsInfo, read_info
from asdkit.features.frames import Features
from asdkit.features.registry import FEATURES, name_of
from asdkit.io.origins import Origin
from asdkit.io.tables import PathName

if TYPE_CHECKING:
    from lhotse import CutSet


@dataclass(frozen=True)
class FeatureSource:
    """Which features, and whether they are stored or computed from audio.

    Args:
        lane: "stored" reads feats.scp; "audio" computes features.
        type: a key of `asdkit.features.registry.FEATURES`; None: unknown, as with
            Kaldi's own archives.
        options: options of the features' constructor.
        voiced: leave out frames without speech, as vad.scp says.
        subtract_mean: subtract the mean over time of every chunk or utterance.
        delta_order: order of the highest time derivative to append; 0: none.

    Raises:
        ValueError: nobody remembers what to compute, or computed frames are to be
            chosen by vad.scp.
    """

    lane: Literal["stored", "audio"] = "stored"
    type: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    voiced: bool = False
    subtract_mean: bool = True
    delta_order: int = 0

    def __post_init__(self) -> None:
        if self.lane == "audio" and self.voiced:
            raise ValueError(
                "frames without speech are left out of stored features only"
            )
        if self.lane == "audio" and self.type is None:
            raise ValueError(
                "features of an unknown type cannot be computed from audio"
            )

    @classmethod
    def stored_in(
        cls,
        data_dir: PathName,
        voiced: bool,
        subtract_mean: bool,
        delta_order: int = 0,
    ) -> FeatureSource:
        """Describe the features that a data directory has."""
        kind, options = _described(read_info(data_dir))
        return cls("stored", kind, options, voiced, subtract_mean, delta_order)

    @classmethod
    def computed_by(
        cls, extractor: Features, subtract_mean: bool, delta_order: int = 0
    ) -> FeatureSource:
        """Describe what an extractor computes from audio."""
        kind, options = name_of(extractor), dict(extractor.options)
        return cls("audio", kind, options, False, subtract_mean, delta_order)

    @property
    def description(self) -> dict[str, Any]:
        """The constructor's arguments, for a file."""
        return asdict(self)

    def extractor(self) -> Features:
        """Construct what computes the features."""
        assert self.type is not None
        return construct(FEATURES, self.type, **self.options)

    def read_cuts(self, data_dir: PathName) -> CutSet:
        """Read the utterances of a data directory.

        Raises:
            DataError: its features are not these.
        """
        if self.lane == "audio":
            return read_cuts(data_dir, features=False)
        self.check_stored(data_dir)
        return read_cuts(data_dir, features=True, voiced=self.voiced)

    def origin(self, data_dir: PathName) -> Origin | None:
        """Say what is derived from these frames of a data directory."""
        if self.lane == "audio":
            return origin_of_audio(data_dir)
        return origin_of_features(data_dir)

    def check_stored(self, data_dir: PathName) -> None:
        """Compare the features that a data directory has, as far as anybody remembers.

        Raises:
            DataError: they are not these.
        """
        kind, options = _described(read_info(data_dir))
        if not self.type or not kind:
            return
        expected, got = ({"type": self.type, **self.options}, {"type": kind, **options})
        differing = [
            name for name in {**expected, **got} if expected.get(name) != got.get(name)
        ]
        if differing:
            raise DataError(
                Path(data_dir) / "feats.scp",
                f"the model was trained with {_show(expected, differing)}, "
                f"these are with {_show(got, differing)}",
                hint="asdkit feats-compute with the options of the training data",
            )

    def open_lane(self, cuts: CutSet, dim: int | None = None) -> Lane:
        """Get at the frames of utterances, unchanged by augmentation.

        Args:
            cuts: from `read_cuts`.
            dim: D that a network takes; None if any will do.

        Raises:
            DataError: features are missing or damaged, or of another dimension.
        """
        lane: Lane
        if self.lane == "stored":
            lane = StoredLane(cuts)
        else:
            lane = AudioLane(cuts, self.extractor())
        lane = self.with_deltas(lane)
        if dim not in (None, lane.dim):
            raise DataError(
                lane.cuts[0].id,
                f"expected features of {dim} dimensions, got {lane.dim}",
            )
        return lane

    def with_deltas(self, lane: Lane) -> Lane:
        """Append derivatives to the frames of a lane, if any are wanted."""
        return DeltaLane(lane, self.delta_order) if self.delta_order else lane


def _described(info: FeatsInfo | None) -> tuple[str | None, dict[str, Any]]:
    """Type and options of stored features; the seed of dither does not matter."""
    if info is None:
        return None, {}
    return info.type, {k: v for k, v in info.options.items() if k != "seed"}


def _show(options: dict[str, Any], names: Iterable[str]) -> str:
    """Write some options as feats-compute takes them."""
    return " ".join(
        f"--{name.replace('_', '-')}={options[name]}"
        for name in names
        if name in options
    )
