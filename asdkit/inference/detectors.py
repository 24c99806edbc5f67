"""Countermeasures: how likely a recording is bona fide speech."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch

from asdkit.base.errors import AsdkitError
from asdkit.batches.batches import pad
from asdkit.batches.crops import crop_frames
from asdkit.countermeasures.gmm import SpoofGmm
from asdkit.countermeasures.loading import CountermeasureNetwork
from asdkit.inference.recording_model import RecordingModel, join_frames
from asdkit.inference.score import Score
from asdkit.inference.waveform_front_end import Prepared, WaveformFrontEnd
from asdkit.io.tables import PathName


class Countermeasure(RecordingModel):
    """A model that tells bona fide from spoofed speech.

    Args:
        path: its file.
        what: what it is.
        kind: kind of its scores.
        front_end: computes its features.
    """

    def __init__(
        self, path: PathName, what: str, kind: str, front_end: WaveformFrontEnd
    ) -> None:
        super().__init__(path, what, "score", front_end)
        self.kind = kind

    def detect(self, audio: Any) -> Score:
        """Tell how likely a recording is bona fide speech, and not spoofed.

        Args:
            audio: path, (samples, rate) with (L,) samples in [-1, 1), or lhotse cut; of
                one channel; another rate than the model's is resampled.

        Returns:
            a score; higher means bona fide.

        Raises:
            DataError: the recording is missing, damaged, too short, has several
                channels, or holds NaN.
        """
        return self.detect_many([audio])[0]

    def detect_many(self, audios: Iterable[Any]) -> list[Score]:
        """Score N recordings, those of like length together; see `detect`."""
        return [Score(float(x), self.kind) for x in self.compute(audios)]


class NetworkCountermeasure(Countermeasure):
    """A network from cm-train; it scores the part of a recording that cm-score does.

    Args:
        path: network.pt.
        cm: its content, on the device.
        name: name of the network.
        front_end: computes its features.
        device: where to compute.

    Example:
        >>> import numpy as np, tempfile
        >>> import asdkit
        >>> from asdkit.models.networks import build_network, save_network
        >>> from asdkit.batches.feature_config import FeatureConfig
        >>> from asdkit.features.linear import Lfcc
        >>> features = FeatureConfig.computed_by(Lfcc(), subtract_mean=False)
        >>> untrained = build_network({
        ...     "network": {"name": "senet9", "channels": 4, "feat_dim": Lfcc().dim},
        ...     "loss": {"name": "cross_entropy"}, "classes": ["spoof", "bonafide"],
        ...     "features": features.description,
        ...     "data": {"crop": "whole", "chunk_frames": 100, "batch_size": 8}})
        >>> noise = np.random.default_rng(0).normal(0, 0.1, 16000)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_network(f"{folder}/network.pt", untrained)
        ...     model = asdkit.load(folder)
        >>> model.detect((noise, 16000)).kind
        'bona fide score'
        >>> model.embed((noise, 16000))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        asdkit.base.errors.AsdkitError: ... a countermeasure ... does not embed ...
    """

    def __init__(
        self,
        path: PathName,
        cm: CountermeasureNetwork,
        name: str,
        front_end: WaveformFrontEnd,
        device: str = "cpu",
    ) -> None:
        super().__init__(
            path, f"a countermeasure (network {name})", "bona fide score", front_end
        )
        self.cm = cm
        self.device = device

    def _prepare(self, audios: Iterable[Any]) -> Iterable[Prepared]:
        """Yield the part of every recording to score; short ones are repeated."""
        cm = self.cm

        def finish(feats: np.ndarray, voiced: np.ndarray | None) -> np.ndarray:
            frames = self.front_end.keep_voiced(feats, voiced)
            return crop_frames(frames, cm.crop, cm.chunk_frames, cm.network.min_frames)

        return self.front_end.prepare(audios, finish)

    def score_frames(self, audio: Any) -> np.ndarray:
        """Score the frames of a recording one by one.

        Args:
            audio: as for `detect`.

        Returns:
            (T',) scores of the network's frames; higher means bona fide.

        Raises:
            AsdkitError: the network was not trained on labels of frames.
            DataError: as `detect` does.
        """
        if not self.cm.localizes:
            problem = "it does not score single frames"
            hint = "cm-train --objective frame_labels, on features of all frames"
            raise AsdkitError(f"{self.path}: {problem}", hint=hint)
        (prepared,) = self._prepare([audio])
        mean = self.front_end.config.subtract_mean
        batch = pad([prepared.name], [prepared.frames], mean)
        with torch.inference_mode():
            feats = batch.feats.to(self.device)
            each, num = self.cm.network.embed_frames(feats, batch.num_frames)
            scores = self.cm.loss.scores(each[0, : int(num[0])].float())
        return np.asarray(scores.cpu().numpy())

    def _compute(self, batch: Sequence[Prepared]) -> np.ndarray:
        """N prepared recordings -> (N,) scores."""
        cm, head = self.cm, self.cm.loss.scores
        return self.pad_by_length(batch, cm.network, self.device, cm.max_frames, head)


class GmmCountermeasure(Countermeasure):
    """Two Gaussian mixtures from cm-gmm-train.

    Args:
        path: gmm.npz.
        model: its content.
        front_end: computes its features.
        device: where to compute.

    Raises:
        DataError: the features have another dimension than the mixtures.

    Example:
        >>> import numpy as np, tempfile, torch
        >>> import asdkit
        >>> from asdkit.batches.feature_config import FeatureConfig
        >>> from asdkit.countermeasures.gmm import SpoofFrontEnd, save_spoof_gmm
        >>> from asdkit.features.linear import Lfcc
        >>> from asdkit.gmm.diagonal import DiagGmm
        >>> features = FeatureConfig.computed_by(Lfcc(), subtract_mean=False)
        >>> dim = 3 * Lfcc().dim
        >>> draws = torch.randn(2, 400, dim, generator=torch.Generator().manual_seed(0))
        >>> mixtures = [DiagGmm(2, num_iters=1).fit(x) for x in draws]
        >>> noise = np.random.default_rng(0).normal(0, 0.1, 16000)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model = SpoofGmm(*mixtures, SpoofFrontEnd(), features)
        ...     save_spoof_gmm(f"{folder}/gmm.npz", model)
        ...     loaded = asdkit.load(folder)
        >>> loaded.detect((noise, 16000)).kind
        'bona fide LLR per frame'
    """

    def __init__(
        self,
        path: PathName,
        model: SpoofGmm,
        front_end: WaveformFrontEnd,
        device: str = "cpu",
    ) -> None:
        what = "a countermeasure (two Gaussian mixtures)"
        super().__init__(path, what, "bona fide LLR per frame", front_end)
        dim = model.bonafide.means_.shape[1]
        front_end.require_dim(dim, model.frontend.delta_order)
        self.model = model
        self.device = device

    def _prepare(self, audios: Iterable[Any]) -> Iterable[Prepared]:
        """Yield the frames of recordings, with deltas."""
        return self.front_end.prepare(audios, self.model.frontend)

    def _compute(self, batch: Sequence[Prepared]) -> np.ndarray:
        """N prepared recordings -> (N,) scores."""
        return self.model.score_batch(join_frames(batch), self.device)
