"""Read text files of millions of short lines with a fixed number of words.

A file is read in blocks and the words of a block are split by one call, because an
object per line is what costs the time.  Blanks and tabs separate words.  What gzip has
compressed is read as it was before.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, NoReturn, cast

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.inputs import note_input
from asdkit.base.numbers import parse_number, parse_numbers
from asdkit.io.id_numbers import load_words, padded
from asdkit.io.pair_tables import COLUMN_OF, is_pair_table
from asdkit.io.store import kind_of
from asdkit.io.tables import PathName
from asdkit.io.text import BOM, HEAD, require_text, warn_of_cut

SHOWN = 200  # letters of a bad line
BLOCK = 1 << 19  # bytes to read at a time: all words of a block fit into the cache
SPAN_BLOCK = 1 << 18  # where there are no words, but numbers of eight bytes for each
LONGEST_NUMBER = 16  # letters
BLANKS = np.frombuffer(b" \t\n\v\f\r", np.uint8)  # as bytes.split has them
GZIP = b"\x1f\x8b"


def read_words(
    path: PathName,
    num_words: int,
    expected: str,
    num_skipped: int = 0,
    separator: str = "",
) -> Iterator[tuple[int, list[list[bytes]]]]:
    """Yield the number of a block's first line, and the block's columns of words.

    Args:
        path: the file.
        num_words: how many words there are in every line.
        expected: description of a line, for messages.
        num_skipped: lines to leave out at the top, e.g. 1 for a header.
        separator: a letter that separates words, too, e.g. a comma.

    Raises:
        DataError: the file cannot be read, or a line has not so many words.
    """
    first_line = 1 + num_skipped
    for block in _read_blocks(path, BLOCK, num_skipped):
        if separator:
            block = block.replace(separator.encode(), b" ")
        words = block.split()
        if not _has_words_per_line(block, len(words), num_words):
            _name_bad_line(path, first_line, block, num_words, expected)
        yield first_line, [words[i::num_words] for i in range(num_words)]
        first_line += len(words) // num_words


class Spans(NamedTuple):
    """Lines of a file, and where their words are: no object for a word.

    Attributes:
        first_line: number of the first line.
        text: the lines.
        letters: (L,) uint8, the same, with room behind.
        starts: (W, N) where words begin.
        ends: (W, N) where they end.
    """

    first_line: int
    text: bytes
    letters: np.ndarray
    starts: np.ndarray
    ends: np.ndarray

    def column(self, place: int) -> list[bytes]:
        """Return the N words at a place of the lines."""
        return self.text.split()[place :: len(self.starts)]

    def first_words(self) -> list[bytes]:
        """Return the words of the first line."""
        spans = zip(self.starts[:, 0], self.ends[:, 0], strict=True)
        return [self.text[start:end] for start, end in spans]


def read_spans(
    path: PathName,
    num_words: int,
    expected: str,
    num_skipped: int = 0,
    separator: str = "",
) -> Iterator[Spans]:
    """Find the words of a file; arguments and errors as of `read_words`."""
    first_line = 1 + num_skipped
    for block in _read_blocks(path, SPAN_BLOCK, num_skipped):
        if separator:
            block = block.replace(separator.encode(), b" ")
        letters = padded(block)
        spans = _spans_of_lines(block, letters, num_words)
        if spans is None:
            _name_bad_line(path, first_line, block, num_words, expected)
        yield Spans(first_line, block, letters, *spans)
        first_line += spans[0].shape[1]


def read_span_numbers(
    path: PathName, block: Spans, place: int, names: Sequence[int]
) -> np.ndarray:
    """Convert a column to (N,) float64 scores; errors as of `read_numbers`.

    Args:
        path: the file, for messages.
        block: N of its lines.
        place: of the scores in the lines.
        names: places of the words that say whose.
    """
    starts, ends = block.starts[place], block.ends[place]
    if len(starts) and (ends - starts).max() <= LONGEST_NUMBER:
        halves = load_words(block.letters, starts, ends)
        halves += [np.zeros(len(starts), np.uint64)] * (2 - len(halves))
        texts = np.stack(halves, axis=1).astype("<u8", copy=False)
        with contextlib.suppress(ValueError):
            found = parse_numbers(
                texts.view("S16")[:, 0].tolist(), texts.view(np.uint8)
            )
            if not np.isnan(found).any():
                return found
    columns = [block.column(i) for i in names]
    return read_numbers(path, block.first_line, block.column(place), columns)


def first_words(path: PathName) -> list[str]:
    """Return the words of the first line, to recognize the kind of file.

    A binary table of pairs has three columns, as a line of its text has three words.

    Raises:
        DataError: the file cannot be read or is empty.
    """
    if is_pair_table(path) and (kind := kind_of(path)) in COLUMN_OF:
        return ["enroll", "test", COLUMN_OF[kind]]
    return first_lines(path, 1)[0].split()


def first_lines(path: PathName, num_lines: int) -> list[str]:
    """Return up to so many lines from the top, to recognize the kind of file.

    Raises:
        DataError: the file cannot be read, or it or its first line is empty.
    """
    with _open(path, check=True) as stream:
        lines = [stream.readline() for _ in range(num_lines)]
    if not lines[0].strip():
        raise DataError(path, "expected text, got an empty file or first line")
    return [line.decode(errors="replace") for line in lines if line.strip()]


def convert_words(
    path: PathName,
    first_line: int,
    words: Sequence[bytes],
    convert: Callable[[bytes], float],
    expected: str,
    dtype: type,
) -> np.ndarray:
    """Convert N words of a column; (N,) values.

    Raises:
        DataError: a word cannot be converted; it names the line.
    """
    try:
        return np.fromiter(map(convert, words), dtype, len(words))
    except (KeyError, ValueError):
        for number, word in enumerate(words, start=first_line):
            try:
                convert(word)
            except (KeyError, ValueError):
                got = word.decode(errors="replace")
                raise DataError(
                    path, f"expected {expected}, got {got!r}", line=number
                ) from None
        raise


def read_numbers(
    path: PathName,
    first_line: int,
    words: Sequence[bytes],
    names: Sequence[Sequence[bytes]],
) -> np.ndarray:
    """Convert N words to (N,) float64 scores; ``names`` are columns that say whose.

    Raises:
        DataError: a word is no number, or it is NaN.
    """
    try:
        found = parse_numbers(words)
    except ValueError:
        found = convert_words(
            path, first_line, words, _to_number, "a number", np.float64
        )
    if np.isnan(found).any():
        row = int(np.argmax(np.isnan(found)))
        name = b" ".join(column[row] for column in names).decode(errors="replace")
        raise DataError(path, f"the score of {name!r} is NaN", line=first_line + row)
    return found


def _to_number(word: bytes) -> float:
    return parse_number(word.decode())


def _read_blocks(path: PathName, size: int, num_skipped: int = 0) -> Iterator[bytes]:
    """Yield whole lines, about so many bytes of them; errors as of `read_words`."""
    note_input(path, renewable=True)
    with _open(path) as stream:
        for _ in range(num_skipped):
            stream.readline()
        while block := stream.read(size) + stream.readline():
            if not block.endswith(b"\n"):
                warn_of_cut(path)
                block += b"\n"
            yield block


@contextlib.contextmanager
def _open(path: PathName, check: bool = False) -> Iterator[io.BufferedReader]:
    """Open a file, unpacked if gzip has packed it, behind a byte-order mark.

    Args:
        path: the file.
        check: whether to raise for what is clearly no text.

    Raises:
        DataError: it cannot be read, or is damaged; at any time while it is open.
    """
    try:
        with contextlib.ExitStack() as stack:
            stream = stack.enter_context(open(path, "rb"))
            if stream.peek(len(GZIP)).startswith(GZIP):
                packed = stack.enter_context(gzip.GzipFile(fileobj=stream))
                stream = io.BufferedReader(cast(io.RawIOBase, packed))
            if check:
                require_text(path, stream.peek(HEAD))
            if stream.peek(len(BOM)).startswith(BOM):
                stream.read(len(BOM))
            yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        hint = "it is damaged or cut short; fetch it again"
        raise DataError(path, f"cannot unpack it: {error}", hint=hint) from None
    except OSError as error:
        raise DataError(path, f"cannot read it: {error.strerror}") from None


def _spans_of_lines(
    block: bytes, letters: np.ndarray, num_words: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Find (W, N) starts and ends of words; None if a line has another number."""
    blanks = np.flatnonzero(letters[: len(block)] <= ord(" "))
    starts = np.empty_like(blanks)
    starts[:1], starts[1:] = 0, blanks[:-1] + 1
    is_word = starts < blanks
    ends, is_plain = blanks, bool(is_word.all())
    if not is_plain:
        starts, ends = starts[is_word], blanks[is_word]
        if not np.isin(letters[blanks], BLANKS).all():
            return None
    if len(ends) % num_words:
        return None
    starts, ends = (
        np.ascontiguousarray(x.reshape(-1, num_words).T) for x in (starts, ends)
    )
    behind = letters[ends]
    is_plain &= bool((behind[-1] == ord("\n")).all())
    is_plain &= bool((behind[:-1] == ord(" ")).all())
    if is_plain or _has_words_per_line(block, len(block.split()), num_words):
        return starts, ends
    return None  # other blanks than one space were not all between words of a line


def _has_words_per_line(block: bytes, num_found: int, num_words: int) -> bool:
    """Check where words and lines end, without making an object per line."""
    letters = np.frombuffer(block, np.uint8)
    blanks = np.flatnonzero(letters <= ord(" "))
    word_ends = blanks[np.diff(blanks, prepend=-1) > 1]
    line_ends = blanks[letters[blanks] == ord("\n")]
    return (
        num_found == len(word_ends) == num_words * len(line_ends)
        and bool(np.all(word_ends[num_words - 1 :: num_words] <= line_ends))
        and bool(np.all(word_ends[num_words::num_words] > line_ends[:-1]))
    )


def _name_bad_line(
    path: PathName, first_line: int, block: bytes, num_words: int, expected: str
) -> NoReturn:
    """Raise for the first line that has another number of words."""
    if first_line <= 2:  # behind a header, perhaps
        require_text(path, block)
    for number, line in enumerate(block.splitlines(), start=first_line):
        if len(line.split()) != num_words:
            text = line.decode(errors="replace")
            text = text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."
            raise DataError(path, f"expected {expected}, got {text!r}", line=number)
    raise DataError(path, "expected text, got control characters")
