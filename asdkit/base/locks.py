"""Lock files: one run at a time; the lock is released however the run ends.

The kernel keeps the lock (POSIX record locks), so a killed run holds nothing: the file
it leaves behind has no meaning, and the next run takes it over.  NFS servers keep such
locks for all their hosts; one whose host has crashed frees them when the lease ends or
the host is back.  Worker processes do not inherit them.

Byte k of the file belongs to rank k.  A run takes the whole file first, so it waits for
the last rank of the one before, and then leaves the others' bytes to its other ranks.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import time
from pathlib import Path
from typing import Any

from asdkit.base.errors import AsdkitError
from asdkit.base.provenance import command_line

logger = logging.getLogger(__name__)
HELD = {errno.EACCES, errno.EAGAIN}
# What file systems without locks answer, e.g. Lustre without -o flock.
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
NUM_TRIES = 100  # the file may go just when it is opened, but not always


class LockedError(AsdkitError):
    """Report that another run holds a lock, and which."""


class Lock:
    """A lock file, in a directory that is made if need be.

    Args:
        path: the file; it exists as long as the lock is held.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1
        self._made: list[Path] = []  # directories, the innermost first

    def take(self) -> None:
        """Take the whole lock, as the first rank of a run.

        Raises:
            LockedError: another run holds it.
            OSError: the file cannot be made or written.
        """
        try:
            for _ in range(NUM_TRIES):
                if self._make_parents() and self._open(os.O_CREAT) and self._lock():
                    break
                self._close()
            else:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(self.path))
            self._made = self._made or self._made_before()
            self._describe()
            with contextlib.suppress(OSError):  # no locks here
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 0, 1)
        except BaseException:
            self.release()
            raise

    def join(self, rank: int) -> None:
        """Take this rank's byte of a lock that another rank of the run holds."""
        if self._open():
            self._made = self._made_before()
            with contextlib.suppress(OSError):  # no locks here
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, rank)

    def release(self) -> None:
        """Release; the last rank removes the file and empty directories made for it.

        Does nothing if it is not held.
        """
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                if self._is_last() and self._is_there():
                    self.path.unlink()
            self._close()
        for directory in self._made:
            with contextlib.suppress(OSError):  # not empty, or no longer there
                directory.rmdir()
        self._made = []

    def _is_last(self) -> bool:
        """Release this rank's byte, and tell whether no other rank holds one."""
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno in NO_LOCKS
        return True

    def _made_before(self) -> list[Path]:
        """List the directories that were made for it, as the file says."""
        made = _read(self._descriptor).get("made", [])
        return [parent for parent in self.path.parents if str(parent) in made]

    def _make_parents(self) -> bool:
        """Make directories and note them; False if one above them is just removed."""
        with contextlib.suppress(FileNotFoundError):
            for parent in reversed(self.path.parents):
                with contextlib.suppress(FileExistsError):
                    if not parent.exists():
                        parent.mkdir()
                        self._made.insert(0, parent)
            return True
        return False

    def _open(self, flags: int = 0) -> bool:
        """Open the file; False if it is not there, or its directory is just removed."""
        try:
            # A link would have another file overwritten.
            flags |= os.O_RDWR | os.O_NOFOLLOW
            self._descriptor = os.open(self.path, flags, 0o666)
        except FileNotFoundError:
            return False
        return True

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _lock(self) -> bool:
        """Lock the open file; False if it was removed before that.

        Raises:
            LockedError: another run holds it.
        """
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in HELD | NO_LOCKS:
                raise
            holder = _read(self._descriptor)
            if error.errno in HELD or _is_alive(holder):
                self._close()
                raise _refusal(holder) from None
            logger.warning(
                "locks: %s: this file system has no locks, so that "
                "writes by another host at the same time go unnoticed",
                self.path.parent,
            )
        return self._is_there()

    def _is_there(self) -> bool:
        """Tell whether the open file is still the one of that name."""
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(self._descriptor), self.path.stat())
        return False

    def _describe(self) -> None:
        """Write who holds it; that is for people, so a file too large is no error."""
        holder = {
            "pid": os.getpid(),
            "host": os.uname().nodename,
            "since": time.strftime("%Y-%m-%d %H:%M:%S"),
            "made": [str(directory) for directory in self._made],
            "command": command_line(),
        }
        os.truncate(self._descriptor, 0)
        try:
            os.pwrite(self._descriptor, f"{json.dumps(holder)}\n".encode(), 0)
        except OSError as error:
            if error.errno != errno.EFBIG:
                raise


def _read(descriptor: int) -> dict[str, Any]:
    """Read who holds a lock; empty if it does not say."""
    with contextlib.suppress(ValueError):
        holder = json.loads(os.pread(descriptor, 1 << 20, 0))
        if isinstance(holder, dict):
            return holder
    return {}


def _is_alive(holder: dict[str, Any]) -> bool:
    """Tell whether a process on this host seems to hold an untestable lock."""
    pid = holder.get("pid")
    if holder.get("host") != os.uname().nodename or not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return pid not in (0, os.getpid())


def _refusal(holder: dict[str, Any]) -> LockedError:
    """Say who holds it."""
    problem = "another run is writing there"
    try:
        who = "process {pid} on {host}, since {since}: {command}".format(**holder)
    except KeyError:  # it has only just begun
        return LockedError(problem)
    hint = "wait for it, or end it: kill {pid}".format(**holder)
    return LockedError(f"{problem}: {who}", hint=hint)
