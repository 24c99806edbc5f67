"""Track what a program reads, so that it never overwrites its inputs.

A file is known by its device and number, however its path is spelled: relative, with
``..``, through a link, in another case on a case-insensitive disk.  Readers note what
they open; a writer asks before it replaces a file.  Nothing is looked up until a file
is about to be replaced, and most outputs are new.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asdkit.base.errors import DataError

Path = str | os.PathLike[str]
FileId = tuple[int, int]
NUM_THREADS = 16  # most of the time goes into waiting for the disk
PIECE = 500  # files that a thread asks for at a time
CURE = "write somewhere else; nothing has been written over"


class _Inputs:
    """What one program reads: files, and tables, which may be renewed in place."""

    def __init__(self) -> None:
        self.noted: list[tuple[Callable[[], Iterable[Path]], bool]] = []
        self.known: dict[FileId, tuple[Path, bool]] = {}
        self.cache: dict[Hashable, Any] = {}

    def find(self, path: Path) -> tuple[Path, bool] | None:
        """Return how a file was read, and whether it may be renewed."""
        wanted = file_id(path)
        if wanted is None:
            return None
        while self.noted:
            list_paths, renewable = self.noted.pop()
            paths = list(dict.fromkeys(list_paths()))
            for source, found in zip(paths, file_ids(paths), strict=True):
                if found is not None:
                    before = self.known.get(found, (source, True))
                    self.known[found] = source, renewable and before[1]
        as_what = self.known.get(wanted)
        if as_what is not None and file_id(as_what[0]) != wanted:
            del self.known[wanted]  # that file is gone, and its number was given again
            return None
        return as_what


_inputs: _Inputs | None = None


@contextlib.contextmanager
def watching() -> Iterator[None]:
    """Track what is read from here on, and refuse to replace it."""
    global _inputs
    before, _inputs = _inputs, _Inputs()
    try:
        yield
    finally:
        _inputs = before


@contextlib.contextmanager
def renewing() -> Iterator[None]:
    """Suspend tracking: files are renewed from themselves."""
    global _inputs
    before, _inputs = _inputs, None
    try:
        yield
    finally:
        _inputs = before


def program_cache() -> dict[Hashable, Any]:
    """Return a cache that lasts as long as the program; outside of one, a new one."""
    return {} if _inputs is None else _inputs.cache


def note_input(path: Path, renewable: bool = False) -> None:
    """Note a file that is read.

    Args:
        path: the file.
        renewable: whether it is a table that may be renewed in place, as a whole data
            directory is, but not replaced by something else.
    """
    note_inputs(lambda: [path], renewable)


def note_inputs(
    list_paths: Callable[[], Iterable[Path]], renewable: bool = False
) -> None:
    """Note many files that are read; the list is only made if it is needed."""
    if _inputs is not None:
        _inputs.noted.append((list_paths, renewable))


def refuse_input(path: Path, renews: bool = False) -> None:
    """Raise if a file that is to be written is one that this program reads.

    Args:
        path: path to be written.
        renews: whether tables may be replaced.

    Raises:
        DataError: it is read, too.
    """
    as_what = None if _inputs is None else _inputs.find(path)
    if as_what is not None and not (renews and as_what[1]):
        _refuse(path, as_what[0])


def refuse_overwriting(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Raise, before anything is written, if outputs are files that are inputs.

    Inputs are looked at only if an output is there already.

    Raises:
        DataError: an output is an input, by whatever path.
    """
    outputs = list(outputs)
    there = dict(zip(file_ids(outputs), outputs, strict=True))
    there.pop(None, None)
    if there:
        inputs = list(dict.fromkeys(inputs))
        for source, found in zip(inputs, file_ids(inputs), strict=True):
            if found in there:
                _refuse(there[found], source)


def file_id(path: Path) -> FileId | None:
    """Return device and number of a regular file; None if there is none."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def file_ids(paths: list[Path]) -> list[FileId | None]:
    """Return `file_id` of many files, waiting for the disk in parallel."""
    pieces = [paths[start : start + PIECE] for start in range(0, len(paths), PIECE)]
    if len(pieces) < 2:
        return [file_id(path) for path in paths]
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        answers = pool.map(lambda piece: [file_id(path) for path in piece], pieces)
        return [found for answer in answers for found in answer]


def _refuse(path: Path, source: Path) -> None:
    """Raise; name both paths where they differ."""
    by_name = "" if os.fspath(path) == os.fspath(source) else f", as {source}"
    raise DataError(path, f"this is read{by_name}, and would be replaced", hint=CURE)
