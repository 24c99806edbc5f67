"""Progress of a training: a bar on a terminal, lines in a log, TensorBoard."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from tqdm import tqdm

from asdkit.base.distributed import all_reduce, is_main, num_ranks
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)
Item = TypeVar("Item")

LINE_SEC = 120.0  # between two lines within an epoch
SCALAR_STEPS = 10  # between two points in TensorBoard


class Progress:
    """Means over an epoch, its speed, and the share of time spent waiting for data.

    After resuming, the first epoch's means cover the steps since then only.

    Args:
        directory: directory of the experiment, for TensorBoard's files.
        steps_per_epoch: number of steps in an epoch.
        num_epochs: number of epochs of the whole training.
        step: number of steps that are done already.
    """

    def __init__(
        self, directory: PathName, steps_per_epoch: int, num_epochs: int, step: int = 0
    ) -> None:
        self.steps_per_epoch = steps_per_epoch
        self.num_epochs = num_epochs
        self.step = step
        self._board = _open_board(Path(directory), step) if is_main() else None
        self._bar: tqdm[Any] | None = None
        self._values: dict[str, float] = {}
        self._last_line = 0.0
        self._begin_epoch()

    def watch(self, items: Iterable[Item]) -> Iterator[Item]:
        """Pass items on, and measure the time spent waiting for them."""
        iterator = iter(items)
        while True:
            begin = time.perf_counter()
            try:
                item = next(iterator)
            except StopIteration:
                return
            self._waited += time.perf_counter() - begin
            yield item

    def add(
        self, num_utts: int, terms: Mapping[str, float], values: Mapping[str, float]
    ) -> None:
        """Count a step.

        Args:
            num_utts: number of utterances in this rank's batch.
            terms: name -> value on this rank, to be averaged.
            values: name -> value, the same on all ranks.
        """
        self.step += 1
        self._steps += 1
        self._utts += num_utts * num_ranks()
        for name, value in terms.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._values = dict(values)
        if self._board and self.step % SCALAR_STEPS == 0:
            for name, value in {**terms, **values}.items():
                self._board.add_scalar(f"train/{name}", value, self.step)
        if sys.stderr.isatty() and is_main():
            self._show_bar(terms)
        elif time.perf_counter() - self._last_line > LINE_SEC:
            self._last_line = time.perf_counter()
            means = {name: x / self._steps for name, x in self._sums.items()}
            done = (self.step - 1) % self.steps_per_epoch + 1
            logger.info(
                "train: epoch %s: step %d/%d: %s",
                self._epoch(),
                done,
                self.steps_per_epoch,
                _line({**means, **self._values, **self._speed()}),
            )

    def end_epoch(self, results: Mapping[str, float]) -> dict[str, float]:
        """Log an epoch; every rank must call this.

        Args:
            results: the dev error, by name.

        Returns:
            the logged entry: means over steps and ranks, values, results, speed.
        """
        names = list(self._sums)
        sums = torch.tensor([self._sums[name] for name in names], dtype=torch.float64)
        means = (all_reduce(sums) / self._steps / num_ranks()).tolist()
        entry = dict(zip(names, means, strict=True)) | self._values | dict(results)
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        logger.info(
            "train: epoch %s: %s", self._epoch(), _line({**entry, **self._speed()})
        )
        if self._board:
            for name, value in {**entry, **self._speed()}.items():
                self._board.add_scalar(f"epoch/{name}", value, self.step)
            self._board.flush()
        entry |= {"step": self.step, **self._speed()}
        self._begin_epoch()
        return entry

    def close(self) -> None:
        """Close the bar and TensorBoard's file."""
        if self._bar is not None:
            self._bar.close()
        if self._board:
            self._board.close()

    def _begin_epoch(self) -> None:
        """Reset the counts."""
        self._steps = self._utts = 0
        self._sums: dict[str, float] = {}
        self._waited = 0.0
        self._begin = time.perf_counter()
        self._last_line = self._begin

    def _epoch(self) -> str:
        """The epoch of the last step, ``n/N``."""
        return f"{(self.step - 1) // self.steps_per_epoch + 1}/{self.num_epochs}"

    def _speed(self) -> dict[str, float]:
        """Utterances per second, and percentage of the time spent waiting for them."""
        spent = time.perf_counter() - self._begin
        return {"utts/s": self._utts / spent, "waiting %": 100 * self._waited / spent}

    def _show_bar(self, terms: Mapping[str, float]) -> None:
        """Advance the bar by one step."""
        done = (self.step - 1) % self.steps_per_epoch
        if self._bar is None:
            self._bar = tqdm(
                total=self.steps_per_epoch,
                initial=done,
                desc=f"epoch {self._epoch()}",
                unit="step",
                leave=False,
            )
        self._bar.set_postfix_str(_line({**terms, **self._values}), refresh=False)
        self._bar.update()


def _line(values: Mapping[str, float]) -> str:
    """``name = value`` with four significant digits, separated by commas."""
    return ", ".join(f"{name} = {value:.4g}" for name, value in values.items())


def _open_board(directory: Path, step: int) -> Any:
    """Open TensorBoard's file; None without TensorBoard."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(directory / "tensorboard"), purge_step=step + 1)
