r"""Check the key before a value of an archive when a table points at the value.

A table has ``<key> <archive>:<offset>``, and just before the offset the archive repeats
``<key> ``.  Comparing them costs nothing, as the key is read with the value.  A table
whose ids were given a prefix or a suffix, as Kaldi's copy_data_dir.sh and asdkit's
data-copy do, points at values with shorter keys.
"""

from __future__ import annotations

import gzip
import io
import re
import struct

from asdkit.base.errors import DataError
from asdkit.io.tables import PathName

WINDOWS = (1 << 16, 1 << 20, 1 << 24)  # bytes in which the value before is looked for
# How a binary value begins: dimensions of what there is of it follow.
HEADER = re.compile(
    rb"\0B(?:(?P<real>[FD])"
    rb"(?:M \x04(?P<rows>.{4})\x04(?P<cols>.{4})|V \x04(?P<dim>.{4}))"
    rb"|(?P<packed>CM[23]?) .{8}(?P<shape>.{8})|\x04(?P<count>.{4}))",
    re.DOTALL,
)
KEY = re.compile(rb"\n?([^\0-\x20]{1,1000}) ")
# Compressed: bytes for every column, and for every number.
PACKED = {b"CM": (8, 1), b"CM2": (0, 2), b"CM3": (0, 1)}
# Archive -> prefix and suffix of the last key that was renamed.
_affixes: dict[PathName, tuple[str, str]] = {}
CURE = "the table is not of this archive; if ids were renamed, copy-feats it under them"


def seek_value(
    path: PathName, stream: io.BufferedReader, key: str, offset: int
) -> None:
    """Seek a value, if it belongs to the given key.

    Args:
        path: the archive, for messages.
        stream: of the archive.
        key: the id that a table has.
        offset: offset of the value in the table; 0 is a file without keys.

    Raises:
        DataError: there is another key.
    """
    expected = key.encode(errors="surrogateescape") + b" "
    start = max(0, offset - len(expected))
    stream.seek(start)
    before = b"" if offset == 0 else stream.read(offset - start)
    if offset == 0 or before == expected or _is_renamed_as_last(path, key, before):
        return
    found = None
    if not isinstance(stream.raw, gzip.GzipFile):  # which cannot go back
        found = _find_key(stream, offset)
    if found is not None and not _is_renamed(path, key, found):
        raise DataError(
            path, f"at byte {offset}, expected {key!r}, got {found!r}", hint=CURE
        )
    stream.seek(offset)


def _is_renamed_as_last(path: PathName, key: str, before: bytes) -> bool:
    """Tell so without looking for the key in the archive, if the table is all alike."""
    prefix, suffix = _affixes.get(path, ("", ""))
    if not (prefix or suffix) or not key.startswith(prefix) or not key.endswith(suffix):
        return False
    old = key[len(prefix) : len(key) - len(suffix)]
    return bool(old) and before.endswith(f"{old} ".encode(errors="surrogateescape"))


def _is_renamed(path: PathName, key: str, found: str) -> bool:
    """Tell whether a key is another with a prefix, a suffix or both; remember these."""
    place = len(key) - len(found)
    if not key.endswith(found):
        match = re.search(re.escape(found) + r"(?![^\W_])", key)
        if match is None:
            return False
        place = match.start()
    _affixes[path] = key[:place], key[place + len(found) :]
    return True


def _find_key(stream: io.BufferedReader, offset: int) -> str | None:
    """Find the key before a value; None if that cannot be told."""
    for size in WINDOWS:
        start = max(0, offset - size)
        stream.seek(start)
        window = stream.read(offset - start)
        ends = [x.end() + _size_of(x) for x in HEADER.finditer(window)]
        if b"\0" not in window:  # text
            ends.append(window.rfind(b"\n") + 1)
        if start == 0:
            ends.append(0)
        for end in ends:
            if 0 <= end < len(window) and (key := KEY.fullmatch(window, end)):
                return key[1].decode(errors="surrogateescape")
    return None


def _size_of(header: re.Match[bytes]) -> int:
    """Return how many bytes follow a header."""
    if header["packed"]:
        rows, cols = struct.unpack("<ii", header["shape"])
        per_column, per_number = PACKED[header["packed"]]
        return int(cols * (per_column + rows * per_number))
    if header["count"]:
        return 5 * int(struct.unpack("<i", header["count"])[0])
    parts = [x for x in (header["rows"], header["cols"], header["dim"]) if x]
    size = 4 if header["real"] == b"F" else 8
    for part in parts:
        size *= struct.unpack("<i", part)[0]
    return size
