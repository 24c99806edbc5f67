"""Voiced frames of a data directory, for training Gaussian mixtures."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from asdkit.base.distributed import all_reduce, num_ranks, rank, share
from asdkit.base.errors import DataError
from asdkit.base.ranges import Count, Natural
from asdkit.data.derived import FROM_AUDIO, check_derived
from asdkit.features.frontend import FrontEnd
from asdkit.io.ark import load_array, load_shape, read_scp
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)

LARGEST = 1e15  # features that float32 can square and divide by a small variance
SAMPLED_UTTS = 5000  # enough speakers and channels to start a UBM from


class FrameBatch(NamedTuple):
    """The frames of some utterances, concatenated.

    Attributes:
        utts: N ids.
        frames: (T, D) float32.
        splits: (N + 1,) int64; utterance i has the frames from its i-th to its (i +
            1)-th entry, at least one.
    """

    utts: list[str]
    frames: np.ndarray
    splits: np.ndarray


def list_utts(data_dir: PathName) -> list[str]:
    """Name the utterances that have features, in the order of feats.scp.

    Raises:
        DataError: feats.scp is missing or damaged, or it or vad.scp is of other audio.
    """
    check_derived(data_dir, FROM_AUDIO)
    return list(read_scp(Path(data_dir) / "feats.scp"))


def read_frames(
    data_dir: PathName,
    frontend: FrontEnd,
    utts: Sequence[str] | None = None,
    max_frames: int = 50_000,
    subsample: int = 1,
) -> Iterator[FrameBatch]:
    """Read features, prepare them, keep voiced frames, batch by batch.

    Utterances without a voiced frame are skipped; their number and names are logged
    at the end.

    Args:
        data_dir: with feats.scp, and vad.scp unless all frames count as voiced.
        frontend: front end to apply to the features.
        utts: ids to read, in this order; None for all.
        max_frames: maximum number of frames per batch, unless one utterance has more.
        subsample: keep every n-th of the frames.

    Raises:
        DataError: an utterance is missing or damaged, its features hold NaN or have
            another dimension than those before, or VAD has another length; or more
            utterances are skipped than kept.
    """
    reader = _Reader(data_dir, frontend)
    names: list[str] = []
    kept: list[np.ndarray] = []
    skipped: list[str] = []
    num_kept = num_frames = 0
    for utt in reader.feats if utts is None else utts:
        frames = reader.read(utt)[::subsample]
        if not len(frames):
            skipped.append(utt)
            continue
        if num_frames and num_frames + len(frames) > max_frames:
            yield join(names, kept)
            names, kept, num_frames = [], [], 0
        names.append(utt)
        kept.append(frames)
        num_frames += len(frames)
        num_kept += 1
    if names:
        yield join(names, kept)
    if skipped:
        _tell_skipped(data_dir, skipped, num_kept)


class Frames:
    """Frames as `read_frames` yields them, for repeated passes as in EM.

    Frames that fit into the cache are read from disk once.

    Args:
        data_dir: data directory, as for `read_frames`.
        frontend: front end to apply to the features.
        utts: ids to read, in this order; None for all.
        max_frames: of a batch.
        subsample: keep every n-th of the frames.
        max_cached: bytes of frames to keep; if not all fit, none is kept.
    """

    def __init__(
        self,
        data_dir: PathName,
        frontend: FrontEnd,
        utts: Sequence[str] | None = None,
        max_frames: int = 50_000,
        subsample: int = 1,
        max_cached: int = 2**30,
    ) -> None:
        self.data_dir = data_dir
        self.frontend = frontend
        self.utts = list_utts(data_dir) if utts is None else utts
        self.max_frames = max_frames
        self.subsample = subsample
        self.max_cached = max_cached
        self._cache: list[FrameBatch] | None = None

    def __iter__(self) -> Iterator[FrameBatch]:
        if self._cache is not None:
            yield from self._cache
            return
        cache: list[FrameBatch] = []
        kept: list[str] = []
        room = self.max_cached
        batches = read_frames(
            self.data_dir, self.frontend, self.utts, self.max_frames, self.subsample
        )
        for batch in batches:
            yield batch
            kept += batch.utts
            room -= batch.frames.nbytes
            if room >= 0:
                cache.append(batch)
            else:
                cache.clear()
        self.utts = kept  # what was skipped need not be read and told again
        if room >= 0:
            self._cache = cache


def sample_frames(
    data_dir: PathName,
    frontend: FrontEnd,
    utts: Sequence[str] | None = None,
    num_frames: Count = 500_000,
    seed: Natural = 0,
) -> np.ndarray:
    """Draw frames at random, the same on every rank and for any number of ranks.

    They come from 5,000 utterances at most, drawn at random, from each in proportion
    to its voiced frames.  Each rank reads its share.

    Args:
        data_dir: data directory, as for `read_frames`.
        frontend: front end to apply to the features.
        utts: ids to draw from, the same on every rank; None for all.
        num_frames: maximum number of frames to start from.
        seed: random seed of the draws.

    Returns:
        (F, D) float32.

    Raises:
        DataError: as for `read_frames`; or there is no voiced frame at all.
    """
    utts = list_utts(data_dir) if utts is None else utts
    rng = np.random.default_rng(seed)
    number = min(SAMPLED_UTTS, len(utts))
    drawn = np.sort(rng.choice(len(utts), number, replace=False)).tolist()
    place = {utts[i]: place for place, i in enumerate(drawn)}
    mine = share(list(place))

    reader = _Reader(data_dir, frontend)
    voiced = torch.zeros(number, dtype=torch.int64)
    for utt in mine:
        voiced[place[utt]] = reader.count(utt)
    total = all_reduce(voiced).sum().item()
    if not total:
        raise DataError(data_dir, f"none of {number} utterances has a voiced frame")
    # Utterance i of those drawn fills ends[i] - shares[i]:ends[i] of the sample.
    ends = voiced.cumsum(0) * min(num_frames, total) // total
    shares = ends.diff(prepend=ends.new_zeros(1))

    found: list[tuple[int, np.ndarray]] = []
    for batch in read_frames(data_dir, frontend, mine):
        parts = np.split(batch.frames, batch.splits[1:-1])
        for utt, frames in zip(batch.utts, parts, strict=True):
            i = place[utt]
            own = np.random.default_rng([seed, i])
            rows = own.choice(len(frames), int(shares[i]), replace=False)
            found.append((int(ends[i] - shares[i]), frames[np.sort(rows)]))
    return _gather(data_dir, found, int(ends[-1]))


class _Reader:
    """Read and check one utterance after another."""

    def __init__(self, data_dir: PathName, frontend: FrontEnd) -> None:
        self.data_dir = Path(data_dir)
        self.frontend = frontend
        self.feats = read_scp(self.data_dir / "feats.scp")
        vad = self.data_dir / "vad.scp"
        self.vad = read_scp(vad) if vad.exists() else None
        self.dim = 0

    def count(self, utt: str) -> int:
        """Return V, the number of voiced frames of an utterance."""
        if self.vad is None:
            return load_shape(utt, self._find(utt, "feats.scp", self.feats))[0]
        return int(self._voiced(utt, self.vad).sum())

    def read(self, utt: str) -> np.ndarray:
        """Return the (V, D) voiced frames of an utterance."""
        feats = load_array(utt, self._find(utt, "feats.scp", self.feats))
        self._check(utt, feats)
        voiced = None if self.vad is None else self._voiced(utt, self.vad)
        if voiced is not None and len(voiced) != len(feats):
            raise DataError(
                self.data_dir / "vad.scp",
                f"{utt!r}: {len(voiced)} decisions for {len(feats)} frames",
                hint="run asdkit vad-compute again, on these features",
            )
        return self.frontend(feats, voiced) if len(feats) else feats

    def _find(self, utt: str, name: str, table: dict[str, str]) -> str:
        """Tell where an utterance's array is."""
        if utt not in table:
            raise DataError(
                self.data_dir / name,
                f"{utt!r} is not in it",
                hint="asdkit feats-compute and vad-compute write these tables",
            )
        return table[utt]

    def _voiced(self, utt: str, vad: dict[str, str]) -> np.ndarray:
        """Return (T,) bool, which frames are voiced."""
        return load_array(utt, self._find(utt, "vad.scp", vad)) > 0

    def _check(self, utt: str, feats: np.ndarray) -> None:
        """Compare with the utterances before, look for NaN."""
        where = self.feats[utt]
        if feats.ndim != 2 or not feats.shape[1]:
            raise DataError(where, f"{utt!r}: expected a matrix, got {feats.shape}")
        self.dim = self.dim or feats.shape[1]
        if len(feats) and feats.shape[1] != self.dim:
            raise DataError(
                where,
                f"{utt!r} has {feats.shape[1]} dimensions, those before {self.dim}",
            )
        if not np.abs(feats).max(initial=0) < LARGEST:
            raise DataError(
                where,
                f"{utt!r} holds NaN or infinity, or more than {LARGEST:g}",
                hint="asdkit data-validate --check-feats true names all with NaN",
            )


