"""Inputs of nnet3 nodes as expressions, e.g. ``Append(Offset(a, -1), a)``.

Time is an index t that a node is asked at.  A descriptor says at which t it reads other
nodes, where the result is defined given where these are, and what it is.  Nothing here
assumes that frames are consecutive, so subsampled layers cost what they cost in Kaldi.

Source: Kaldi, src/nnet3/nnet-descriptor.{h,cc}.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

ENDLESS = 1 << 40  # frames; what is defined everywhere is defined up to here


class Span(NamedTuple):
    """Times from ``first`` to before ``end`` outside of which nothing is defined."""

    first: int
    end: int

    def shifted(self, by: int) -> Span:
        """Move both ends."""
        return Span(self.first + by, self.end + by)


class Signal(NamedTuple):
    """The output of a node in a batch, at the times that it is asked for.

    Attributes:
        times: (S,) int64, increasing.
        defined: (N, S) bool where it is defined; (1, S) if for all utterances alike.
        values: (N, S, D); anything finite where it is not defined.
    """

    times: np.ndarray
    defined: np.ndarray
    values: Tensor

    def places(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(S',) times -> (S',) places among the (S,), (S',) whether they are there."""
        if not len(self.times):
            return np.zeros(len(times), np.int64), np.zeros(len(times), bool)
        places = np.searchsorted(self.times, times)
        places = np.minimum(places, len(self.times) - 1)
        return places, self.times[places] == times

    def at(self, times: np.ndarray) -> tuple[np.ndarray, Tensor]:
        """Return (N or 1, S') and (N, S', D) at (S',) times."""
        places, found = self.places(times)
        if not found.any():
            shape = len(self.values), len(times), self.values.shape[2]
            return np.zeros((1, len(times)), bool), self.values.new_zeros(shape)
        first, last = int(places[0]), int(places[-1])
        if last - first == len(places) - 1 and bool((np.diff(places) == 1).all()):
            piece = slice(first, last + 1)  # a view
            return self.defined[:, piece] & found, self.values[:, piece]
        index = torch.from_numpy(places).to(self.values.device)
        return self.defined[:, places] & found, self.values.index_select(1, index)


Signals = Mapping[str, Signal]
Request = Callable[[str, np.ndarray], None]


class Descriptor:
    """An expression of other nodes that a node reads."""

    def sources(self) -> Iterator[str]:
        """Yield the names of the nodes that it reads, with repetitions."""
        raise NotImplementedError

    def dim(self, dims: Mapping[str, int]) -> int:
        """Return D, given those of the nodes.

        Raises:
            ValueError: parts to be added differ.
        """
        raise NotImplementedError

    def span(self, spans: Mapping[str, Span]) -> Span:
        """Bound where it is defined, given bounds of the nodes."""
        raise NotImplementedError

    def ask(self, times: np.ndarray, request: Request) -> None:
        """Request from the nodes what it needs at (S,) times."""
        raise NotImplementedError

    def read(self, times: np.ndarray, signals: Signals) -> tuple[np.ndarray, Tensor]:
        """Return (N or 1, S) where it is defined, and (N, S, D), at (S,) times."""
        raise NotImplementedError


@dataclass(frozen=True)
class Source(Descriptor):
    """Another node, by name."""

    name: str

    def sources(self) -> Iterator[str]:
        """See `Descriptor`."""
        yield self.name

    def dim(self, dims: Mapping[str, int]) -> int:
        """See `Descriptor`."""
        return dims[self.name]

    def span(self, spans: Mapping[str, Span]) -> Span:
        """See `Descriptor`."""
        return spans[self.name]

    def ask(self, times: np.ndarray, request: Request) -> None:
        """See `Descriptor`: (S,)."""
        request(self.name, times)

    def read(self, times: np.ndarray, signals: Signals) -> tuple[np.ndarray, Tensor]:
        """See `Descriptor`: (S,) -> (N, S, D)."""
        return signals[self.name].at(times)


