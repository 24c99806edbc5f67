"""Compare the length in a sound file's header with the data that is there."""

from __future__ import annotations

import io
import os
import re
import zlib

import soundfile

from asdkit.base.errors import DataError

AGAIN = "the file is cut short; copy or convert it again, or leave it out"
# Containers with a length in their header that `check_length` compares with the data.
STATE_LENGTH = frozenset(
    {"WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "FLAC", "NIST", "HTK"}
)
# What a header says is there and what libsndfile finds, from its log.  A program that
# writes to a pipe does not know the length and says nearly 2 or 4 GB.
BYTES = re.compile(
    r"^\s*(?:data|SSND|BODY|Data Size|Riff size|riff)\s*: (\d+) \(should be (\d+)\)",
    re.M,
)
TRUNCATED = re.compile(
    r"seems to be (?:a )?truncated|^Data length \d+ should be", re.I | re.M
)
# The number of samples in two headers.
NIST_COUNT = re.compile(rb"^sample_count -i (\d+)", re.M)
LOGGED_COUNT = re.compile(r"^\s*Frames\s*: (\d+)", re.M)
UNKNOWN_LENGTH = 0x7FFF0000
OGG_PAGE_BYTES = 65307  # at most
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
DAMAGED = "the file is damaged; copy or convert it again, or leave it out"


def check_length(
    source: str, stream: str | io.BytesIO, file: soundfile.SoundFile, form: str
) -> None:
    """Raise if there is less audio than the header states, which libsndfile ignores."""
    if file.frames <= 0:
        raise DataError(source, "expected audio, got no samples", hint=AGAIN)
    log = file.extra_info
    for there, found in BYTES.findall(log):
        if int(found) < int(there) < UNKNOWN_LENGTH:
            problem = f"expected {there} bytes of audio, got only {found}"
            raise DataError(source, problem, hint=AGAIN)
    if form == "NIST" and (count := NIST_COUNT.search(_read(stream, 0, 1024))):
        require_samples(source, int(count[1]), file.frames)
    elif form in ("AVR", "MPC2K") and (number := LOGGED_COUNT.search(log)):
        require_samples(source, int(number[1]), file.frames)
    elif form == "OGG":
        _require_last_page(source, _read(stream, -OGG_PAGE_BYTES, OGG_PAGE_BYTES))
    elif form not in STATE_LENGTH and TRUNCATED.search(log):
        raise DataError(source, "less audio than its header says", hint=AGAIN)


def require_samples(source: str, wanted: int, found: int) -> None:
    """Raise if there are too few samples."""
    if found < wanted:
        problem = f"expected {wanted} samples, got only {found}"
        raise DataError(source, problem, hint=AGAIN)


def require_pages(source: str, stream: str | io.BytesIO) -> None:
    """Raise if a page of an Ogg file is damaged; decoders silently skip such pages.

    Source: RFC 3533, section 6.  zlib's CRC-32 is this one with all bits reversed.
    """
    data = memoryview(_read(stream, 0, -1))
    place = 0
    while data[place : place + 4] == b"OggS":
        page = data[place : place + _page_bytes(data[place : place + OGG_PAGE_BYTES])]
        wanted = int.from_bytes(page[22:26], "little")
        content = b"".join((page[:22], bytes(4), page[26:])).translate(REVERSED)
        found = zlib.crc32(content, 0xFFFFFFFF) ^ 0xFFFFFFFF
        if f"{found:032b}"[::-1] != f"{wanted:032b}":
            problem = f"the page of Ogg at byte {place} does not match its CRC-32"
            raise DataError(source, problem, hint=DAMAGED)
        place += len(page)
    if b"OggS\0" in bytes(data[place : place + OGG_PAGE_BYTES]):
        problem = f"expected a page of Ogg at byte {place}, got something else"
        raise DataError(source, problem, hint=DAMAGED)


def _require_last_page(source: str, tail: bytes) -> None:
    """Raise if the last page of an Ogg file is incomplete."""
    page = tail[max(tail.rfind(b"OggS\0"), 0) :]
    if len(page) < _page_bytes(page):
        problem = f"its last page is cut off after {len(page)} bytes"
        raise DataError(source, problem, hint=AGAIN)


def _page_bytes(page: bytes | memoryview) -> int:
    """Tell the length of a page from its beginning.

    Source: RFC 3533, section 6: 27 bytes, of which the last tells how many bytes
    follow; these add up to the length of what comes after them.
    """
    return 27 + page[26] + sum(page[27 : 27 + page[26]]) if len(page) > 26 else 27


def _read(stream: str | io.BytesIO, start: int, count: int) -> bytes:
    """Read some bytes, all if -1; a negative start counts from the end."""
    if isinstance(stream, io.BytesIO):
        data = stream.getvalue()
        start = max(start + len(data), 0) if start < 0 else start
        return data[start:] if count < 0 else data[start : start + count]
    with open(stream, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(start + size, 0) if start < 0 else start)
        return file.read(count)
