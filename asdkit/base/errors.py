"""The two errors that are not bugs: bad data, and too little of it.

Everything else that escapes a program is a bug and keeps its traceback.
"""

from __future__ import annotations

from os import PathLike

LONGEST = 1000  # letters of a line of a message


class AsdkitError(Exception):
    """Print as one line, with exit code 1 and without a traceback.

    Args:
        message: where, expected, got, in that order.
        hint: the cure, a command or an edit.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class DataError(AsdkitError):
    """Report that a file does not contain what it should.

    Args:
        path: the file, directory or rspecifier.
        problem: what was expected and what was found, values quoted with ``!r``.
        line: 1-based line number, if the file has lines.
        hint: the cure, a command or an edit.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        problem: str,
        *,
        line: int | None = None,
        hint: str | None = None,
    ) -> None:
        where = f"{path}".replace("\n", r"\n")  # a message is one line
        where = where if line is None else f"{where}:{line}"
        problem = shorten(problem)
        super().__init__(f"{where}: {problem}", hint)
        self.path = path
        self.problem = problem
        self.line = line


def shorten(text: str) -> str:
    """Cut the middle out of very long lines, e.g. of a binary file."""
    if len(text) <= LONGEST:
        return text
    return "\n".join(
        line if len(line) <= LONGEST else f"{line[: LONGEST - 100]} ... {line[-50:]}"
        for line in text.split("\n")
    )


class FitError(AsdkitError):
    """Report that the data cannot support the requested model."""
