"""Segmentation by finite-state acceptors: structure in time for frame-wise scores.

A segmentation gives every frame one of K classes; a segment is a run of frames of one
class.  It costs

    sum over segments of class c and length l:   (l - 1) stay[c]
  + sum over changes from class c to class e:    leave[c] + enter[e] + bigram[c, e]

and exists only if its segments of class c have at least ``min_frames[c]`` frames, but
for the first and the last, which the recording may have cut off.  Log-likelihood minus
cost, both in nats, is its score.  The acceptor has one path for each segmentation: a
class is a chain of ``min_frames`` states, the last of which has a self-loop and is
where a recording begins.

This needs k2, whose wheels are made for one version of torch each: ``tools/setup.sh
--k2``.  Nothing else in asdkit does.

Source: https://k2-fsa.github.io/k2, for intersect_dense, whose pruning is exact: it
uses forward and backward scores.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from asdkit.base.packages import require

logger = logging.getLogger(__name__)

CURE = "tools/setup.sh --k2 makes an environment with k2, or says why it cannot"
# Frames times arcs that are intersected at once, which bounds the memory.
BUDGET = 4_000_000
# What is worse than the best path by more than this is pruned away.
BEST_BEAM, SOFT_BEAM = 0.1, 30.0
IMPOSSIBLE = -1e4  # stands for the logarithm of zero
MAX_ACTIVE = 10_000  # states per frame; k2 wants a limit where it prunes on the way


class Topology:
    """The allowed segmentations, and their costs in nats.

    Args:
        min_frames: (K,) minimum frames of a segment of each class.
        enter: (K,) cost of changing to a class; None for none, as for the others.
        leave: (K,) cost of changing from a class.
        stay: (K,) cost of every frame of a segment but its first.
        bigram: (K, K) cost of changing from one class to another, infinite if not
            allowed; the diagonal is ignored.

    Raises:
        ValueError: there are not as many of one as of the other, a segment need not
            have a frame, a cost is NaN, or one of staying infinite.
    """

    def __init__(
        self,
        min_frames: Sequence[int],
        enter: Sequence[float] | None = None,
        leave: Sequence[float] | None = None,
        stay: Sequence[float] | None = None,
        bigram: Sequence[Sequence[float]] | None = None,
    ) -> None:
        if len(min_frames) == 0 or min(min_frames) < 1:
            raise ValueError(f"expected segments of a frame at least, got {min_frames}")
        num = len(min_frames)
        self.min_frames = np.array(min_frames)
        self.stay = _costs("stay", stay, num)
        self.change = (
            _costs("leave", leave, num)[:, None]
            + _costs("enter", enter, num)
            + _costs("bigram", bigram, num, num)
        )
        np.fill_diagonal(self.change, np.inf)
        if not np.isfinite(self.stay).all():
            raise ValueError(f"expected finite costs of staying, got {stay}")

    @property
    def num_classes(self) -> int:
        """K."""
        return len(self.min_frames)

    def arcs(self) -> tuple[np.ndarray, np.ndarray]:
        """List the arcs of the acceptor, state by state.

        Returns:
            (A, 3) int32 from state, to state, and class, or -1 into the final state;
            and (A,) float32 scores.
        """
        first = 1 + np.cumsum([0, *self.min_frames])  # (K + 1,); all begins in state 0
        last, final = first[1:] - 1, first[-1]
        arcs: list[tuple[int, int, int, float]]
        arcs = [(0, last[c], c, 0.0) for c in range(self.num_classes)]
        for c in range(self.num_classes):
            for state in range(first[c], first[c + 1]):
                arcs.append((state, min(state + 1, last[c]), c, -self.stay[c]))
                arcs.append((state, final, -1, 0.0))
            for e in np.flatnonzero(np.isfinite(self.change[c])).tolist():
                arcs.append((last[c], first[e], e, -self.change[c, e]))
        arcs.sort()
        ends, scores = [arc[:3] for arc in arcs], [arc[3] for arc in arcs]
        return np.array(ends, dtype=np.int32), np.array(scores, dtype=np.float32)


class Piece(NamedTuple):
    """Frames that are searched as one sequence.

    Attributes:
        utt: number of the utterance in the batch.
        start: first frame, counted within the utterance.
        length: number of frames.
    """

    utt: int
    start: int
    length: int


class Segmenter:
    """Segment batches of utterances: best paths, and posteriors of the classes.

    Recordings that are longer are decoded in windows that overlap, so that memory is
    bounded and float32 exact enough.  Where two windows agree for as long as the
    longest minimum duration, both are in the same state of the acceptor, and their
    paths are joined.  So only what is further away than ``context`` cannot matter.

    Args:
        topology: allowed segmentations.
        window: frames between two joins.
        context: further frames of context on either side of a window.
        search_beam: None to search all paths; otherwise paths that fall behind by more
            than this are dropped, which pays off with many hundreds of states.

    Raises:
        AsdkitError: k2 is not installed.
        ValueError: the context is longer than the window, or shorter than the longest
            minimum duration.
    """

    def __init__(
        self,
        topology: Topology,
        window: int = 6000,
        context: int = 500,
        search_beam: float | None = None,
    ) -> None:
        longest = int(topology.min_frames.max())
        if not longest <= context <= window:
            raise ValueError(
                f"expected a context from {longest} to {window} frames, got {context}"
            )
        self.topology = topology
        self.window = window
        self.context = context
        self.search_beam = search_beam
        self._k2 = require("k2", CURE)
        ends, scores = topology.arcs()
        bits = scores.view(np.int32)[:, None]  # how k2 keeps scores beside states
        arcs = torch.from_numpy(np.concatenate([ends, bits], axis=1))
        self._graph = self._k2.create_fsa_vec([self._k2.arc_sort(self._k2.Fsa(arcs))])

    def best_paths(self, loglikes: Sequence[Tensor]) -> list[Tensor]:
        """Find the best segmentation of every utterance.

        Args:
            loglikes: N times (T, K) log-likelihoods or log-posteriors of the classes,
                all on one device.

        Returns:
            N times (T,) int64 classes, on the CPU.

        Raises:
            ValueError: there are not K classes, or a frame is NaN or impossible.
        """
        pieces = self._pieces(loglikes)
        found: dict[Piece, Tensor] = {}
        for batch, lattice in self._intersect(loglikes, pieces, BEST_BEAM):
            labels = self._k2.shortest_path(lattice, use_double_scores=True).labels
            classes = labels[labels >= 0].long().cpu()
            lengths = [piece.length for piece in batch]
            found.update(zip(batch, classes.split(lengths), strict=True))
        paths: list[list[tuple[Piece, Tensor]]] = [[] for _ in loglikes]
        for piece in pieces:
            paths[piece.utt].append((piece, found[piece]))
        return [self._join(path) for path in paths]

    def posteriors(self, loglikes: Sequence[Tensor]) -> list[Tensor]:
        """Compute the posterior of every class in every frame over all segmentations.

        Args:
            loglikes: as for `best_paths`.

        Returns:
            N times (T, K) probabilities, on the device of the log-likelihoods.

        Raises:
            ValueError: as `best_paths` does.
        """
        result = [torch.zeros_like(part, dtype=torch.float32) for part in loglikes]
        pieces = self._pieces(loglikes)
        for batch, lattice in self._intersect(loglikes, pieces, SOFT_BEAM):
            post = lattice.get_arc_post(use_double_scores=True, log_semiring=True)
            # Behind the frames of each piece k2 has a row for the final arc.
            splits = [piece.length + 1 for piece in batch]
            table = post.new_zeros(sum(splits), self.topology.num_classes)
            real = lattice.labels >= 0
            place = lattice.row[real].long(), lattice.labels[real].long()
            table.index_put_(place, post[real].exp(), accumulate=True)
            for piece, part in zip(batch, table.split(splits), strict=True):
                whole = result[piece.utt]
                kept = self._kept(piece, len(whole))
                offset = kept.start - piece.start
                whole[kept] = part[offset : offset + kept.stop - kept.start].float()
        return result

    def total_scores(
        self, loglikes: Sequence[Tensor], log_semiring: bool = True
    ) -> Tensor:
        """Sum over all segmentations, or take the best one's score.

        Of a long recording, windows are summed over, and where two overlap, what both
        have counted is taken off again: Z(a, b) = Z(a) Z(b) / Z(a and b), but for what
        the context cannot see.

        Args:
            loglikes: as for `best_paths`.
            log_semiring: True for the logarithm of the sum over all segmentations of
                likelihood times exp(-cost), False for the best segmentation's.

        Returns:
            (N,) float64 scores, on the CPU.

        Raises:
            ValueError: as `best_paths` does.
        """
        scores = torch.stack([part.double().amax(dim=1).sum() for part in loglikes])
        scores = scores.cpu()
        pieces = self._pieces(loglikes)
        overlaps = [
            Piece(right.utt, right.start, left.start + left.length - right.start)
            for left, right in pairwise(pieces)
            if left.utt == right.utt
        ]
        signs = {**dict.fromkeys(pieces, 1.0), **dict.fromkeys(overlaps, -1.0)}
        for batch, lattice in self._intersect(loglikes, list(signs), SOFT_BEAM):
            total = lattice.get_tot_scores(
                use_double_scores=True, log_semiring=log_semiring
            )
            total = total.detach().cpu() * torch.tensor([signs[x] for x in batch])
            scores.index_add_(0, torch.tensor([x.utt for x in batch]), total)
        return scores

    def _pieces(self, loglikes: Sequence[Tensor]) -> list[Piece]:
        """Cut utterances into windows with their context."""
        pieces = []
        for utt, part in enumerate(loglikes):
            num_windows = max(1, -(-(len(part) - 2 * self.context) // self.window))
            for i in range(num_windows if len(part) else 0):
                start = max(0, i * self.window - self.context)
                stop = (i + 1) * self.window + self.context
                stop = len(part) if i + 1 == num_windows else stop
                pieces.append(Piece(utt, start, stop - start))
        return pieces

    def _kept(self, piece: Piece, num_frames: int) -> slice:
        """Tell which frames of its utterance a window decides alone."""
        stop = piece.start + piece.length
        return slice(
            piece.start + self.context if piece.start else 0,
            stop - self.context if stop < num_frames else num_frames,
        )

    def _intersect(
        self, loglikes: Sequence[Tensor], pieces: Sequence[Piece], beam: float
    ) -> Iterator[tuple[list[Piece], Any]]:
        """Yield some pieces, the longest first, and the lattices of their paths.

        The lattices have the attribute ``row``: which frame of these pieces, one after
        another and with one more behind each, an arc is of.
        """
        if not pieces:
            return
        for part in loglikes:
            self._check(part)
        frames = torch.cat(list(loglikes))
        # The most likely class has zero, which keeps the sums over a window small.
        frames = (frames - frames.amax(dim=1, keepdim=True)).clamp(min=IMPOSSIBLE)
        frames = frames.float()
        starts = np.cumsum([0, *map(len, loglikes)])
        graph = self._graph.to(frames.device)
        most = max(1, BUDGET // graph.num_arcs)
        for batch in _batches(pieces, most):
            segments = [(0, starts[p.utt] + p.start, p.length) for p in batch]
            dense = self._k2.DenseFsaVec(
                frames[None], torch.tensor(segments, dtype=torch.int32)
            )
            if self.search_beam is not None:
                yield (
                    batch,
                    self._k2.intersect_dense_pruned(
                        graph,
                        dense,
                        search_beam=self.search_beam,
                        output_beam=beam,
                        min_active_states=1,
                        max_active_states=MAX_ACTIVE,
                        seqframe_idx_name="row",
                    ),
                )
                continue
            copies = torch.zeros(len(batch), dtype=torch.int32, device=frames.device)
            graphs = self._k2.index_fsa(graph, copies)
            yield (
                batch,
                self._k2.intersect_dense(
                    graphs, dense, output_beam=beam, seqframe_idx_name="row"
                ),
            )

    def _check(self, frames: Tensor) -> None:
        """Raise unless these are (T, K), and some class is possible in every frame."""
        num = self.topology.num_classes
        if frames.ndim != 2 or frames.shape[1] != num:
            raise ValueError(f"expected (T, {num}), got shape {tuple(frames.shape)}")
        if not torch.isfinite(frames.amax(dim=1)).all():
            raise ValueError("a frame is NaN, or no class is possible in it")

    def _join(self, path: Sequence[tuple[Piece, Tensor]]) -> Tensor:
        """Join the overlapping windows of one utterance: (T,) int64 classes."""
        if not path:
            return torch.zeros(0, dtype=torch.int64)
        parts, done = [], 0
        for (left, before), (right, after) in pairwise(path):
            overlap = left.start + left.length - right.start
            agree = before[-overlap:] == after[:overlap]
            stop = right.start + self._place(agree.numpy(), right)
            parts.append(before[done - left.start : stop - left.start])
            done = stop
        piece, classes = path[-1]
        return torch.cat([*parts, classes[done - piece.start :]])

    def _place(self, agree: np.ndarray, right: Piece) -> int:
        """Choose the frame of an overlap to join at, near its middle."""
        index = np.arange(len(agree))
        apart = np.maximum.accumulate(np.where(agree, -1, index))
        good = np.flatnonzero(index - apart >= self.topology.min_frames.max())
        if not len(good):
            logger.warning(
                "fsa: utterance %d: the paths of two windows differ at frame %d: a "
                "segment there may be too short",
                right.utt,
                right.start + self.context,
            )
            return self.context
        return int(good[np.abs(good - self.context).argmin()]) + 1


def _costs(name: str, costs: Any, *shape: int) -> np.ndarray:
    """Check costs, or make zeros of them: float64 of the shape."""
    array = np.zeros(shape) if costs is None else np.array(costs, dtype=np.float64)
    if array.shape != shape or np.isnan(array).any():
        raise ValueError(f"{name}: expected numbers of shape {shape}, got {costs}")
    return array


def _batches(pieces: Sequence[Piece], most: int) -> Iterator[list[Piece]]:
    """Group pieces, the longest first, into batches of at most so many frames."""
    batch: list[Piece] = []
    num_frames = 0
    for piece in sorted(pieces, key=lambda piece: -piece.length):
        if batch and num_frames + piece.length > most:
            yield batch
            batch, num_frames = [], 0
        batch.append(piece)
        num_frames += piece.length
    if batch:
        yield batch
