"""Damage to files, such as can be told: by a checksum, by structure, or from beside.

A flipped bit in a sample of a WAV file, in a number of an archive or of a Kaldi model,
or in the digit of a score gives another file that is as good as the first, and nobody
can know.  So these kinds are damaged in their headers and their structure only, and cut
short; text loses words, gains them, or is written as tables are not.  Formats with
checksums (FLAC, gzip, .npz, .pt) are damaged anywhere.

A mutation takes the content and random numbers, and gives other content, or None if it
does not apply.
"""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes | None]


def flip(content: bytes, rng: random.Random) -> bytes | None:
    """Flip one bit."""
    return _flip_at(content, rng.randrange(len(content)), rng) if content else None


def _flip_at(content: bytes, place: int, rng: random.Random) -> bytes:
    changed = content[place] ^ (1 << rng.randrange(8))
    return content[:place] + bytes([changed]) + content[place + 1 :]


def truncate(content: bytes, rng: random.Random) -> bytes | None:
    """Lose the end: a copy that was interrupted, a disk that was full."""
    return content[: rng.randrange(1, len(content))] if len(content) > 1 else None


def empty(content: bytes, rng: random.Random) -> bytes | None:
    """Lose everything."""
    return b""


def zeros(content: bytes, rng: random.Random) -> bytes | None:
    """Lose a block to zeros, as file systems do that are not unmounted."""
    start = rng.randrange(len(content))
    size = min(512, len(content) - start)
    changed = content[:start] + b"\0" * size + content[start + size :]
    return None if changed == content else changed


def garbage(content: bytes, rng: random.Random) -> bytes | None:
    """Have 64 random bytes written somewhere."""
    start = rng.randrange(len(content))
    size = min(64, len(content) - start)
    return content[:start] + rng.randbytes(size) + content[start + size :]


def append(content: bytes, rng: random.Random) -> bytes | None:
    """Gain something behind the end."""
    return content + rng.randbytes(100)


def other(content: bytes, rng: random.Random) -> bytes | None:
    """Be a file of another kind."""
    kinds = [
        b"\x89PNG\r\n\x1a\n" + rng.randbytes(500),
        b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        b"PK\x05\x06" + b"\0" * 18,
        rng.randbytes(2000),
        b"no such thing\n" * 50,
    ]
    return rng.choice(kinds)


def flip_head(content: bytes, rng: random.Random) -> bytes | None:
    """Flip one bit of a WAV file's header."""
    place = rng.choice([*range(24), *range(32, 44)])  # the byte rate says nothing new
    return _flip_at(content, place, rng) if len(content) > 44 else None


def zero_head(content: bytes, rng: random.Random) -> bytes | None:
    """Lose the beginning to zeros."""
    return b"\0" * 512 + content[512:] if len(content) > 1024 else None


def flip_structure(content: bytes, rng: random.Random) -> bytes | None:
    """Flip a bit in what stands between the numbers of a binary Kaldi file.

    These are tokens, types of matrices, and counts with their sizes in bytes.
    """
    pattern = rb"\A\0B|<[A-Z][A-Za-z_]+> |(?:\0B)?[FD][MVP] (?:\x04.{4}){1,2}"
    places = [x for m in re.finditer(pattern, content, re.S) for x in range(*m.span())]
    return _flip_at(content, rng.choice(places), rng) if places else None


