r"""Kaldi's archives of Gaussian posteriors and selections, frame by frame.

Binary only, gzipped or not: for every utterance its id, ``\0B``, the number of
frames, and for every frame the number of its Gaussians and then these, each with
its posterior or, in a selection, without.

Source: Kaldi, src/hmm/posterior.cc and BasicVectorVectorHolder in
src/util/kaldi-holder-inl.h.
"""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np

from asdkit.base.inputs import note_input
from asdkit.io.byte_streams import open_bytes
from asdkit.io.files import write_atomic
from asdkit.io.kaldi_binary import BINARY, BinaryReader
from asdkit.io.tables import PathName

# A number is stored behind its size, 4 bytes.
COUNT = np.dtype([("size", "u1"), ("count", "<i4")])
SELECTED = np.dtype([("size", "u1"), ("gauss", "<i4")])
POSTERIOR = np.dtype([*SELECTED.descr, ("value_size", "u1"), ("value", "<f4")])


class FrameLists(NamedTuple):
    """The Gaussians of every frame of an utterance, one frame after another.

    Attributes:
        splits: (T + 1,) int64; frame t owns ``splits[t]:splits[t + 1]``.
        gauss: (P,) int32 Gaussians, in the order of the file.
        values: (P,) float32 posteriors; None in a selection.
    """

    splits: np.ndarray
    gauss: np.ndarray
    values: np.ndarray | None = None


def read_posteriors(path: PathName) -> Iterator[tuple[str, FrameLists]]:
    """Read an archive of posteriors, e.g. post.1.gz: utterance and its frames.

    Raises:
        DataError: the file is missing, damaged, or text.
    """
    yield from _read(path, POSTERIOR)


def read_gselect(path: PathName) -> Iterator[tuple[str, FrameLists]]:
    """Read an archive of Gaussian selections, e.g. gselect.1.gz.

    Raises:
        DataError: the file is missing, damaged, or text.
    """
    yield from _read(path, SELECTED)


def write_frame_lists(
    path: PathName, utterances: Iterable[tuple[str, FrameLists]]
) -> None:
    """Write an archive of posteriors or selections, gzipped if it ends in ``.gz``."""
    with contextlib.ExitStack() as files:
        stream: IO[bytes] = files.enter_context(write_atomic(path, "wb"))
        if Path(path).suffix == ".gz":
            zipped = gzip.GzipFile(fileobj=stream, mode="wb", mtime=0)
            stream = cast(IO[bytes], files.enter_context(zipped))
        for utt, frames in utterances:
            stream.write(f"{utt} ".encode() + BINARY)
            stream.write(_pack(frames))


def _read(path: PathName, entry: np.dtype) -> Iterator[tuple[str, FrameLists]]:
    """Read utterance after utterance; an entry is what is stored per Gaussian."""
    note_input(path)
    with open_bytes(path) as stream:
        reader = BinaryReader(path, stream)
        while stream.peek(1):
            utt = reader.token("an utterance id")
            if (mark := reader.take(2)) != BINARY:
                reader.fail(f"expected a binary archive, got {bytes(mark)!r}")
            num_frames = reader.count()
            sizes, data = [], bytearray()
            for _ in range(num_frames):
                sizes.append(reader.count())
                reader.take(sizes[-1] * entry.itemsize, onto=data)
            entries = np.frombuffer(data, entry)
            for name in entry.names or ():
                if name.endswith("size") and np.any(entries[name] != 4):
                    reader.fail(f"{utt!r}: expected numbers of 4 bytes")
            if np.any(entries["gauss"] < 0):
                reader.fail(f"{utt!r}: expected Gaussians, got a negative number")
            splits = np.cumsum([0, *sizes])
            gauss = entries["gauss"].copy()
            values = entries["value"].copy() if entry is POSTERIOR else None
            yield utt, FrameLists(splits, gauss, values)


def _pack(frames: FrameLists) -> bytes:
    """Lay out one utterance as Kaldi does."""
    num_frames, num_entries = len(frames.splits) - 1, len(frames.gauss)
    entries = np.empty(num_entries, SELECTED if frames.values is None else POSTERIOR)
    entries["size"] = 4
    entries["gauss"] = frames.gauss
    if frames.values is not None:
        entries["value_size"] = 4
        entries["value"] = frames.values
    counts = np.empty(num_frames + 1, COUNT)
    counts["size"] = 4
    counts["count"] = [num_frames, *np.diff(frames.splits)]

    # Every frame's count stands before its entries.
    starts = COUNT.itemsize * np.arange(num_frames + 1)
    starts[1:] += entries.itemsize * frames.splits[:-1]
    is_count = np.zeros(counts.nbytes + entries.nbytes, bool)
    is_count[starts[:, None] + np.arange(COUNT.itemsize)] = True
    data = np.empty(len(is_count), np.uint8)
    data[is_count] = counts.view(np.uint8)
    data[~is_count] = entries.view(np.uint8)
    return data.tobytes()
