"""Number ids in the order of their first occurrence, at millions of lines a second.

A dictionary says which number an id has.  To ask it costs an object per word; what it
said of an id is therefore kept in a table, too, in slots that a hash of its letters
chooses, with the letters, as integers of eight.  A word whose slot has the same letters
has this number, which is exact; any other is looked for in a second table with another
hash, and only then in the dictionary.  Where the same id stands in many lines, one
below the other, it is looked up once.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided

LONGEST = 64  # letters; longer ids are left to the dictionary
BITS = (16, 18)  # of a table's size, at first and at most
FULL = 4  # a table has this many slots for an id, or becomes larger
MULTIPLIERS = np.random.default_rng(0).integers(2**63, size=20, dtype=np.uint64) | 1
# Of a word of so many letters, what counts of its first eight, of the next, ...
MASKS = np.array(
    [
        [(1 << 8 * min(max(length - first, 0), 8)) - 1 for length in range(LONGEST + 1)]
        for first in range(0, LONGEST, 8)
    ],
    dtype=np.uint64,
)
LEVELS = (0, 1)


def padded(text: bytes) -> np.ndarray:
    """Return the (L,) uint8 letters of a text, and room to load eight behind."""
    return np.frombuffer(text + bytes(LONGEST), np.uint8)


def load_words(
    letters: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> list[np.ndarray]:
    """Load words as integers of eight letters.

    Args:
        letters: (L,) of `padded`.
        starts: (N,) where words begin.
        ends: (N,) where they end, at most `LONGEST` letters later.

    Returns:
        K arrays (N,) uint64, of the first eight letters, of the next, ...; zero behind
        the end of a word.
    """
    lengths = ends - starts
    longest, shortest = int(lengths.max()), int(lengths.min())
    eights = as_strided(letters[:8].view("<u8"), (len(letters) - 7,), (1,))
    words = []
    for place, first in enumerate(range(0, longest, 8)):
        word = eights[starts + first]
        if shortest < first + 8:
            word &= MASKS[place][longest if shortest == longest else lengths]
        words.append(word)
    return words


class IdNumbers:
    """Numbers of ids.

    Args:
        bits: two to their power is the size of the tables at first.

    Attributes:
        known: id -> number, in the order of numbers.
    """

    def __init__(self, bits: int = BITS[0]) -> None:
        self.known = defaultdict[bytes, int](itertools.count().__next__)
        self._clear(bits)

    def number(
        self, text: bytes, letters: np.ndarray, starts: np.ndarray, ends: np.ndarray
    ) -> np.ndarray:
        """Number the words of a text, new ids behind those that are known.

        Args:
            text: holds no zero bytes.
            letters: (L,) of `padded`.
            starts: (N,) where words begin.
            ends: (N,) where they end, the first letter that is no longer theirs.

        Returns:
            (N,) int32 numbers.
        """
        if not len(starts):
            return np.zeros(0, np.int32)
        if int((ends - starts).max()) > LONGEST:
            return self._ask(text, starts, ends)
        words = load_words(letters, starts, ends)
        is_new = np.ones(len(starts), bool)
        is_new[1:] = False
        for word in words:
            is_new[1:] |= word[1:] != word[:-1]
        heads = np.flatnonzero(is_new)
        if 2 * len(heads) > len(starts):
            return self._find(text, starts, ends, words)
        words = [word[heads] for word in words]
        found = self._find(text, starts[heads], ends[heads], words)
        return np.repeat(found, np.diff(heads, append=len(starts)))

    def number_words(self, words: Sequence[bytes]) -> np.ndarray:
        """Number N words as `number` does; (N,) int32."""
        return np.fromiter(map(self.known.__getitem__, words), np.int32, len(words))

    def _clear(self, bits: int) -> None:
        """Empty the tables, and set their size."""
        self.bits = bits
        self.numbers = [np.full(1 << bits, -1, np.int32) for _ in LEVELS]
        self.letters: list[list[np.ndarray]] = [[] for _ in LEVELS]

    def _find(
        self,
        text: bytes,
        starts: np.ndarray,
        ends: np.ndarray,
        words: list[np.ndarray],
    ) -> np.ndarray:
        """Number words by the tables, and others by the dictionary."""
        found = self._look(0, words)
        lacking = np.flatnonzero(found < 0)
        if len(lacking):
            few = [word[lacking] for word in words]
            found[lacking] = numbers = self._look(1, few)
            unknown = np.flatnonzero(numbers < 0)
            if len(unknown):
                rows = lacking[unknown]
                found[rows] = numbers = self._ask(text, starts[rows], ends[rows])
                self._keep(numbers, [word[unknown] for word in few])
        return found

    def _slots(self, level: int, words: list[np.ndarray]) -> np.ndarray:
        """Choose a slot for each of N words; (N,) int64."""
        hashes = words[0] * MULTIPLIERS[level]
        for k, word in enumerate(words[1:], start=1):
            hashes ^= word * MULTIPLIERS[2 * k + level]
        hashes *= MULTIPLIERS[-1 - level]
        hashes >>= np.uint64(64 - self.bits)
        return hashes.view(np.int64)

    def _look(self, level: int, words: list[np.ndarray]) -> np.ndarray:
        """Look words up in a table; (N,) numbers, -1 of those that are not there."""
        slots = self._slots(level, words)
        found = self.numbers[level][slots]
        is_wrong = np.zeros(len(slots), bool)
        for k, letters in enumerate(self.letters[level]):
            is_wrong |= letters[slots] != (words[k] if k < len(words) else 0)
        if len(words) > len(self.letters[level]):  # longer than all in the table
            for word in words[len(self.letters[level]) :]:
                is_wrong |= word != 0
        found[is_wrong] = -1
        return found

    def _ask(self, text: bytes, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Number words by the dictionary; (N,) int32."""
        spans = zip(starts.tolist(), ends.tolist(), strict=True)
        return self.number_words([text[start:end] for start, end in spans])

    def _keep(self, numbers: np.ndarray, words: list[np.ndarray]) -> None:
        """Put words into slots that are free; those that find none stay outside."""
        if len(self.known) * FULL > 1 << self.bits < 1 << BITS[1]:
            self._clear(min(self.bits + 2, BITS[1]))
        for level in LEVELS:
            table = self.letters[level]
            while len(table) < len(words):  # what is there has no letters so far behind
                table.append(np.zeros(1 << self.bits, np.uint64))
            slots = self._slots(level, words)
            free = np.flatnonzero(self.numbers[level][slots] < 0)
            self.numbers[level][slots[free]] = numbers[free]
            # Where several wanted a slot, the last of them has got it.
            got = free[self.numbers[level][slots[free]] == numbers[free]]
            for k, word in enumerate(words):
                table[k][slots[got]] = word[got]
            rest = np.ones(len(numbers), bool)
            rest[got] = False
            numbers, words = numbers[rest], [word[rest] for word in words]
            if not len(numbers):
                return
