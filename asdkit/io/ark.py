"""Kaldi archives of features, VAD and vectors, compressed or not, through kaldiio.

Compatible with ``copy-feats`` in both directions, including binary, text, gzipped and
compressed archives and row ranges.  Commands are never run.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType

import kaldiio
import numpy as np

from asdkit.base.distributed import barrier, is_main, num_ranks, rank
from asdkit.base.errors import DataError
from asdkit.base.inputs import note_input, note_inputs, refuse_input, renewing
from asdkit.io.ark_key import seek_value
from asdkit.io.ark_value import read_shape, read_value
from asdkit.io.byte_streams import open_bytes
from asdkit.io.files import write_atomic
from asdkit.io.origins import Origin, note_origin, require_origin
from asdkit.io.paths import require_file
from asdkit.io.tables import PathName, read_lines, read_table

Opener = Callable[[PathName], contextlib.AbstractContextManager[io.BufferedReader]]
LONGEST_KEY = 4096  # bytes; more without a blank are no archive's


def read_scp(path: PathName) -> dict[str, str]:
    """Read an ``.scp`` table: key -> ``file.ark:offset`` with an optional range.

    Raises:
        DataError: the file is missing, malformed or names a command.
    """
    table = read_table(path)
    for key, location in table.items():
        _refuse_command(path, f"{key!r}", location)
    note_inputs(lambda: (_split_offset(location)[0] for location in table.values()))
    return table


def load_array(key: str, location: str) -> np.ndarray:
    """Load the matrix or vector that an ``.scp`` line points to.

    Args:
        key: its name, for messages.
        location: ``file``, ``file:offset`` or ``file:offset[first:last]``, the last
            row included, as in Kaldi.

    Returns:
        (T, D) or (T,) array; compressed ones are expanded to float32.

    Raises:
        DataError: the file is missing or damaged, has another key there, or the range
            lies outside it.
    """
    return _load(key, location, open_bytes)


def load_shape(key: str, location: str) -> tuple[int, ...]:
    """Return the shape of what `load_array` would load, from its header alone."""
    with _open_value(key, location, open_bytes) as (path, stream):
        shape = read_shape(path, stream)
    ranges = _find_range(key, location, shape)
    return tuple(len(range(size)[r]) for size, r in zip(shape, ranges, strict=True))


def _refuse_command(path: PathName, what: str, location: str) -> None:
    """Raise if a location is a command, at either end of a pipe."""
    if location.endswith("|") or location.startswith("|"):
        raise DataError(
            path,
            f"{what} is a command, {location!r}, and commands are not run here",
            hint="copy-feats it into an archive first",
        )


def _load(key: str, location: str, open_archive: Opener) -> np.ndarray:
    """Load as `load_array` does from archives that are opened by a function."""
    with _open_value(key, location, open_archive) as (path, stream):
        array = read_value(path, stream)
    return array[_find_range(key, location, array.shape)]


@contextlib.contextmanager
def _open_value(
    key: str, location: str, open_archive: Opener
) -> Iterator[tuple[str, io.BufferedReader]]:
    """Open an archive at an offset; name the key if that fails."""
    _refuse_command(location, f"{key!r}", location)
    path, offset = _split_offset(location)
    try:
        require_file(path)
        with open_archive(path) as stream:
            seek_value(path, stream, key, int(offset))
            if not stream.peek(1):
                raise DataError(path, f"byte {offset} is beyond its end")
            yield path, stream
    except DataError as error:
        hint = error.hint or "the archive is cut short or missing; make it again"
        raise DataError(
            path, f"cannot read {key!r}: {error.problem}", hint=hint
        ) from None


def _split_range(location: str) -> tuple[str, str]:
    """Split ``file:12[0:9]`` into ``file:12`` and ``0:9``, empty without a range."""
    if not location.endswith("]"):
        return location, ""
    plain, _, ranges = location[:-1].rpartition("[")
    return plain, ranges or "none"


def _split_offset(location: str) -> tuple[str, str]:
    """Split ``file:12[0:9]`` into ``file`` and ``12``, 0 without an offset."""
    plain = _split_range(location)[0]
    path, colon, offset = plain.rpartition(":")
    has_offset = colon and re.fullmatch("[0-9]{1,18}", offset)
    return (path, offset) if has_offset else (plain, "0")


def _find_range(key: str, location: str, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Turn ``0:99``, ``0:99,3:7`` or ``:,3:7``, ends included, into slices.

    Source: Kaldi, src/util/kaldi-table-inl.h, ParseMatrixRangeSpecifier.
    """
    ranges = _split_range(location)[1]
    slices = [slice(size) for size in shape]
    parts = ranges.split(",") if ranges else []
    if len(parts) > len(shape):
        raise DataError(location, f"{key!r}: two ranges for an array of one dimension")
    for axis, part in enumerate(parts):
        if part in ("", ":"):
            continue
        found = re.fullmatch("([0-9]{1,18}):([0-9]{1,18})", part)
        if not found:
            raise DataError(
                location, f"expected [first:last] for {key!r}, got [{ranges}]"
            )
        first, last = int(found[1]), int(found[2])
        size = shape[axis]
        # Kaldi lets segments end a little late and clips them.
        if not first <= last or first >= size or last >= size + 3:
            raise DataError(
                location, f"{key!r}: range {first}:{last} of only {size} (axis {axis})"
            )
        slices[axis] = slice(first, last + 1)
    return tuple(slices)


