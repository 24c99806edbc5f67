"""Graphs that run what arrives at the same time in one batch."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import numpy as np

from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import Count, NonNegative
from asdkit.inference.onnx_model import OnnxModel
from asdkit.io.tables import PathName

LONGER = 1.25  # the longest of a batch by the shortest: the rest is zeros
BATCH_SEC = 120.0  # of a batch with its zeros, for the memory it takes

# Samples, and what becomes of them: their result, from so many frames.
Item = tuple[np.ndarray, Future[tuple[np.ndarray, int]]]


class BatchedModel(OnnxModel):
    """A graph that many threads run at a time, in batches of like lengths.

    The answer to a recording is the one that it has alone, up to rounding.  One thread
    of a CPU gains nothing by batches, and loses by large ones (ResNet-34 on 3 s: 86 ms
    alone, 88 in batches of 4, 101 of 16); more threads share a batch.

    Args:
        source: the file, or its content.
        num_threads: threads of one batch.
        wait_ms: longest wait of a recording for others, in milliseconds.
        max_batch: maximum number of recordings of a batch.
    """

    def __init__(
        self,
        source: PathName | bytes,
        num_threads: Count = 1,
        wait_ms: NonNegative = 3.0,
        max_batch: Count = 4,
    ) -> None:
        super().__init__(source, num_threads)
        self.wait_sec = wait_ms / 1000
        self.max_batch = max_batch
        self.num_batches = 0
        self._waiting: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def run(self, recordings: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Compute N embeddings or scores, with those that other threads ask for.

        Args:
            recordings: (L,) float32 samples in [-1, 1) at the model's rate.

        Returns:
            (N, E) or (N,), and (N,) how many frames each was computed from.

        Raises:
            DataError: a recording is too short, or the result is not finite.
        """
        items: list[Item] = [(x, Future()) for x in recordings]
        for item in items:
            self._waiting.put(item)
        results = [future.result() for _, future in items]
        found, num_frames = zip(*results, strict=True)
        return np.stack(found), np.array(num_frames)

    def close(self) -> None:
        """End the thread, after all that waits."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        """Run batches until the end."""
        while (item := self._waiting.get()) is not None:
            batch, is_last = self._gather(item)
            for group in self._alike(batch):
                self._answer(group)
            if is_last:
                return

    def _gather(self, first: Item) -> tuple[list[Item], bool]:
        """Wait for others for a moment; say whether it was the last one."""
        batch, end = [first], time.monotonic() + self.wait_sec
        while len(batch) < self.max_batch:
            try:
                item = self._waiting.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            if item is None:
                return batch, True
            batch.append(item)
        return batch, False

    def _alike(self, batch: list[Item]) -> Iterator[list[Item]]:
        """Group what is of like length."""
        most = BATCH_SEC * self.sampling_rate
        group: list[Item] = []
        for item in sorted(batch, key=lambda item: len(item[0])):
            length = len(item[0])
            is_longer = group and length > LONGER * len(group[0][0])
            if is_longer or (group and length * (1 + len(group)) > most):
                yield group
                group = []
            group.append(item)
        yield group

    def _answer(self, group: list[Item]) -> None:
        """Run a batch; if it fails, each alone, so that one cannot spoil the others."""
        try:
            found, num_frames = super().run([samples for samples, _ in group])
        except AsdkitError as error:
            if len(group) == 1:
                group[0][1].set_exception(error)
                return
            for item in group:
                self._answer([item])
        except BaseException as error:  # the thread must go on for the others
            for _, future in group:
                future.set_exception(error)
        else:
            self.num_batches += 1
            for (_, future), row, count in zip(group, found, num_frames, strict=True):
                future.set_result((row, int(count)))
