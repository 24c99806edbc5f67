"""Kaldi's ``.conf`` files: further options, one ``--name=value`` per line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from asdkit.base.errors import DataError


class ConfLine(NamedTuple):
    """An option from a file.

    Attributes:
        option: ``--name=value``.
        path: of the file.
        line: 1-based.
    """

    option: str
    path: str
    line: int

    @property
    def name(self) -> str:
        """``--name``."""
        return self.option.partition("=")[0]


def read_conf(path: str | Path) -> list[ConfLine]:
    """Read a ``.conf`` file; ``#`` starts a comment.

    Raises:
        DataError: the file cannot be read, is not text, or a line is not an option
            with a value, or is another ``--config``.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise DataError(path, f"cannot read it: {error.strerror}") from None
    except UnicodeDecodeError:
        problem = "expected lines of --name=value in UTF-8, got other bytes"
        raise DataError(path, problem) from None
    found = []
    for number, line in enumerate(lines, start=1):
        option = line.partition("#")[0].strip()
        if not option:
            continue
        if not option.startswith("--") or "=" not in option:
            raise DataError(path, f"expected --name=value, got {line!r}", line=number)
        if option.startswith("--config="):
            cure = "give several --config on the command line"
            problem = "expected options of the program, got another --config"
            raise DataError(path, problem, line=number, hint=cure)
        found.append(ConfLine(option, str(path), number))
    return found


def expand_conf(argv: Sequence[str]) -> tuple[list[ConfLine], list[str]]:
    """Remove every ``--config`` file from a command line, and read it.

    Returns:
        the files' options, to be parsed before the other arguments, and these: so the
        command line wins over the file wherever on the line ``--config`` stands, and
        an option given twice takes its last value.
    """
    before: list[ConfLine] = []
    rest: list[str] = []
    arguments = iter(argv)
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name != "--config":
            rest.append(argument)
            continue
        if not equals:
            value = next(arguments, "")
        before += read_conf(value)
    return before, rest
