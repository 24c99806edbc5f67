"""Kaldi archives through kaldiio: features, VAD decisions, vectors.

What is written here, ``copy-feats`` reads, and the other way round, compressed
archives and row ranges included.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

import kaldiio
import numpy as np

from asdkit.base.distributed import barrier, is_main, num_ranks, rank
from asdkit.base.errors import DataError
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName, read_lines, read_table


def read_scp(path: PathName) -> dict[str, str]:
    """Read an ``.scp`` table: key -> ``file.ark:offset`` with an optional range.

    Raises:
        DataError: the file is missing, malformed or names a command.
    """
    table = read_table(path)
    for key, location in table.items():
        if location.endswith("|"):
            raise DataError(
                path,
                f"{key!r} is a command, {location!r}, and commands are not run here",
                hint="copy-feats it into an archive first",
            )
    return table


def load_array(key: str, location: str) -> np.ndarray:
    """Load one matrix or vector from where an ``.scp`` line points.

    Args:
        key: its name, for messages.
        location: ``file``, ``file:offset`` or ``file:offset[first:last]``, the last
            row included, as in Kaldi.

    Returns:
        (T, D) or (T,) array; compressed ones are expanded to float32.

    Raises:
        DataError: the file is missing or damaged, or the range lies outside it.
    """
    plain, bracket, ranges = location.partition("[")
    try:
        array = kaldiio.load_mat(plain)
    except FileNotFoundError:
        raise DataError(plain, f"no such file, needed for {key!r}") from None
    except Exception as error:
        # kaldiio meets damaged bytes with assertions, ValueErrors, struct.errors...
        raise DataError(
            plain,
            f"cannot read {key!r}: {type(error).__name__}: {error}",
            hint="the archive is damaged or cut short; make it again",
        ) from None
    if isinstance(array, tuple):
        raise DataError(plain, f"expected an array for {key!r}, got audio")
    return _take_range(key, location, array, ranges) if bracket else array


def _take_range(key: str, location: str, array: np.ndarray, ranges: str) -> np.ndarray:
    """Apply ``0:99]`` or ``0:99,3:7]``: rows, then columns, ends included."""
    found = re.fullmatch(r"(?:(\d+):(\d+))?(?:,(?:(\d+):(\d+))?)?\]", ranges)
    if not found:
        raise DataError(location, f"expected [first:last] for {key!r}, got [{ranges}")
    for axis in range(2):
        if found[2 * axis + 1] is None:
            continue
        first, last = int(found[2 * axis + 1]), int(found[2 * axis + 2])
        size = array.shape[axis] if axis < array.ndim else 0
        # Kaldi lets segments end a little late and clips them.
        if not first <= last or first >= size or last >= size + 3:
            raise DataError(
                location, f"{key!r}: range {first}:{last} of only {size} (axis {axis})"
            )
        array = array[first : last + 1] if axis == 0 else array[:, first : last + 1]
    return array


def read_arrays(rspecifier: str) -> Iterator[tuple[str, np.ndarray]]:
    """Read a whole archive or table, one array after another.

    Args:
        rspecifier: ``scp:file``, ``ark:file`` or ``file.scp``.

    Yields:
        key and (T, D) or (T,) array.

    Raises:
        DataError: a file is missing or damaged, or a key comes twice.
    """
    kind, colon, path = rspecifier.partition(":")
    if not colon and rspecifier.endswith(".scp"):
        kind, path = "scp", rspecifier
    if kind == "scp":
        for key, location in read_scp(path).items():
            yield key, load_array(key, location)
        return
    if kind != "ark":
        raise DataError(rspecifier, "expected scp:FILE or ark:FILE")
    seen = set()
    try:
        for key, array in kaldiio.load_ark(path):
            if key in seen:
                raise DataError(path, f"key {key!r} appears a second time")
            seen.add(key)
            yield key, array
    except FileNotFoundError:
        raise DataError(path, "no such file") from None
    except (DataError, GeneratorExit):
        raise
    except Exception as error:
        raise DataError(
            path, f"damaged after {len(seen)} entries: {type(error).__name__}: {error}"
        ) from None


class ArkWriter:
    """Write ``<name>.ark`` and ``<name>.scp`` into a directory, all or nothing.

    With N ranks each writes its own ``<name>.<rank>.ark`` and rank 0 merges the
    tables; every rank must enter and leave the ``with`` block.

    Args:
        directory: made if need be.
        name: e.g. "feats".
        compression_method: Kaldi's number, None for plain float32; 2 is Kaldi's
            own choice for MFCC (16 bits per value).

    Example:
        with ArkWriter("exp/mfcc/train", "feats") as writer:
            writer["utt1"] = feats
    """

    def __init__(
        self, directory: PathName, name: str, compression_method: int | None = None
    ) -> None:
        self.directory = Path(directory)
        self.name = name
        self.compression_method = compression_method

    @property
    def scp(self) -> Path:
        """The table of all ranks, there when the block is left without error."""
        return self.directory / f"{self.name}.scp"

    def __enter__(self) -> ArkWriter:
        part = f".{rank() + 1}" if num_ranks() > 1 else ""
        self.ark = self.directory / f"{self.name}{part}.ark"
        self.locations: dict[str, str] = {}
        self._files = contextlib.ExitStack()
        self._stream = self._files.enter_context(write_atomic(self.ark, "wb"))
        return self

    def __setitem__(self, key: str, array: np.ndarray) -> None:
        """Append one array under a new key."""
        if key in self.locations:
            raise ValueError(f"{self.ark}: key {key!r} is written a second time")
        offset = self._stream.tell() + len(key.encode()) + 1
        self.locations[key] = f"{self.ark}:{offset}"
        if array.dtype != np.int32:
            array = array.astype(np.float32, copy=False)
        kaldiio.save_ark(
            self._stream,
            {key: array},
            compression_method=self.compression_method if array.ndim == 2 else None,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._files.__exit__(kind, error, trace)
            return
        if is_main():
            # A table must not point into an archive that is being replaced.
            self.scp.unlink(missing_ok=True)
        barrier()
        self._files.close()
        _write_scp(self._part(rank()), self.locations)
        barrier()
        if is_main():
            self._merge()
        barrier()

    def _part(self, of_rank: int) -> Path:
        """The table of one rank, until it is merged."""
        return self.directory / f".{self.name}.{of_rank}.part"

    def _merge(self) -> None:
        """Join the ranks' tables; remove archives of a run with more ranks."""
        merged: dict[str, str] = {}
        for part in map(self._part, range(num_ranks())):
            merged |= dict(line.split(" ", 1) for line in read_lines(part))
        _write_scp(self.scp, merged)
        kept = {location.rpartition(":")[0] for location in merged.values()}
        ours = re.compile(re.escape(self.name) + r"(\.\d+)?\.ark")
        for old in self.directory.iterdir():
            if ours.fullmatch(old.name) and str(old) not in kept and old != self.ark:
                old.unlink()
        for part in map(self._part, range(num_ranks())):
            part.unlink()


