"""Atomic updates of directories: all changes at once, or none."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from asdkit.base.inputs import refuse_input
from asdkit.io.leftovers import HOST, hold, remove_dead
from asdkit.io.tables import PathName


@contextlib.contextmanager
def stage(directory: PathName, replaces: Iterable[str] = ()) -> Iterator[Path]:
    """Give an empty directory whose files move into ``directory`` at the end.

    On any error, or Ctrl-C, nothing has moved and ``directory`` is as it was.  Tables
    that the program has read may be renewed so, as a directory is as a whole.

    Args:
        directory: directory for the files, made if needed.
        replaces: names to remove unless they are written again.

    Raises:
        DataError: this program reads a file that would be replaced, and no table.
    """
    directory = Path(directory)
    is_new = not directory.exists()
    staged = directory / f".{HOST}.{os.getpid()}.tmp"
    shutil.rmtree(staged, ignore_errors=True)  # of a killed process of this number
    staged.mkdir(parents=True)
    remove_dead(directory)
    descriptor = os.open(staged, os.O_RDONLY)
    try:
        hold(descriptor)
        yield staged
        written = sorted(path.name for path in staged.iterdir())
        for name in sorted({*written, *replaces}):
            refuse_input(directory / name, renews=True)
        for name in written:
            (staged / name).replace(directory / name)
        for name in set(replaces) - set(written):
            (directory / name).unlink(missing_ok=True)
        staged.rmdir()
    except BaseException as error:
        shutil.rmtree(directory if is_new else staged, ignore_errors=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(directory)
        raise
    finally:
        os.close(descriptor)
