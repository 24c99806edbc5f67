"""Files from the network, resumed where a connection was cut.

A file is fetched into ``<name>.part`` beside it, checked, and only then gets its name:
one that is there is complete.  Killed or cut, the next call goes on from the part; or
from the start, where a server ignores the requested range, or has another file by now.

Not lhotse's `resumable_download`: if a server ignores the range, it appends the whole
file to the part, and it writes under the final name and compares nothing.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import logging
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from asdkit.base.errors import DataError
from asdkit.base.provenance import version
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)
BLOCK = 1 << 20  # bytes to read at a time
TIMEOUT = 60.0  # seconds without a byte
WAIT = 5.0  # seconds before another attempt
ATTEMPTS = 5  # in a row without a new byte
RECORD = "downloads.json"  # what was fetched, and its checksums
MD5 = "md5"
CUT = (OSError, http.client.HTTPException)  # a connection that ends or never begins


class RemoteFile(NamedTuple):
    """A file to fetch.

    Attributes:
        url: where it is.
        name: file name to give it.
        size: in bytes; None if unknown.
        md5: its checksum, hexadecimal; None if no source states one.
    """

    url: str
    name: str
    size: int | None = None
    md5: str | None = None


def download(
    wanted: RemoteFile, folder: PathName, wait: Callable[[float], Any] = time.sleep
) -> Path:
    """Fetch a file unless it is there, and compare its checksum.

    A file without a known checksum is recorded with the one that it has, as unverified,
    in `RECORD`; another download of it has to agree.

    Args:
        wanted: the file.
        folder: directory to write into.
        wait: pauses between attempts, in seconds.

    Returns:
        its path.

    Raises:
        DataError: the server has no such file, the connection is cut again and again,
            or the checksum is another.
    """
    path = Path(folder) / wanted.name
    if path.is_file():
        logger.info("download: %s is there", path)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _fetch(wanted, part, before)
            break
        except urllib.error.HTTPError as error:
            if error.code == 416 and before:  # there is nothing behind the part
                if error.headers.get("Content-Range") == f"bytes */{before}":
                    break
                part.unlink()  # it is longer than the file
                continue
            raise DataError(
                wanted.url,
                f"the server says {error.code} {error.reason}",
                hint="has it moved? fetch it by hand into " + str(folder),
            ) from None
        except CUT as error:
            now = part.stat().st_size if part.exists() else 0
            failures = 1 if now > before else failures + 1
            if failures >= ATTEMPTS:
                problem = f"cannot fetch it, {failures} attempts failed: {error}"
                hint = f"run the command again: it goes on from {now:,} bytes"
                raise DataError(wanted.url, problem, hint=hint) from None
            logger.warning("download: %s: cut at %d bytes: %s", path, now, error)
            wait(WAIT)
    _verify(wanted, part)
    part.replace(path)
    _tag_of(part).unlink(missing_ok=True)
    return path


def _tag_of(part: Path) -> Path:
    """Name the file that says which version of a remote file a part is of."""
    return part.with_name(f"{part.name}.tag")


def _fetch(wanted: RemoteFile, part: Path, start: int) -> None:
    """Append what a server has from a byte on.

    Raises:
        urllib.error.HTTPError: it refuses.
        OSError, http.client.HTTPException: the connection is cut.
    """
    request = urllib.request.Request(  # noqa: S310 - the table has https only
        wanted.url, headers={"User-Agent": f"asdkit/{version()}"}
    )
    tag = _tag_of(part)
    if start and tag.exists():
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", tag.read_text(encoding="utf-8"))
    elif start and wanted.md5:  # what it is joined to is compared in the end
        request.add_header("Range", f"bytes={start}-")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
        resumes = answer.status == 206
        if start and not resumes:
            logger.warning("download: %s: cannot be resumed: from the start", part)
        done = start if resumes else 0
        length = answer.headers.get("Content-Length")
        expected = int(length) + done if length else None
        _require_space(part, (expected or wanted.size or 0) - done)
        logger.info("download: %s: %d of %s bytes", part, done, expected or "?")
        now = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        if not resumes:
            tag.unlink(missing_ok=True)
            if now and not now.startswith("W/"):  # a weak tag may be of another file
                tag.write_text(now, encoding="utf-8")
        with open(part, "ab" if resumes else "wb") as stream:
            while block := answer.read(BLOCK):
                stream.write(block)
                done += len(block)
        if expected is not None and done < expected:
            raise http.client.IncompleteRead(b"", expected - done)


def _require_space(path: Path, num_bytes: int) -> None:
    """Raise if a disk has no room for so many bytes."""
    free = shutil.disk_usage(path.parent).free
    if num_bytes > free:
        problem = f"it needs {num_bytes:,} bytes, the disk has {free:,} free"
        raise DataError(path, problem, hint="choose a directory on another disk")


def _verify(wanted: RemoteFile, part: Path) -> None:
    """Compare a complete part with what is known of it; remove it if it differs."""
    size, found = part.stat().st_size, digest_of(part)
    record = part.parent / RECORD
    known = json.loads(record.read_text()) if record.exists() else {}
    before = known.get(wanted.name, {})
    expected = wanted.md5 or before.get(MD5)
    if (wanted.size not in (None, size)) or (expected not in (None, found)):
        part.unlink()
        source = "as published" if wanted.md5 else f"as recorded in {RECORD}"
        problem = f"expected MD5 {expected} {source}, got {found} of {size:,} bytes"
        if expected in (None, found):
            problem = f"expected {wanted.size:,} bytes, got {size:,}"
        hint = "it was damaged on the way, or replaced; fetch it again"
        raise DataError(wanted.url, problem, hint=hint)
    if wanted.md5 is None and not before:
        logger.warning(
            "download: %s: no source states its checksum: recorded %s, unverified",
            *(wanted.name, found),
        )
    known[wanted.name] = {
        "url": wanted.url,
        "size": size,
        MD5: found,
        "verified": wanted.md5 is not None,
    }
    with write_atomic(record) as stream:
        stream.write(json.dumps(known, indent=2, sort_keys=True) + "\n")


def digest_of(path: PathName) -> str:
    """Return the MD5 of a file, hexadecimal."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
