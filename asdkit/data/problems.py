"""Check single tables: encoding, line ends, keys, values, order.

Nothing here raises: readers stop at the first problem, checks read on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from asdkit.base.errors import DataError, shorten
from asdkit.base.numbers import parse_integer, parse_number
from asdkit.io.text import BOM, HEAD, require_text

FIX = "--fix true"
EXAMPLES = 3  # of one sort of problem in one table
REAL = r"[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?"


class Problem(NamedTuple):
    """One problem.

    Attributes:
        path: file or directory.
        line: counted from 1; 0 if it is not about a line.
        text: what was expected and what was found.
        cure: a command or an edit.
    """

    path: Path
    line: int
    text: str
    cure: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else f"{self.path}"
        return f"{where}: {self.text}\n  cure: {self.cure}"


class Report:
    """A collection of problems; shows the first few of each sort in each table."""

    def __init__(self) -> None:
        self._examples: list[tuple[Problem, tuple[Path, str], int]] = []
        self._counts: Counter[tuple[Path, str]] = Counter()

    def add(self, path: Path, line: int, sort: str, text: str, cure: str) -> None:
        """Note a problem; ``sort`` is a word or two that problems of its sort share."""
        key = (path, sort)
        self._counts[key] += 1
        if self._counts[key] <= EXAMPLES:
            problem = Problem(path, line, shorten(text), cure)
            self._examples.append((problem, key, self._counts[key]))

    @property
    def num_problems(self) -> int:
        """The number of problems, shown or not."""
        return self._counts.total()

    def problems(self) -> list[Problem]:
        """Return the examples; the last of a sort says how many more there are."""
        shown = []
        for problem, key, number in self._examples:
            more = self._counts[key] - EXAMPLES
            if number == EXAMPLES and more > 0:
                text = f"{problem.text} (and {more} more of this sort)"
                problem = problem._replace(text=text)
            shown.append(problem)
        return shown


class Entry(NamedTuple):
    """The value of a key and its line."""

    line: int
    value: str


Table = dict[str, Entry]


def _is_positive(value: str) -> bool:
    return bool(re.fullmatch(REAL, value)) and parse_number(value) > 0


def _is_count(value: str) -> bool:
    return bool(re.fullmatch("[0-9]+", value)) and parse_integer(value) > 0


def _is_segment(value: str) -> bool:
    found = re.fullmatch(rf"\S+\s+({REAL})\s+(-1|{REAL})(?:\s+\d+)?", value)
    if found is None:
        return False
    end = parse_number(found[2])
    return end == -1 or end > parse_number(found[1])


# Table -> what a value must be, in words and in code.
VALUES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "utt2spk": ("one speaker", lambda value: len(value.split()) == 1),
    "utt2dur": ("seconds, more than 0", _is_positive),
    "reco2dur": ("seconds, more than 0", _is_positive),
    "utt2num_frames": ("a number of frames, more than 0", _is_count),
    "spk2gender": ("m or f", lambda value: value in ("m", "f")),
    "segments": ("'<reco> <start> <end>', the end after the start", _is_segment),
}


def read_text_lines(path: Path, report: Report) -> list[str]:
    """Read the lines of a file that may be broken; bytes that are not UTF-8 survive.

    They come back as surrogates, which ``errors="surrogateescape"`` writes as they
    were.
    """
    data = path.read_bytes()
    if not data:
        report.add(path, 0, "empty", "expected lines, got an empty file", "delete it")
        return []
    try:
        require_text(path, data[:HEAD])
    except DataError as error:
        report.add(path, 0, "text", error.problem, error.hint or "make it again")
        return []
    if data.startswith(BOM):
        text = "expected text, got a byte-order mark before it"
        report.add(path, 1, "mark", text, f"{FIX} drops it")
        data = data.removeprefix(BOM)
    if not data.endswith(b"\n"):
        last = data.count(b"\n") + 1
        report.add(path, last, "end", "expected a newline at the end", f"{FIX} adds it")
    lines = data.decode(errors="surrogateescape").removesuffix("\n").split("\n")
    if b"\r" in data:
        for number, line in enumerate(lines, start=1):
            if line.endswith("\r"):
                text = "expected the line to end in LF, got CR LF"
                report.add(path, number, "CR LF", text, f"{FIX} drops the CR")
        lines = [line.rstrip("\r") for line in lines]
    try:
        data.decode()
    except UnicodeDecodeError:
        for number, line in enumerate(lines, start=1):
            raw = line.encode(errors="surrogateescape")
            if any("\udc80" <= letter <= "\udcff" for letter in line):
                text = f"expected UTF-8, got {raw[:60]!r}"
                cure = f"iconv -f latin1 -t utf-8 {path.name}, if that is what it is"
                report.add(path, number, "UTF-8", text, cure)
    return lines


def check_table(path: Path, report: Report) -> Table:
    """Check one table by itself.

    Returns:
        what is in it: key -> first value and its line, as far as it can be read.
    """
    table: Table = {}
    wanted, is_valid = VALUES.get(path.name, ("", None))
    before = ""
    for number, line in enumerate(read_text_lines(path, report), start=1):
        words = line.split(maxsplit=1)
        if not words:
            report.add(path, number, "blank", "blank line", f"{FIX} drops it")
            continue
        key, value = words[0], words[1].rstrip() if len(words) > 1 else ""
        if key in table:
            _add_repeated(path, number, key, table[key], value, report)
            continue
        if key < before:
            text = f"expected {key!r} before {before!r}, sorted as LC_ALL=C sorts"
            report.add(path, number, "order", text, f"{FIX} sorts")
        before = max(key, before)
        table[key] = Entry(number, value)
        if not value and path.name != "text":
            text = f"expected '<key> <value>', got {line!r}"
            report.add(path, number, "no value", text, f"{FIX} drops the line")
        elif is_valid and not is_valid(value):
            text = f"{key!r}: expected {wanted}, got {value!r}"
            report.add(path, number, "value", text, "correct or delete the line")
    return table


def _add_repeated(
    path: Path, number: int, key: str, first: Entry, value: str, report: Report
) -> None:
    """Report a key that comes again, with the same value or another."""
    if value == first.value:
        text = f"{key!r} comes again, the same as in line {first.line}"
        report.add(path, number, "repeated", text, f"{FIX} drops it")
    else:
        text = f"{key!r} is {value!r}, but {first.value!r} in line {first.line}"
        report.add(path, number, "contradiction", text, "delete the wrong line")
