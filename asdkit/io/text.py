"""Recognize files that are not UTF-8 text, start with a mark, or are cut short."""

from __future__ import annotations

import logging
from os import PathLike

from asdkit.base.errors import DataError

logger = logging.getLogger(__name__)
BOM = b"\xef\xbb\xbf"  # what Windows programs put before UTF-8
HEAD = 1024  # bytes that tell
DECODE = "iconv -f utf-16 -t utf-8 {} > NEW converts it"
# First bytes -> what they begin, and what makes text of it.
BEGINNINGS = {
    b"\x1f\x8b": ("gzip data", "gunzip unpacks it"),
    b"\xff\xfe": ("UTF-16 text", DECODE),
    b"\xfe\xff": ("UTF-16 text", DECODE),
    b"PK\x03\x04": ("a zip archive", "unzip unpacks it"),
    b"BZh": ("bzip2 data", "bunzip2 unpacks it"),
    b"\xfd7zXZ": ("xz data", "unxz unpacks it"),
    b"\x28\xb5\x2f\xfd": ("zstd data", "unzstd unpacks it"),
}


def require_text(path: str | PathLike[str], head: bytes) -> None:
    """Raise if a file is clearly not text.

    Args:
        path: the file, for messages.
        head: its first bytes; a thousand are enough.

    Raises:
        DataError: it is compressed, UTF-16 or binary.
    """
    for beginning, (what, cure) in BEGINNINGS.items():
        if head.startswith(beginning):
            raise DataError(
                path, f"expected UTF-8 text, got {what}", hint=cure.format(path)
            )
    if head[1:HEAD:2].count(0) > len(head[:HEAD]) // 4:
        problem = "expected UTF-8 text, got UTF-16 text"
        raise DataError(path, problem, hint=DECODE.format(path))
    if b"\0" in head[:HEAD]:
        raise DataError(path, "expected UTF-8 text, got binary data")


def warn_of_cut(path: str | PathLike[str]) -> None:
    """Warn about a file whose last line has no newline, as it may be cut short.

    Half a score is a score, and half an id may be another id.
    """
    logger.warning(
        "text: %s: its last line does not end with a newline: was it cut short?", path
    )
