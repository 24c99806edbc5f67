"""Names of temporary files, and removal of those whose writer is dead.

A killed program or a crashed machine leaves its temporary files behind.  Nothing reads
them, but they fill the disk.  The next program that writes into the same directory
removes those of dead processes on the same host; files of other hosts stay.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import logging
import os
import re
import shutil
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path

from asdkit.base.names import LONGEST

logger = logging.getLogger(__name__)
HOST = f"{zlib.crc32(socket.gethostname().encode()):08x}"
TEMPORARY = re.compile(r"\.(?:.+\.)?(?P<host>[0-9a-f]{8})\.(?P<pid>\d+)\.tmp", re.S)


def temporary_name(path: Path) -> Path:
    """Name the temporary file that this process will rename to ``path``.

    It may be as long as a disk takes it, so the name is cut where that is too long.
    """
    ending = f".{HOST}.{os.getpid()}.tmp"
    name = os.fsencode(path.name)[: LONGEST - len(ending) - 1]
    return path.with_name(f".{name.decode(errors='ignore')}{ending}")


def hold(descriptor: int) -> None:
    """Lock an open temporary file for as long as its writer lives.

    Containers share disks but not process numbers, so the number alone is not enough.
    On file systems without locks it has to be.
    """
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@functools.cache
def remove_dead(directory: Path) -> None:
    """Remove leftovers of dead processes in a directory, once per process."""
    removed = []
    for path in _find(directory):
        with contextlib.suppress(OSError):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
            removed.append(path.name)
    if removed:
        logger.info(
            "files: %s: removed %d temporary files of killed programs, e.g. %s",
            directory,
            len(removed),
            min(removed),
        )


def _find(directory: Path) -> Iterator[Path]:
    """Find the temporary files whose writers are dead."""
    with contextlib.suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            name = TEMPORARY.fullmatch(entry.name)
            if name and name["host"] == HOST and _is_dead(entry.path, int(name["pid"])):
                yield Path(entry.path)


def _is_dead(path: str, pid: int) -> bool:
    """Tell whether no process has this number or holds the lock on the file."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        pass
    except PermissionError:
        return False
    else:
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks here
        return True
    finally:
        os.close(descriptor)
    return True
