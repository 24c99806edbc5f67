"""Feature configuration of a network: stored with it, reused at extraction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.registry import construct, defaults_of
from asdkit.batches.frame_sources import (
    DELTA_WINDOW,
    CenteredFrames,
    ComputedFrames,
    DeltaFrames,
    FrameSource,
    StoredFrames,
)
from asdkit.data.cuts import read_cuts
from asdkit.data.derived import origin_of_audio, origin_of_features
from asdkit.data.feats_info import FeatsInfo, read_info, read_vad_info
from asdkit.features.cmn import sliding_cmn
from asdkit.features.deltas import add_deltas
from asdkit.features.framing import Features
from asdkit.features.registry import FEATURES, name_of
from asdkit.io.origins import Origin
from asdkit.io.tables import PathName

if TYPE_CHECKING:
    from lhotse import CutSet


@dataclass(frozen=True)
class FeatureConfig:
    """Type and options of features, and whether they are stored or computed from audio.

    Args:
        source: "stored" reads feats.scp; "audio" computes features.
        type: a key of `asdkit.features.registry.FEATURES`; None: unknown, as with
            Kaldi's own archives.
        options: options of the features' constructor.
        voiced: leave out frames without speech, as vad.scp says.
        subtract_mean: subtract the mean over time of every chunk or utterance.
        delta_order: order of the highest time derivative to append; 0: none.
        cmn_window: frames of the sliding window for mean subtraction, over all frames,
            pauses as well; 0: none.
        vad: "method" and "options" of vad-compute that rejected frames; None: unknown,
            or nothing was rejected.

    Raises:
        ValueError: audio without a type, or computed frames with ``voiced``.
    """

    source: Literal["stored", "audio"] = "stored"
    type: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    voiced: bool = False
    subtract_mean: bool = True
    delta_order: int = 0
    vad: dict[str, Any] | None = None
    cmn_window: int = 0

    def __post_init__(self) -> None:
        if self.source == "audio" and self.voiced:
            raise ValueError(
                "frames without speech are left out of stored features only"
            )
        if self.source == "audio" and self.type is None:
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
        cmn_window: int = 0,
    ) -> FeatureConfig:
        """Describe the stored features of a data directory."""
        kind, options = described(read_info(data_dir))
        info = read_vad_info(data_dir) if voiced else None
        vad = None if info is None else info._asdict()
        prepared = subtract_mean, delta_order, vad, cmn_window
        return cls("stored", kind, options, voiced, *prepared)

    @classmethod
    def read_by_gmms(cls, data_dir: PathName) -> FeatureConfig:
        """Describe the frames that mixtures read: voiced ones, if there is vad.scp."""
        voiced = (Path(data_dir) / "vad.scp").exists()
        return cls.stored_in(data_dir, voiced, subtract_mean=False)

    @classmethod
    def computed_by(
        cls,
        extractor: Features,
        subtract_mean: bool,
        delta_order: int = 0,
        cmn_window: int = 0,
    ) -> FeatureConfig:
        """Describe the features that an extractor computes from audio."""
        kind, options = name_of(extractor), dict(extractor.options)
        prepared = subtract_mean, delta_order, None, cmn_window
        return cls("audio", kind, options, False, *prepared)

    @classmethod
    def read(cls, description: Mapping[str, Any]) -> FeatureConfig:
        """Read what a file says; see `description`."""
        known = dict(description)
        if "lane" in known:  # the name of "source" before version 0.2
            known["source"] = known.pop("lane")
        return cls(**known)

    @property
    def description(self) -> dict[str, Any]:
        """The constructor's arguments, for a file."""
        return asdict(self)

    def extractor(self) -> Features:
        """Construct the extractor."""
        assert self.type is not None
        return construct(FEATURES, self.type, **self.options)

    def read_cuts(self, data_dir: PathName) -> CutSet:
        """Read the utterances of a data directory.

        Raises:
            DataError: its features are not these.
        """
        if self.source == "audio":
            return read_cuts(data_dir, features=False)
        self.check_stored(data_dir)
        return read_cuts(data_dir, features=True, voiced=self.voiced)

    def origin(self, data_dir: PathName) -> Origin | None:
        """Say what is derived from these frames of a data directory."""
        if self.source == "audio":
            return origin_of_audio(data_dir)
        return origin_of_features(data_dir)

    def check_stored(self, data_dir: PathName) -> None:
        """Compare with a data directory's stored features, where their type is known.

        Raises:
            DataError: they are not these.
        """
        kind, options = described(read_info(data_dir))
        if not self.type or not kind:
            return
        expected = {"type": self.type, **completed(self.type, self.options)}
        got = {"type": kind, **completed(kind, options)}
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

    def open_frames(self, cuts: CutSet, dim: int | None = None) -> FrameSource:
        """Open the frames of utterances, without augmentation.

        Args:
            cuts: from `read_cuts`.
            dim: D of the network; None for any.

        Raises:
            DataError: features are missing or damaged, or of another dimension.
        """
        frames: FrameSource
        if self.source == "stored":
            frames = StoredFrames(cuts, cmn_window=self.cmn_window)
        else:
            frames = ComputedFrames(cuts, self.extractor())
        frames = self.prepared(frames)
        if dim not in (None, frames.dim):
            raise DataError(
                frames.cuts[0].id,
                f"expected features of {dim} dimensions, got {frames.dim}",
            )
        return frames

    def prepared(self, frames: FrameSource) -> FrameSource:
        """Subtract a sliding mean from computed frames and append derivatives, if any.

        Stored frames have had it subtracted, before pauses were left out.
        """
        if self.source == "audio" and self.cmn_window:
            frames = CenteredFrames(frames, self.cmn_window)
        return DeltaFrames(frames, self.delta_order) if self.delta_order else frames

    def prepare(self, feats: np.ndarray, voiced: np.ndarray | None) -> np.ndarray:
        """Prepare the features of an utterance as those of the training were.

        Args:
            feats: (T, D).
            voiced: (T,) bool, None to keep all frames.

        Returns:
            (T', D') without a sliding mean, without pauses, with derivatives, if any.
        """
        if self.cmn_window:
            feats = sliding_cmn(feats, self.cmn_window, center=True)
        if voiced is not None:
            feats = feats[voiced]
        if not self.delta_order:
            return feats
        return add_deltas(feats, DELTA_WINDOW, self.delta_order)


def described(info: FeatsInfo | None) -> tuple[str | None, dict[str, Any]]:
    """Return type and options of stored features, without the seed of dither."""
    if info is None:
        return None, {}
    return info.type, {k: v for k, v in info.options.items() if k != "seed"}


def completed(kind: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Add the defaults of the options that did not exist when a file was written."""
    if kind is None or kind not in FEATURES:  # a plug-in's are its own
        return dict(options)
    return {**defaults_of(FEATURES, kind), **options}


def _show(options: dict[str, Any], names: Iterable[str]) -> str:
    """Format options as feats-compute takes them."""
    return " ".join(
        f"--{name.replace('_', '-')}={options[name]}"
        for name in names
        if name in options
    )