def join(utts: list[str], frames: list[np.ndarray]) -> FrameBatch:
    """N ids and their (T, D) frames -> the batch of them, one after another."""
    lengths = [0, *map(len, frames)]
    return FrameBatch(utts, np.concatenate(frames), np.cumsum(lengths))


def _tell_skipped(data_dir: PathName, skipped: list[str], num_kept: int) -> None:
    """Log what was skipped; raise if that is most utterances."""
    names = ", ".join(skipped[:3]) + (", ..." if len(skipped) > 3 else "")
    number = len(skipped) + num_kept
    text = f"{len(skipped)} of {number} utterances have no voiced frame"
    if len(skipped) > num_kept:
        raise DataError(
            data_dir, f"{text}: {names}", hint="look at vad.scp, or lower its threshold"
        )
    logger.warning("frames: %s: %s: skipped %s", data_dir, text, names)


def _gather(
    data_dir: PathName, found: list[tuple[int, np.ndarray]], num_rows: int
) -> np.ndarray:
    """Assemble a matrix from what the ranks found: first row and (n, D) frames."""
    dims = torch.zeros(num_ranks(), dtype=torch.int64)
    dims[rank()] = found[0][1].shape[1] if found else 0
    dims = all_reduce(dims).unique()
    if len(dims := dims[dims > 0]) > 1:
        raise DataError(data_dir, f"its features have dimensions {dims.tolist()}")
    sample = torch.zeros(num_rows, int(dims))
    for row, frames in found:
        sample[row : row + len(frames)] = torch.from_numpy(frames)
    return all_reduce(sample).numpy()