@dataclass(frozen=True)
class _Moved(Descriptor):
    """Another descriptor at other times."""

    of: Descriptor
    by: int

    def sources(self) -> Iterator[str]:
        """See `Descriptor`."""
        yield from self.of.sources()

    def dim(self, dims: Mapping[str, int]) -> int:
        """See `Descriptor`."""
        return self.of.dim(dims)

    def moved(self, times: np.ndarray) -> np.ndarray:
        """(S,) times -> (S,) at which the other one is read."""
        raise NotImplementedError

    def ask(self, times: np.ndarray, request: Request) -> None:
        """See `Descriptor`: (S,)."""
        self.of.ask(self.moved(times), request)

    def read(self, times: np.ndarray, signals: Signals) -> tuple[np.ndarray, Tensor]:
        """See `Descriptor`: (S,) -> (N, S, D)."""
        return self.of.read(self.moved(times), signals)


@dataclass(frozen=True)
class Offset(_Moved):
    """``Offset(x, by)``: x at t + by."""

    def span(self, spans: Mapping[str, Span]) -> Span:
        """See `Descriptor`."""
        return self.of.span(spans).shifted(-self.by)

    def moved(self, times: np.ndarray) -> np.ndarray:
        """(S,) -> (S,)."""
        return times + self.by


