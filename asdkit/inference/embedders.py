"""Models of speakers: from a recording to an embedding, and scores of pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np

from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.backend import Backend
from asdkit.inference.recording_model import RecordingModel, join_frames
from asdkit.inference.score import Score
from asdkit.inference.waveform_front_end import Prepared, WaveformFrontEnd
from asdkit.io.tables import PathName
from asdkit.ivector.system import Extraction, IvectorSystem
from asdkit.models.networks import TrainedNetwork

MAX_FRAMES = 12_000  # of a padded batch, as in nnet-extract


class Embedder(RecordingModel):
    """A model that embeds recordings, and compares them.

    Args:
        path: its file.
        what: what it is.
        embedding_dim: E.
        front_end: computes its features.
        backend: compares its embeddings.

    Raises:
        DataError: the back-end takes embeddings of another dimension.
    """

    def __init__(
        self,
        path: PathName,
        what: str,
        embedding_dim: int,
        front_end: WaveformFrontEnd,
        backend: Backend,
    ) -> None:
        super().__init__(path, what, "embedding", front_end)
        self.embedding_dim = embedding_dim
        self.backend = backend
        dim = backend.pipeline.input_dim
        if dim not in (None, embedding_dim):
            problem = f"it takes embeddings of {dim} numbers, those of {path} have "
            raise DataError(backend.path, f"{problem}{embedding_dim}")

    def embed(self, audio: Any) -> np.ndarray:
        """Compute the embedding of a recording.

        Args:
            audio: path, (samples, rate) with (L,) samples in [-1, 1), or lhotse cut; of
                one channel; another rate than the model's is resampled.

        Returns:
            (E,) float32, not length-normalized.

        Raises:
            DataError: the recording is missing, damaged, too short, has several
                channels, holds NaN or no speech.
        """
        return self.embed_many([audio])[0]

    def embed_many(self, audios: Iterable[Any]) -> np.ndarray:
        """Compute the embeddings of N recordings, those of like length together.

        Args:
            audios: see `embed`.

        Returns:
            (N, E) float32 in the order of the recordings.

        Raises:
            DataError: one of them is wrong, see `embed`.
        """
        found = list(self.compute(audios))
        return np.stack(found) if found else np.empty((0, self.embedding_dim), "f4")

    def score(self, enroll: Any, test: Any) -> Score:
        """Tell how likely two recordings are of the same speaker.

        Args:
            enroll: a recording as in `embed`, its (E,) embedding, or a list of several
                of one speaker, whose embeddings are averaged; (K, E) are such, too.
            test: a recording, or its (E,) embedding.

        Returns:
            the back-end's score; without a back-end, the cosine.

        Raises:
            DataError: a recording is wrong, see `embed`.
        """
        is_matrix = isinstance(enroll, np.ndarray) and enroll.ndim == 2
        several = list(enroll) if is_matrix or isinstance(enroll, list) else [enroll]
        if not several:
            raise AsdkitError("enroll: expected a recording or more, got none")
        sides = [*several, test]
        recordings = [x for x in sides if not self._is_embedding(x)]
        found = iter(self.embed_many(recordings))
        x = [side if self._is_embedding(side) else next(found) for side in sides]
        return self.backend.score(np.stack(x[:-1]), x[-1])

    def score_trials(
        self,
        enroll: np.ndarray,
        test: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
    ) -> np.ndarray:
        """Score many pairs of embeddings, see `TrainedModel.score_trials`."""
        return self.backend.score_trials(enroll, test, rows, columns)

    def _is_embedding(self, side: Any) -> bool:
        """Tell an embedding from a recording."""
        return isinstance(side, np.ndarray) and side.shape == (self.embedding_dim,)


class NetworkEmbedder(Embedder):
    """A network of speakers from nnet-train.

    Args:
        path: network.pt.
        trained: its content.
        front_end: computes its features.
        backend: compares its embeddings.
        device: where to compute.

    Example:
        >>> import numpy as np, tempfile
        >>> import asdkit
        >>> from asdkit.models.networks import build_network, save_network
        >>> from asdkit.batches.feature_config import FeatureConfig
        >>> from asdkit.features.mel import Fbank
        >>> features = FeatureConfig.computed_by(Fbank(dither=0.0), subtract_mean=True)
        >>> untrained = build_network({
        ...     "network": {"name": "ecapa_tdnn", "channels": 8, "feat_dim": 23,
        ...                 "pooled_channels": 24, "embedding_dim": 16},
        ...     "loss": {"name": "cross_entropy"}, "classes": ["ann", "bob"],
        ...     "features": features.description, "data": {}})
        >>> noise = np.random.default_rng(0).normal(0, 0.1, 16000)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_network(f"{folder}/network.pt", untrained)
        ...     model = asdkit.load(folder)
        >>> model.embed((noise, 16000)).shape
        (16,)
        >>> print(model.score((noise, 16000), (noise, 16000)))
        cosine 1.0000 (not calibrated)
    """

    def __init__(
        self,
        path: PathName,
        trained: TrainedNetwork,
        front_end: WaveformFrontEnd,
        backend: Backend,
        device: str = "cpu",
    ) -> None:
        name, num_classes = (
            trained.options["network"]["name"],
            len(trained.options["classes"]),
        )
        trained_on = f"trained on {num_classes}" if num_classes else "trained elsewhere"
        what = f"a network of speakers ({name}, {trained_on})"
        dim = trained.network.embedding_dim
        super().__init__(path, what, dim, front_end, backend)
        self.network = trained.network.to(device)
        self.classes: tuple[str, ...] = tuple(trained.options["classes"])
        self.device = device

    def _prepare(self, audios: Iterable[Any]) -> Iterable[Prepared]:
        """Yield the frames of recordings, voiced ones where the training used these."""
        least = self.network.min_frames
        return self.front_end.prepare(audios, self.front_end.keep_voiced, least)

    def _compute(self, batch: Sequence[Prepared]) -> np.ndarray:
        """N prepared recordings -> (N, E) float32."""
        return self.pad_by_length(batch, self.network, self.device, MAX_FRAMES)


class IvectorEmbedder(Embedder):
    """An i-vector extractor from ivector-train or kaldi-import.

    Args:
        path: extractor.npz.
        system: its content.
        front_end: computes its features, and finds the speech.
        backend: compares its i-vectors.
        device: where to compute.

    Example:
        >>> import numpy as np, tempfile, torch
        >>> import asdkit
        >>> from asdkit.features.frontend import FrontEnd
        >>> from asdkit.features.mel import Mfcc
        >>> from asdkit.gmm.full import FullGmm
        >>> from asdkit.gmm.ubm import Ubm
        >>> from asdkit.io.store import save_arrays
        >>> from asdkit.ivector.extractor import IvectorExtractor
        >>> from asdkit.ivector.stored_statistics import Statistics
        >>> rng = np.random.default_rng(0)
        >>> full = FullGmm.of(np.full(2, 0.5), rng.normal(size=(2, 39)),
        ...                   np.tile(np.eye(39), (2, 1, 1)))
        >>> system = IvectorSystem(FrontEnd(), Ubm(full.diagonal(), full),
        ...                        IvectorExtractor(3, 1), 2, 0.025)
        >>> frames = rng.normal(size=(400, 39)).astype(np.float32)
        >>> utts, splits = ["a", "b", "c", "d"], np.arange(0, 500, 100)
        >>> statistics = Statistics([(utts, frames, splits)])
        >>> totals = statistics.align(system.aligner())
        >>> _ = system.extractor.fit(full, statistics, totals)
        >>> noise = rng.normal(0, 0.1, 16000)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = f"{folder}/extractor.npz"
        ...     save_arrays(path, "IvectorSystem", *system.to_state())
        ...     model = asdkit.load(folder, features=Mfcc(dither=0.0), vad=False)
        >>> model.embed((noise, 16000)).shape
        (3,)
    """

    def __init__(
        self,
        path: PathName,
        system: IvectorSystem,
        front_end: WaveformFrontEnd,
        backend: Backend,
        device: str = "cpu",
    ) -> None:
        dim = system.extractor.ivector_dim
        what = f"an i-vector extractor of {dim} dimensions"
        super().__init__(path, what, dim, front_end, backend)
        frame_dim = system.ubm.full.means_.shape[1]
        front_end.require_dim(frame_dim, system.frontend.delta_order)
        self.frontend = system.frontend
        self.extraction = Extraction(system, device)

    def _prepare(self, audios: Iterable[Any]) -> Iterable[Prepared]:
        """Yield the voiced frames of recordings, with deltas and without their mean."""
        return self.front_end.prepare(audios, self.frontend)

    def _compute(self, batch: Sequence[Prepared]) -> np.ndarray:
        """N prepared recordings -> (N, R) float32."""
        found = [ivector for _, ivector, _ in self.extraction([join_frames(batch)])]
        return cast(np.ndarray, np.stack(found).astype(np.float32, copy=False))
