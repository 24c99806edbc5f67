"""Files as streams of bytes, through gzip or not."""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from asdkit.base.errors import DataError
from asdkit.io.paths import relative_hint
from asdkit.io.tables import PathName

CURE = "the file is damaged, cut short, or not what its name says"


def look_ahead(stream: io.BufferedReader, size: int) -> bytes:
    """Return the next bytes and stay where they begin.

    ``stream.peek`` alone will not do: it never returns more than what is left in the
    buffer, which is a single byte where a value starts at the buffer's last one.

    Args:
        stream: a file, through gzip or not.
        size: how many bytes; there are fewer only at the end.
    """
    ahead = stream.peek(size)[:size]
    if len(ahead) < size:
        ahead = stream.read(size)
        if ahead:  # what is empty may be a pipe, which cannot go back
            stream.seek(-len(ahead), io.SEEK_CUR)
    return ahead


@contextlib.contextmanager
def open_bytes(path: PathName) -> Iterator[io.BufferedReader]:
    """Open a file for reading, through gzip if that is what is in it.

    Raises:
        DataError: the file is missing or unreadable, or damaged where it is read.
    """
    try:
        with Path(path).open("rb") as plain:
            if look_ahead(plain, 2) != b"\x1f\x8b":
                yield plain
                return
            with gzip.GzipFile(fileobj=plain) as unzipped:
                yield io.BufferedReader(cast(Any, unzipped), 1 << 20)
    except FileNotFoundError:
        raise DataError(path, "no such file", hint=relative_hint(path)) from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(path, f"cannot decompress it: {error}", hint=CURE) from None
    except OSError as error:
        raise DataError(path, f"cannot read it: {error.strerror or error}") from None