def _write_scp(path: Path, locations: dict[str, str]) -> None:
    """Write a table that may be empty, sorted in the C locale's order."""
    with write_atomic(path) as stream:
        for key in sorted(locations, key=str.encode):
            stream.write(f"{key} {locations[key]}\n")


def stack_vectors(
    vectors: Iterable[tuple[str, np.ndarray]], source: str
) -> tuple[list[str], np.ndarray]:
    """Stack one vector per utterance into a matrix.

    Args:
        vectors: key and (R,) vector, as `read_arrays` yields them.
        source: where they come from, for messages.

    Returns:
        U keys and the (U, R) float64 matrix of their vectors.

    Raises:
        DataError: there are none, dimensions differ, or a value is not finite.
    """
    keys: list[str] = []
    rows: list[np.ndarray] = []
    for key, vector in vectors:
        if vector.ndim != 1 or (rows and len(vector) != len(rows[0])):
            wanted = f"({len(rows[0])},)" if rows else "a vector"
            raise DataError(
                source, f"{key!r}: expected {wanted}, got shape {vector.shape}"
            )
        if not np.all(np.isfinite(vector)):
            raise DataError(source, f"{key!r} holds NaN or infinity")
        keys.append(sys.intern(key))
        rows.append(vector)
    if not rows:
        raise DataError(source, "expected vectors, got none")
    return keys, np.stack(rows).astype(np.float64)
