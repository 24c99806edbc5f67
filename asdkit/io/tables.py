"""Kaldi's text tables: ``<key> <value>`` per line, sorted, keys unique."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from asdkit.base.errors import DataError
from asdkit.base.inputs import note_input
from asdkit.io.files import write_atomic
from asdkit.io.text import HEAD, require_text, warn_of_cut

PathName = str | PathLike[str]


def read_lines(path: PathName) -> list[str]:
    """Read a text file as a list of lines without their ends.

    Raises:
        DataError: the file is missing, unreadable, not UTF-8, or holds a NUL.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(path, f"cannot read it: {error.strerror}") from None
    except UnicodeDecodeError as error:
        require_text(path, error.object)
        raise DataError(path, f"expected UTF-8 text, got {error}") from None
    note_input(path, renewable=True)
    require_text(path, text[:HEAD].encode())
    text = text.removeprefix("\ufeff")  # a byte-order mark is no part of an id
    if "\0" in text:
        number = 1 + text.count("\n", 0, text.index("\0"))
        raise DataError(path, "expected text, got a NUL character", line=number)
    if text and not text.endswith("\n"):
        warn_of_cut(path)
    # Not splitlines(), which also splits at characters that transcripts may hold.
    return text.removesuffix("\n").split("\n") if text else []


def read_table(path: PathName) -> dict[str, str]:
    """Read ``<key> <value>`` lines, e.g. utt2spk or wav.scp, in file order.

    Args:
        path: the file; values may contain spaces.

    Returns:
        key -> rest of the line, outer blanks removed.

    Raises:
        DataError: a line has no value, or a key comes twice.
    """
    table: dict[str, str] = {}
    for number, line in enumerate(read_lines(path), start=1):
        key, value = _split(line)
        if not value:
            raise DataError(
                path,
                f"expected '<key> <value>', got {line!r}",
                line=number,
                hint="asdkit data-validate names every such line",
            )
        if key in table:
            raise DataError(path, f"key {key!r} appears a second time", line=number)
        table[key] = value
    return table


def read_words(path: PathName) -> dict[str, str]:
    """Read ``<key> <word>`` lines, e.g. utt2spk or utt2attack, in file order.

    Raises:
        DataError: a line has no value or one of several words, or a key comes twice.
    """
    table = read_table(path)
    for number, (key, value) in enumerate(table.items(), start=1):
        if len(value.split()) != 1:
            raise DataError(
                path,
                f"expected '<key> <word>', got {f'{key} {value}'!r}",
                line=number,
                hint="asdkit data-validate names every such line",
            )
    return table


def write_table(path: PathName, table: Mapping[str, object]) -> None:
    """Write ``<key> <value>`` lines sorted by key in the C locale's order."""
    with write_atomic(path) as stream:
        for key in sorted(table, key=str.encode):
            stream.write(f"{key} {table[key]}\n")


def invert(utt2spk: Mapping[str, str]) -> dict[str, list[str]]:
    """Turn utt2spk into spk2utt; speakers and utterances are sorted."""
    spk2utt: dict[str, list[str]] = {}
    for utt in sorted(utt2spk, key=str.encode):
        spk2utt.setdefault(utt2spk[utt], []).append(utt)
    return {spk: spk2utt[spk] for spk in sorted(spk2utt, key=str.encode)}


def _split(line: str) -> tuple[str, str]:
    """Separate the first word from the rest."""
    parts = line.split(maxsplit=1)
    parts += [""] * (2 - len(parts))
    return parts[0], parts[1].strip()
