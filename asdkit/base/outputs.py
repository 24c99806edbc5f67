"""Program outputs: checked before the work begins, one writer each.

A program marks what it writes by the type of the argument,
``parser.add_argument("net_dir", type=OutputDir, ...)``; the command does the rest.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from asdkit.base.distributed import agree, is_main, rank
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.locks import Lock, LockedError

LOCK = "asdkit.lock"
_held: set[Path] = set()  # by this process


class Output(str):
    """A file or directory that a program writes."""

    @property
    def lock(self) -> Path:
        """The lock file beside it; the same however its path is spelled."""
        folder, name = os.path.split(os.path.realpath(self))
        return Path(folder, f".{name}.{LOCK}")

    def check(self) -> None:
        """Check whether it can be written, without changing anything.

        Raises:
            DataError: it or something above it is a file, or the disk is full.
        """
        folder = self.lock.parent
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            problem = f"expected a directory to write into, but {folder} is a file"
            raise DataError(
                self, problem, hint="choose another output, or move this one"
            )
        disk = os.statvfs(folder)
        free = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
        if (disk.f_blocks and not free) or (disk.f_files and not disk.f_ffree):
            what = "files" if free else "bytes"
            problem = f"the disk of {folder} is full: 0 {what} are free"
            raise DataError(
                self, problem, hint="free some space, or choose another disk"
            )


class OutputFile(Output):
    """A file that a program writes."""

    def check(self) -> None:
        """Check as `Output.check` does; no directory may have its name."""
        if os.path.isdir(self):
            raise DataError(self, "expected a file to write, but it is a directory")
        super().check()


class OutputDir(Output):
    """A directory that a program writes into."""

    @property
    def lock(self) -> Path:
        """The lock file, in the directory."""
        return Path(os.path.realpath(self), f".{LOCK}")


def outputs_of(args: argparse.Namespace) -> list[Output]:
    """List the outputs among a program's arguments."""
    return [value for value in vars(args).values() if isinstance(value, Output)]


@contextlib.contextmanager
def hold(*outputs: Output) -> Iterator[None]:
    """Lock outputs against other runs, for all ranks together.

    Directories are made for that, and removed in the end if they are empty.  What this
    process holds already, it goes on holding until the outer block ends.

    Args:
        outputs: any number of outputs, the same on all ranks.

    Raises:
        AsdkitError: one cannot be written, or another run writes there; of several
            ranks, the first one says so.
        SystemExit: that happened, on the other ranks.
    """
    outputs = tuple(output for output in outputs if output.lock not in _held)
    locks: dict[Path, Lock] = {}
    try:
        refusal = None
        if is_main():
            try:
                _take(outputs, locks)
            except AsdkitError as error:
                refusal = error
        is_taken = not outputs or agree(refusal is None)
        if refusal is not None:
            raise refusal
        if not is_taken:
            raise SystemExit(1)
        if not is_main():
            for output in outputs:
                lock = locks.setdefault(output.lock, Lock(output.lock))
                lock.join(rank())
        _held.update(locks)
        yield
    finally:
        _held.difference_update(locks)
        for lock in reversed(locks.values()):
            lock.release()


def _take(outputs: tuple[Output, ...], locks: dict[Path, Lock]) -> None:
    """Take the locks of outputs, each once."""
    for output in outputs:
        output.check()
    for output in outputs:
        path = output.lock
        if path in locks:
            continue
        lock = Lock(path)
        try:
            lock.take()
        except LockedError as error:
            raise DataError(output, str(error), hint=error.hint) from None
        except OSError as error:
            hint = f"asdkit keeps {path} there while it writes"
            problem = f"cannot write there: {error.strerror}"
            raise DataError(output, problem, hint=hint) from None
        locks[path] = lock