def read_arrays(rspecifier: str) -> Iterator[tuple[str, np.ndarray]]:
    """Read a whole archive or table, array by array.

    Args:
        rspecifier: ``scp:file``, ``ark:file`` or ``file.scp``; archives may be
            binary, text or gzipped.

    Yields:
        key and (T, D) or (T,) array.

    Raises:
        DataError: a file is missing or damaged, or a key comes twice; or the table is
            of other audio than there is now.
    """
    kind, colon, path = rspecifier.partition(":")
    if not colon and rspecifier.endswith(".scp"):
        kind, path = "scp", rspecifier
    if kind == "scp":
        require_origin(path)
        with _Archives() as archives:
            for key, location in read_scp(path).items():
                yield key, _load(key, location, archives.open)
        return
    if kind not in ("ark", "ark,t"):
        raise DataError(rspecifier, "expected scp:FILE or ark:FILE")
    _refuse_command(rspecifier, "it", path)
    note_input(path)
    seen: set[str] = set()
    with open_bytes(path) as stream:
        while key := _read_key(path, stream):
            if key in seen:
                raise DataError(path, f"key {key!r} appears a second time")
            seen.add(key)
            try:
                array = read_value(path, stream)
            except DataError as error:
                raise DataError(
                    path, f"damaged after {len(seen) - 1} entries: {error.problem}"
                ) from None
            yield key, array


class _Archives(contextlib.ExitStack):
    """Keep the archive that was read last open, for the next value of a table."""

    _path: PathName | None = None
    _stream: io.BufferedReader

    @contextlib.contextmanager
    def open(self, path: PathName) -> Iterator[io.BufferedReader]:
        """Open an archive, or go on in it; one in gzip is read from its beginning."""
        if path != self._path:
            self.close()
            self._path = None
            self._stream = self.enter_context(open_bytes(path))
            if not isinstance(self._stream.raw, gzip.GzipFile):
                self._path = path
        yield self._stream


def _read_key(path: PathName, stream: io.BufferedReader) -> str:
    """Read a key and its blank; empty at the end of the archive."""
    key = bytearray()
    while (byte := stream.read(1)) not in (b" ", b"") and len(key) < LONGEST_KEY:
        key += byte
    if len(key) >= LONGEST_KEY:
        raise DataError(path, f"expected a key, got {bytes(key)[:40]!r} ...")
    if key.strip() and not byte:
        raise DataError(path, f"cut short after the key {bytes(key)[:40]!r}")
    try:
        return key.decode().strip()
    except UnicodeDecodeError:
        raise DataError(path, f"expected a key, got {bytes(key)[:40]!r}") from None