def _lines(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


def _change_line(
    content: bytes, rng: random.Random, change: Callable[[bytes], bytes | None]
) -> bytes | None:
    """Change one line, given and wanted without its end."""
    lines = _lines(content)
    if not lines:
        return None
    number = rng.randrange(len(lines))
    changed = change(lines[number].rstrip(b"\n"))
    if changed is None:
        return None
    return b"".join([*lines[:number], changed + b"\n", *lines[number + 1 :]])


def drop_word(content: bytes, rng: random.Random) -> bytes | None:
    """Lose the last word of a line."""
    return _change_line(content, rng, lambda x: x.rpartition(b" ")[0] or None)


def add_word(content: bytes, rng: random.Random) -> bytes | None:
    """Gain a word at the end of a line."""
    return _change_line(content, rng, lambda x: x + b" word")


def repeat_line(content: bytes, rng: random.Random) -> bytes | None:
    """Say something twice."""
    return _change_line(content, rng, lambda x: x + b"\n" + x)


def nul(content: bytes, rng: random.Random) -> bytes | None:
    """Have a NUL in a line."""
    return _insert(content, rng, b"\0")


def escape(content: bytes, rng: random.Random) -> bytes | None:
    """Have what a terminal obeys in a line."""
    return _insert(content, rng, b"\x1b[31m")


def latin1(content: bytes, rng: random.Random) -> bytes | None:
    """Have a letter that is not UTF-8 in a line."""
    return _insert(content, rng, b"\xe9")


def traversal(content: bytes, rng: random.Random) -> bytes | None:
    """Have an id that leads out of a directory."""
    return _change_line(
        content, rng, lambda x: b"../../../../x" + x[len(x.split(b" ")[0]) :]
    )


def long_word(content: bytes, rng: random.Random) -> bytes | None:
    """Have a word of a million letters."""
    return _change_line(
        content, rng, lambda x: b"x" * 1_000_000 + x[len(x.split(b" ")[0]) :]
    )


def _insert(content: bytes, rng: random.Random, what: bytes) -> bytes | None:
    def change(line: bytes) -> bytes:
        place = rng.randrange(1, len(line)) if len(line) > 1 else 0
        return line[:place] + what + line[place:]

    return _change_line(content, rng, change)


def cut_line(content: bytes, rng: random.Random) -> bytes | None:
    """Lose the end, amidst the last word of a line."""
    lines = _lines(content)
    number = rng.randrange(len(lines)) if lines else 0
    if not lines or len(lines[number]) < 4:
        return None
    return b"".join([*lines[:number], lines[number][:-2]])


def no_newline(content: bytes, rng: random.Random) -> bytes | None:
    """End without a newline, as some editors write files."""
    return content[:-1] if content.endswith(b"\n") else None


def blank_line(content: bytes, rng: random.Random) -> bytes | None:
    """Have a blank line."""
    return _change_line(content, rng, lambda x: x + b"\n")


def crlf(content: bytes, rng: random.Random) -> bytes | None:
    """End lines as Windows does."""
    return content.replace(b"\n", b"\r\n")


def tabs(content: bytes, rng: random.Random) -> bytes | None:
    """Separate words by tabs."""
    return content.replace(b" ", b"\t")


def byte_order_mark(content: bytes, rng: random.Random) -> bytes | None:
    """Begin with a byte-order mark."""
    return b"\xef\xbb\xbf" + content


def utf16(content: bytes, rng: random.Random) -> bytes | None:
    """Be written as UTF-16, as Windows' PowerShell does."""
    return content.decode("utf-8", "replace").encode("utf-16")


def gzipped(content: bytes, rng: random.Random) -> bytes | None:
    """Be compressed under the name of what is not."""
    return gzip.compress(content, mtime=0)


def odd_number(content: bytes, rng: random.Random) -> bytes | None:
    """Have a number that is none, or that languages read each in their way."""
    odd = "nan inf -inf 1e999 1_0 0x10 1,5 --1 1.5.2 + 1e 1d3 NaN(1) None"
    arabic = "\N{ARABIC-INDIC DIGIT ONE}\N{ARABIC-INDIC DIGIT TWO}"
    word = rng.choice([*odd.split(), arabic]).encode()
    return _change_line(content, rng, lambda x: x.rpartition(b" ")[0] + b" " + word)


# Another id is another id, and a pair that comes twice has two scores.
OPEN = {"escape", "traversal", "long_word", "repeat_line"}


def wrong_number(content: bytes, rng: random.Random) -> bytes | None:
    """Have a number that is a hundred times as large."""
    return _change_line(content, rng, _hundredfold)


def _hundredfold(line: bytes) -> bytes | None:
    key, _, number = line.rpartition(b" ")
    return f"{key.decode()} {float(number) * 100:g}".encode() if key else None


def _in_gzip(mutation: Mutation) -> Mutation:
    """Damage what is compressed."""

    def mutate(content: bytes, rng: random.Random) -> bytes | None:
        changed = mutation(gzip.decompress(content), rng)
        return None if changed is None else gzip.compress(changed, mtime=0)

    mutate.__name__ = f"{mutation.__name__}_inside"
    return mutate


ANYWHERE: list[Mutation] = [flip, truncate, empty, zeros, garbage, append, other]
ENCODING: list[Mutation] = [byte_order_mark, utf16, gzipped, crlf, latin1, nul, other]
LINES: list[Mutation] = [drop_word, cut_line, no_newline, blank_line, empty, escape]
TEXT: list[Mutation] = [*ENCODING, *LINES, tabs, repeat_line, traversal, long_word]
MUTATIONS: dict[str, list[Mutation]] = {
    "flac": [flip, flip, truncate, empty, zeros, garbage, append, other],
    "wav": [flip_head, flip_head, truncate, empty, zero_head, append, other],
    "mp3": [truncate, truncate, empty, zero_head, append, other],
    "manifest": [
        *ANYWHERE,
        *map(_in_gzip, [cut_line, empty, latin1, nul, escape, utf16, byte_order_mark]),
        *map(_in_gzip, [crlf, blank_line, no_newline, repeat_line, gzipped]),
    ],
    "npz": [flip, *ANYWHERE],
    "pt": [flip, *ANYWHERE],
    "ark": [flip_structure, flip_structure, truncate, truncate, empty, append, other],
    "kaldi": [flip_structure, flip_structure, truncate, truncate, empty, append, other],
    "json": [truncate, empty, latin1, nul, utf16, byte_order_mark, other],
    "table": [*TEXT, add_word],
    "counts": [drop_word, add_word, odd_number, odd_number, wrong_number, nul, empty],
    "scp": [*TEXT, add_word],
    "trials": [*TEXT, add_word],
    "scores": [*TEXT, add_word, odd_number, odd_number],
    "protocol": [*TEXT, add_word],
    "lists": [*TEXT, add_word],
    "conf": [*ENCODING, cut_line, empty, add_word, escape, long_word, no_newline],
}


def kind_of(name: str, content: bytes) -> str | None:
    """Tell the kind of a file of the world; None for what is not damaged."""
    if content[:4] == b"PK\3\4":
        return "pt" if name.endswith(".pt") else "npz"
    last = name.rpartition("/")[2]
    for pattern, kind in [
        (r".*\.(flac|wav|mp3|ark|scp|conf)", ""),
        (r".*\.jsonl\.gz", "manifest"),
        (r".*\.jsonl?", "json"),
        (r".*\.(ie|dubm|ubm|vec|mat)|plda", "kaldi"),
        (r".*scores.*|asv|cm", "scores"),
        (r"trials|models", "trials"),
        (r"ASVspoof.*", "protocol"),
        (r".*\.(csv|txt)", "lists"),
        (r"utt2(dur|num_frames)", "counts"),
        (r"utt2.*|spk2.*|segments|rttm", "table"),
    ]:
        if re.fullmatch(pattern, last):
            return kind or last.rpartition(".")[2]
    return None
