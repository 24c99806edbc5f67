"""Models of recordings: what embedders and countermeasures have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from asdkit.base.errors import DataError
from asdkit.batches.batches import pad
from asdkit.batches.gmm_frames import FrameBatch, join
from asdkit.batches.samplers import bucket_by_length
from asdkit.inference.trained_model import TrainedModel
from asdkit.inference.waveform_front_end import Prepared, WaveformFrontEnd, in_batches
from asdkit.io.tables import PathName
from asdkit.nnet.extraction import extract
from asdkit.nnet.network import Network

READ_AHEAD = 100_000  # frames that are in memory at a time


class RecordingModel(TrainedModel):
    """A model that computes an array of numbers for every recording.

    Args:
        path: its file.
        what: what it is.
        result: what it computes, e.g. "embedding".
        front_end: computes its features.
    """

    def __init__(
        self, path: PathName, what: str, result: str, front_end: WaveformFrontEnd
    ) -> None:
        super().__init__(path, what)
        self.result = result
        self.front_end = front_end

    def compute(self, audios: Iterable[Any]) -> Iterator[np.ndarray]:
        """Yield the result for every recording; those of like length share a batch.

        Args:
            audios: path, (samples, rate) or lhotse cut each.

        Raises:
            DataError: a recording is wrong, or its result is not finite.
        """
        if isinstance(audios, (str, tuple)):
            raise TypeError(f"expected a list of recordings, got {audios!r}")
        for batch in in_batches(self._prepare(audios), READ_AHEAD):
            for item, found in zip(batch, self._compute(batch), strict=True):
                if not np.isfinite(found).all():
                    value = "not finite" if np.ndim(found) else found
                    problem = f"its {self.result} of {item.name!r} is {value}"
                    raise DataError(self.path, problem)
                yield found

    def pad_by_length(
        self,
        batch: Sequence[Prepared],
        network: Network,
        device: str,
        max_frames: int,
        head: Callable[[Tensor], Tensor] | None = None,
    ) -> np.ndarray:
        """Run a network on recordings of like length, padded to the longest of them.

        Args:
            batch: N prepared recordings.
            network: maps features to embeddings, on the device.
            device: device to compute on.
            max_frames: maximum number of frames of a padded batch.
            head: map of embeddings to results; None: embeddings are wanted.

        Returns:
            (N, E) float32 embeddings, or (N,) of the head, in the recordings' order.
        """
        found: dict[int, np.ndarray] = {}
        lengths = [len(item.frames) for item in batch]
        for rows in bucket_by_length(lengths, max_frames):
            padded = pad(
                [batch[row].name for row in rows],
                [batch[row].frames for row in rows],
                self.front_end.config.subtract_mean,
            )
            for _, results in extract(network, [padded], device, head):
                found.update(zip(rows, results, strict=True))
        return np.stack([found[row] for row in range(len(batch))])

    def _prepare(self, audios: Iterable[Any]) -> Iterable[Prepared]:
        """Yield the frames of recordings."""
        raise NotImplementedError

    def _compute(self, batch: Sequence[Prepared]) -> np.ndarray:
        """N prepared recordings -> the results of each."""
        raise NotImplementedError


def join_frames(batch: Sequence[Prepared]) -> FrameBatch:
    """Put the frames of recordings into one array, one recording after another."""
    return join([item.name for item in batch], [item.frames for item in batch])
