"""Tables of a Kaldi data directory, read for its import.

What is wrong with one raises a DataError that names the line.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

from asdkit.base.errors import DataError
from asdkit.base.names import CURE, find_id_problem
from asdkit.base.numbers import parse_finite
from asdkit.data.directory import first_word
from asdkit.io.tables import read_lines, read_table

VALIDATE = "asdkit data-validate names every such line, and --fix true repairs"


def read_utt2spk(source: Path) -> dict[str, str]:
    """Read utt2spk, or turn spk2utt around where it is all there is."""
    if (source / "utt2spk").exists() or not (source / "spk2utt").exists():
        path, utt2spk = source / "utt2spk", read_words(source / "utt2spk", "<spk>")
    else:
        path = source / "spk2utt"
        spk2utt = read_table(path)
        utt2spk = {utt: spk for spk, utts in spk2utt.items() for utt in utts.split()}
    if not utt2spk:
        raise DataError(path, "expected utterances, got an empty table")
    for utt, spk in utt2spk.items():
        if problem := find_id_problem(utt) or find_id_problem(spk):
            fail(path, utt, problem, CURE)
    return utt2spk


def read_words(path: Path, what: str) -> dict[str, str]:
    """Read a table whose values are one word each."""
    table = read_table(path)
    for key, value in table.items():
        if len(value.split()) != 1:
            problem = f"expected '<utt> {what}', got {f'{key} {value}'!r}"
            fail(path, key, problem, "asdkit data-validate names every such line")
    return table


def read_numbers(path: Path) -> dict[str, float]:
    """Read a table of positive numbers."""
    numbers = {}
    for key, value in read_table(path).items():
        try:
            numbers[key] = parse_finite(value)
        except ValueError:
            numbers[key] = 0.0
        if not numbers[key] > 0:
            fail(path, key, f"expected a positive number, got {value!r}")
    return numbers


def rooted(root: str, path: str) -> str:
    """Make a relative path start from the root."""
    return path if root == "." else os.path.join(root, path)


def fail(path: Path, key: str, problem: str, hint: str = VALIDATE) -> NoReturn:
    """Raise for the line of a key."""
    keys = [first_word(line) for line in read_lines(path)] if path.exists() else []
    line = keys.index(key) + 1 if key in keys else None
    raise DataError(path, problem, line=line, hint=hint)