class ArkWriter:
    """Write ``<name>.ark`` and ``<name>.scp`` into a directory, all or nothing.

    What is not finite is refused: readers would only fail later, or not at all.

    With N ranks each writes its own ``<name>.<rank>.ark`` and rank 0 merges the
    tables; every rank must enter and leave the ``with`` block.

    Args:
        directory: made if need be.
        name: e.g. "feats".
        compression_method: Kaldi's number, None for plain float32; 2 is Kaldi's
            own choice for MFCC (8 bits per value).
        origin: origin of the arrays; None if unknown.

    Example:
        with ArkWriter("exp/mfcc/train", "feats") as writer:
            writer["utt1"] = feats
    """

    def __init__(
        self,
        directory: PathName,
        name: str,
        compression_method: int | None = None,
        origin: Origin | None = None,
    ) -> None:
        self.directory = Path(directory)
        self.name = name
        self.compression_method = compression_method
        self.origin = origin

    @property
    def scp(self) -> Path:
        """The table of all ranks, there when the block is left without error."""
        return self.directory / f"{self.name}.scp"

    def __enter__(self) -> ArkWriter:
        refuse_input(self.scp)
        part = f".{rank() + 1}" if num_ranks() > 1 else ""
        self.ark = self.directory / f"{self.name}{part}.ark"
        self.locations: dict[str, str] = {}
        self._files = contextlib.ExitStack()
        self._archive = self._files.enter_context(contextlib.ExitStack())
        self._stream = self._archive.enter_context(write_atomic(self.ark, "wb"))
        return self

    def __setitem__(self, key: str, array: np.ndarray) -> None:
        """Append one array under a new key."""
        if key in self.locations:
            raise ValueError(f"{self.ark}: key {key!r} is written a second time")
        offset = self._stream.tell() + len(key.encode()) + 1
        self.locations[key] = f"{self.ark}:{offset}"
        if array.dtype != np.int32:
            with np.errstate(over="ignore"):
                array = array.astype(np.float32, copy=False)
            _refuse_nonfinite(self.ark, key, array)
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
        part = self._part(rank())
        self._files.callback(part.unlink, missing_ok=True)
        with self._files:
            # All that may not fit on the disk goes there before anything is replaced.
            _write_scp(part, self.locations)
            self._stream.flush()
            barrier()
            if is_main():
                # A table must not point into an archive that is being replaced.
                refuse_input(self.scp)
                self.scp.unlink(missing_ok=True)
            barrier()
            self._archive.close()
            barrier()
            if is_main():
                self._merge()
            barrier()

    def _part(self, of_rank: int) -> Path:
        """The table of one rank, until merging."""
        return self.directory / f".{self.name}.{of_rank}.part"

    def _merge(self) -> None:
        """Merge the ranks' tables; remove leftovers of runs with more ranks."""
        merged: dict[str, str] = {}
        with renewing():  # the parts are this run's own, and go
            for part in map(self._part, range(num_ranks())):
                merged |= dict(line.split(" ", 1) for line in read_lines(part))
        _write_scp(self.scp, merged)
        note_origin(self.scp, self.origin)
        kept = {location.rpartition(":")[0] for location in merged.values()}
        name = re.escape(self.name)
        ours = re.compile(rf"{name}(\.\d+)?\.ark|\.{name}\.\d+\.part")
        for old in self.directory.iterdir():
            if ours.fullmatch(old.name) and str(old) not in kept and old != self.ark:
                refuse_input(old)
                old.unlink(missing_ok=True)  # its rank removes its part, too


def _refuse_nonfinite(path: Path, key: str, array: np.ndarray) -> None:
    """Raise before NaN or infinity is written."""
    if not np.isfinite(array).all():
        raise DataError(path, f"{key!r} holds NaN or infinity, which is not written")


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
        source: source of the vectors, for messages.

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
