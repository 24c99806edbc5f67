"""Files that are either complete or not there."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from asdkit.base.inputs import refuse_input
from asdkit.base.names import LONGEST

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def write_atomic(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears under its name only when it is complete.

    The directory is made if need be.  On any error, or Ctrl-C, the temporary
    file is removed, and so are directories made for it that are empty; what stood
    under the name stays.

    Args:
        path: the final name.
        mode: "w" or "wb".

    Raises:
        DataError: this program reads that file.
        OSError: the disk is full, or the directory cannot be written; it names the
            file, which the operating system does not when a write fails.
    """
    path = Path(path)
    refuse_input(path)
    made = [parent for parent in path.parents if not parent.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        encoding = None if "b" in mode else "utf-8"
        with temporary.open(mode, encoding=encoding) as stream:
            yield stream
        refuse_input(path)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something else may be in them by now
            for parent in made:
                parent.rmdir()
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise


def keep_what_fits(
    stamp: str | os.PathLike[str],
    depends_on: Mapping[str, Any],
    paths: Iterable[str | os.PathLike[str]],
) -> None:
    """Remove files that an earlier run made of something else than this one would.

    What is left may be kept: it is what this run would make again.

    Args:
        stamp: the file that says what they were made of; it is written again.
        depends_on: all that they depend on, as JSON can hold it.
        paths: the files, which may be there or not.
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


def _temporary(path: Path) -> Path:
    """Name the file until it is complete; a name may be as long as a disk takes it."""
    ending = f".{os.getpid()}.tmp"
    name = os.fsencode(path.name)[: LONGEST - len(ending) - 1]
    return path.with_name(f".{name.decode(errors='ignore')}{ending}")
