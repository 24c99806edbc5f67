"""Atomic file writes: a file is either complete or absent."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from asdkit.base.inputs import refuse_input
from asdkit.io.leftovers import hold, remove_dead, temporary_name

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def write_atomic(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears under its name only when complete.

    The directory is made if need be.  On any error, or Ctrl-C, the temporary
    file is removed, and so are directories made for it that are empty; what stood
    under the name stays.  What killed programs left in the directory is removed, too.

    Args:
        path: the final name.
        mode: "w" or "wb".

    Raises:
        DataError: this program reads that file.
        OSError: the disk is full, the directory cannot be written, or the name is a
            directory's; it names the file, not the temporary one.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    refuse_input(path)
    made = [parent for parent in path.parents if not parent.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    try:
        remove_dead(path.parent)
        encoding = None if "b" in mode else "utf-8"
        with temporary.open(mode, encoding=encoding) as stream:
            hold(stream.fileno())
            yield stream
        refuse_input(path)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something else may be in them by now
            for parent in made:
                parent.rmdir()
        cause = error.__context__
        if isinstance(error, RuntimeError) and isinstance(cause, OSError):
            # torch.save hides that the disk is full behind a failure of its own.
            raise OSError(cause.errno, cause.strerror, str(path)) from None
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise


def keep_what_fits(
    stamp: str | os.PathLike[str],
    depends_on: Mapping[str, Any],
    paths: Iterable[str | os.PathLike[str]],
) -> None:
    """Remove files that an earlier run made from other inputs or options.

    What is left may be kept: it is what this run would make again.

    Args:
        stamp: file that records the inputs; it is rewritten.
        depends_on: all inputs, as JSON values.
        paths: files, present or not.
    """
    written, text = Path(stamp), json.dumps(depends_on)
    files = [Path(path) for path in paths]
    if written.exists() and written.read_text(errors="replace") == text:
        there = sum(path.exists() for path in files)
        logger.info("%s: %d of %d files are there", stamp, there, len(files))
        return
    written.unlink(missing_ok=True)
    for path in files:
        refuse_input(path)
        path.unlink(missing_ok=True)
    with write_atomic(written) as stream:
        stream.write(text)