@dataclass(frozen=True)
class Round(_Moved):
    """``Round(x, by)``: x at the largest multiple of ``by`` that is not above t."""

    def span(self, spans: Mapping[str, Span]) -> Span:
        """See `Descriptor`."""
        first, end = self.of.span(spans)
        return Span(-(-first // self.by) * self.by, -(-end // self.by) * self.by)

    def moved(self, times: np.ndarray) -> np.ndarray:
        """(S,) -> (S,)."""
        return times // self.by * self.by


@dataclass(frozen=True)
class ReplaceIndex(_Moved):
    """``ReplaceIndex(x, t, by)``: x at t = by, for every t."""

    def span(self, spans: Mapping[str, Span]) -> Span:
        """See `Descriptor`."""
        first, end = self.of.span(spans)
        return Span(-ENDLESS, ENDLESS) if first <= self.by < end else Span(0, 0)

    def moved(self, times: np.ndarray) -> np.ndarray:
        """(S,) -> (S,)."""
        return np.full_like(times, self.by)


@dataclass(frozen=True)
class Scale(_Moved):
    """``Scale(factor, x)``: x times a constant."""

    factor: float = 1.0

    def span(self, spans: Mapping[str, Span]) -> Span:
        """See `Descriptor`."""
        return self.of.span(spans)

    def moved(self, times: np.ndarray) -> np.ndarray:
        """(S,) -> (S,)."""
        return times

    def read(self, times: np.ndarray, signals: Signals) -> tuple[np.ndarray, Tensor]:
        """See `Descriptor`: (S,) -> (N, S, D)."""
        defined, values = self.of.read(times, signals)
        return defined, values * self.factor


@dataclass(frozen=True)
class Const(Descriptor):
    """``Const(value, size)``: a constant, defined everywhere."""

    value: float
    size: int

    def sources(self) -> Iterator[str]:
        """See `Descriptor`."""
        yield from ()

    def dim(self, dims: Mapping[str, int]) -> int:
        """See `Descriptor`."""
        return self.size

    def span(self, spans: Mapping[str, Span]) -> Span:
        """See `Descriptor`."""
        return Span(-ENDLESS, ENDLESS)

    def ask(self, times: np.ndarray, request: Request) -> None:
        """See `Descriptor`: (S,)."""

    def read(self, times: np.ndarray, signals: Signals) -> tuple[np.ndarray, Tensor]:
        """See `Descriptor`: (S,) -> (N, S, D)."""
        like = next(iter(signals.values())).values
        shape = len(like), len(times), self.size
        return np.ones((1, len(times)), bool), like.new_full(shape, self.value)


@dataclass(frozen=True)
class _Several(Descriptor):
    """Several descriptors, all of which must be defined."""

    parts: tuple[Descriptor, ...]

    def sources(self) -> Iterator[str]:
        """See `Descriptor`."""
        for part in self.parts:
            yield from part.sources()

    def span(self, spans: Mapping[str, Span]) -> Span:
        """See `Descriptor`."""
        found = [part.span(spans) for part in self.parts]
        return Span(max(s.first for s in found), min(s.end for s in found))

    def ask(self, times: np.ndarray, request: Request) -> None:
        """See `Descriptor`: (S,)."""
        for part in self.parts:
            part.ask(times, request)

    def read(self, times: np.ndarray, signals: Signals) -> tuple[np.ndarray, Tensor]:
        """See `Descriptor`: (S,) -> (N, S, D)."""
        defined, values = zip(
            *(p.read(times, signals) for p in self.parts), strict=True
        )
        return functools.reduce(operator.and_, defined), self.join(values)

    def join(self, values: Sequence[Tensor]) -> Tensor:
        """Join the (N, S, D') of all parts to (N, S, D)."""
        raise NotImplementedError


@dataclass(frozen=True)
class Append(_Several):
    """``Append(x, y, ...)``: one after another."""

    def dim(self, dims: Mapping[str, int]) -> int:
        """See `Descriptor`."""
        return sum(part.dim(dims) for part in self.parts)

    def join(self, values: Sequence[Tensor]) -> Tensor:
        """(N, S, D') of all parts -> (N, S, D)."""
        return torch.cat([*values], dim=2)


@dataclass(frozen=True)
class Sum(_Several):
    """``Sum(x, y, ...)``."""

    def dim(self, dims: Mapping[str, int]) -> int:
        """See `Descriptor`."""
        return _only({part.dim(dims) for part in self.parts}, "Sum")

    def join(self, values: Sequence[Tensor]) -> Tensor:
        """(N, S, D) of all parts -> (N, S, D)."""
        return functools.reduce(operator.add, values)


@dataclass(frozen=True)
class Failover(_Several):
    """``Failover(x, y)``: x where it is defined, else y."""

    def dim(self, dims: Mapping[str, int]) -> int:
        """See `Descriptor`."""
        return _only({part.dim(dims) for part in self.parts}, "Failover")

    def span(self, spans: Mapping[str, Span]) -> Span:
        """See `Descriptor`."""
        found = [part.span(spans) for part in self.parts]
        return Span(min(s.first for s in found), max(s.end for s in found))

    def read(self, times: np.ndarray, signals: Signals) -> tuple[np.ndarray, Tensor]:
        """See `Descriptor`: (S,) -> (N, S, D)."""
        (ready, x), (other, y) = (part.read(times, signals) for part in self.parts)
        return ready | other, x if ready.all() else torch.where(_mask(ready, x), x, y)


@dataclass(frozen=True)
class IfDefined(Descriptor):
    """``IfDefined(x)``: x where it is defined, else zeros."""

    of: Descriptor

    def sources(self) -> Iterator[str]:
        """See `Descriptor`."""
        yield from self.of.sources()

    def dim(self, dims: Mapping[str, int]) -> int:
        """See `Descriptor`."""
        return self.of.dim(dims)

    def span(self, spans: Mapping[str, Span]) -> Span:
        """See `Descriptor`."""
        return Span(-ENDLESS, ENDLESS)

    def ask(self, times: np.ndarray, request: Request) -> None:
        """See `Descriptor`: (S,)."""
        self.of.ask(times, request)

    def read(self, times: np.ndarray, signals: Signals) -> tuple[np.ndarray, Tensor]:
        """See `Descriptor`: (S,) -> (N, S, D)."""
        defined, x = self.of.read(times, signals)
        if not defined.all():
            x = torch.where(_mask(defined, x), x, x.new_zeros(()))
        return np.ones_like(defined), x


def _mask(defined: np.ndarray, like: Tensor) -> Tensor:
    """(N, S) bool -> (N, S, 1) on the device of a tensor."""
    return torch.from_numpy(defined).to(like.device)[..., None]


def _only(dims: set[int], what: str) -> int:
    """Return the dimension that all parts must have."""
    if len(dims) > 1:
        raise ValueError(f"{what} of parts of {' and '.join(map(str, sorted(dims)))}")
    return dims.pop()
