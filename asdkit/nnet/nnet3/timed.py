"""Components of nnet3 that look at several times: TDNN layers and statistics.

They state which times of their input they need, whether all of these or any, and map
what is there; see `asdkit.nnet.nnet3.descriptors` for the notion of time.

Source: Kaldi, src/nnet3/nnet-{tdnn,general}-component.cc.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from asdkit.nnet.nnet3.components import Affine, Component
from asdkit.nnet.nnet3.descriptors import ENDLESS, Span

LONGEST_SUM = 1 << 14  # frames, of what is defined at any time


class TimedComponent(Component):
    """A component whose output at a time depends on its input at several."""

    def needs(self, span: Span) -> Span:
        """Bound where its output is defined, given a bound of its input."""
        raise NotImplementedError

    def asks(self, times: np.ndarray, span: Span) -> np.ndarray:
        """(S,) times of the output, bound of the input -> (S',) of the input."""
        raise NotImplementedError

    def compute(
        self, times: np.ndarray, asked: np.ndarray, defined: np.ndarray, x: Tensor
    ) -> tuple[np.ndarray, Tensor]:
        """Compute the output.

        Args:
            times: (S,) of the output.
            asked: (S',) of the input, from `asks`.
            defined: (N or 1, S') bool, where the input is defined.
            x: (N, S', D).

        Returns:
            (N or 1, S) bool where the output is defined, and (N, S, D').
        """
        raise NotImplementedError


class Tdnn(Affine, TimedComponent):
    """W x + b, or W x, of the frames at several offsets; all must be there."""

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.offsets = np.array(self.option("TimeOffsets"), np.int64)
        self.output_dim, columns = self.array("LinearParams", 2).shape
        if not len(self.offsets) or columns % len(self.offsets):
            raise ValueError(f"has {columns} columns for {len(self.offsets)} offsets")
        self.input_dim = columns // len(self.offsets)
        if len(self.array("BiasParams", 1)) not in (0, self.output_dim):
            raise ValueError("has a bias of another size than its output")

    def needs(self, span: Span) -> Span:
        """See `TimedComponent`."""
        first, end = span
        return Span(first - int(self.offsets.min()), end - int(self.offsets.max()))

    def asks(self, times: np.ndarray, span: Span) -> np.ndarray:
        """See `TimedComponent`: (S,) -> (S',)."""
        return np.unique(times[:, None] + self.offsets)

    def compute(
        self, times: np.ndarray, asked: np.ndarray, defined: np.ndarray, x: Tensor
    ) -> tuple[np.ndarray, Tensor]:
        """See `TimedComponent`: (N, S', D) -> (N, S, D')."""
        places = np.searchsorted(asked, times[:, None] + self.offsets)  # (S, K)
        index = torch.from_numpy(places.ravel()).to(x.device)
        spliced = x.index_select(1, index).view(len(x), len(times), -1)  # (N, S, K D)
        bias = self.array("BiasParams", 1)
        y = functional.linear(
            spliced, self.array("LinearParams", 2), bias if len(bias) else None
        )
        complete: np.ndarray = np.all(defined[:, places], axis=2)
        return complete, y


class _OverTime(TimedComponent):
    """Sums over times that are multiples of a period; those that are there count."""

    period: int

    def window(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(S,) times -> (S,) first time and (S,) end of the sums."""
        raise NotImplementedError

    def asks(self, times: np.ndarray, span: Span) -> np.ndarray:
        """See `TimedComponent`: (S,) -> (S',)."""
        first, end = self.window(times)
        first = np.maximum(first, -(-span.first // self.period) * self.period)
        end = np.minimum(end, span.end)
        there = first < end
        if not there.any():
            return np.zeros(0, np.int64)
        first, end = first[there], end[there]
        size = int(end.max() - first.min())
        if size > LONGEST_SUM and span.end - span.first > ENDLESS:
            raise ValueError(f"a sum of {size} frames that are defined at any time")
        grid = np.arange(first.min(), end.max(), self.period)
        opened, closed = (
            np.bincount(np.searchsorted(grid, at), minlength=len(grid) + 1)
            for at in (first, end)
        )
        return grid[np.cumsum(opened - closed)[:-1] > 0]

    def sums(
        self, times: np.ndarray, asked: np.ndarray, defined: np.ndarray, x: Tensor
    ) -> tuple[np.ndarray, Tensor]:
        """(N, S', D) -> where (N or 1, S) there is anything to sum, (N, S, D) sums."""
        first, end = self.window(times)
        first, end = np.searchsorted(asked, first), np.searchsorted(asked, end)
        count = np.zeros((len(defined), len(asked) + 1), np.int64)
        np.cumsum(defined, axis=1, out=count[:, 1:])
        found = count[:, end] > count[:, first]
        if not defined.all():
            x = x * torch.from_numpy(defined).to(x.device, x.dtype)[..., None]
        if len(times) == 1:
            return found, x[:, first[0] : end[0]].sum(1, keepdim=True)
        total = functional.pad(x.double().cumsum(1), (0, 0, 1, 0))  # (N, S' + 1, D)
        at = torch.from_numpy(end).to(x.device), torch.from_numpy(first).to(x.device)
        return found, (total[:, at[0]] - total[:, at[1]]).to(x.dtype)


class StatisticsExtraction(_OverTime):
    """The number of frames of a period, their sum and the sum of their squares."""

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.input_dim = int(self.option("InputDim"))
        self.period = int(self.option("InputPeriod", default=1))
        self.output_period = int(self.option("OutputPeriod", default=1))
        self.with_squares = bool(self.option("IncludeVarinance", default=True))
        self.output_dim = 1 + self.input_dim * (1 + self.with_squares)
        if self.period < 1 or self.output_period % self.period:
            raise ValueError("has an output period that is no multiple of the input's")

    def needs(self, span: Span) -> Span:
        """See `TimedComponent`."""
        first, end = span
        size = self.output_period
        return Span(first // size * size, -(-end // size) * size)

    def window(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(S,) times -> (S,) first time and (S,) end of the sums."""
        first = times // self.output_period * self.output_period
        return first, first + self.output_period

    def compute(
        self, times: np.ndarray, asked: np.ndarray, defined: np.ndarray, x: Tensor
    ) -> tuple[np.ndarray, Tensor]:
        """See `TimedComponent`: (N, S', D) -> (N, S, D')."""
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        parts = [x.new_ones(*x.shape[:2], 1), x]
        statistics = torch.cat(parts + [x.square()] * self.with_squares, dim=2)
        if self.output_period == 1 and np.array_equal(times, asked):
            return defined, statistics
        return self.sums(times, asked, defined, statistics)


class StatisticsPooling(_OverTime):
    """Mean and standard deviation over a window of what `StatisticsExtraction` gives.

    Where asked for, the logarithm of the number of frames comes first.
    """

    def set_dims(self) -> None:
        """Set both dimensions."""
        self.input_dim = int(self.option("InputDim"))
        self.period = int(self.option("InputPeriod", default=1))
        self.context = int(self.option("LeftContext")), int(self.option("RightContext"))
        self.num_logs = int(self.option("NumLogCountFeatures", default=0))
        self.with_stddev = bool(self.option("OutputStddevs", default=False))
        self.output_dim = self.input_dim - 1 + self.num_logs
        if self.with_stddev and self.input_dim % 2 == 0:
            raise ValueError("has standard deviations but no sums of squares to read")
        if self.period < 1 or any(side % self.period for side in self.context):
            raise ValueError("has a context that is no multiple of its period")
        if min(*self.context, self.num_logs) < 0:
            raise ValueError("has a negative context or <NumLogCountFeatures>")

    def needs(self, span: Span) -> Span:
        """See `TimedComponent`."""
        return Span(span.first - self.context[1], span.end + self.context[0])

    def asks(self, times: np.ndarray, span: Span) -> np.ndarray:
        """See `TimedComponent`: (S,) -> (S',)."""
        return super().asks(times[times % self.period == 0], span)

    def window(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(S,) times -> (S,) first time and (S,) end of the sums."""
        left, right = self.context
        return times - left, times + right + 1

    def compute(
        self, times: np.ndarray, asked: np.ndarray, defined: np.ndarray, x: Tensor
    ) -> tuple[np.ndarray, Tensor]:
        """See `TimedComponent`: (N, S', D) -> (N, S, D')."""
        found, sums = self.sums(times, asked, defined, x)
        count = sums[..., :1].clamp(min=1)
        parts = [count.log().expand(-1, -1, self.num_logs)] if self.num_logs else []
        mean = sums[..., 1:] / count
        if self.with_stddev:
            mean, power = mean.chunk(2, dim=2)
            floor = float(self.option("VarianceFloor", default=1e-10))
            parts += [mean, (power - mean.square()).clamp(min=floor).sqrt()]
        else:
            parts.append(mean)
        return found & (times % self.period == 0), torch.cat(parts, dim=2)
