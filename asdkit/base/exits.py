"""Program exit: one line per error, and an exit code for its kind."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Callable

from asdkit.base.errors import AsdkitError, shorten
from asdkit.base.inputs import watching

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
ENDINGS: list[Callable[[], None]] = []
# What torch says where Python has MemoryError.
NO_MEMORY = ("can't allocate memory", "out of memory")


def at_exit(ending: Callable[[], None]) -> None:
    """Register a function that every program calls before it ends, even on an error."""
    ENDINGS.append(ending)


def printable(text: str) -> str:
    """Escape control characters, so that a path or an id cannot control a terminal."""
    return CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)


def one_line(text: str) -> str:
    r"""Escape what would break a line or control a terminal, e.g. in a file's name.

    Example:
        >>> print(one_line("a\nb.wav"))
        a\nb.wav
    """
    return printable(text).replace("\n", r"\n").replace("\t", r"\t")


def exit_code(name: str, program: Callable[[], int | None]) -> int:
    """Run a program, never let it write over what it reads, and report its errors.

    Args:
        name: name shown to the user at the start of every line.
        program: takes nothing; returns its exit code, or None for 0.

    Returns:
        What the program returned; 1 if the data or the fit is wrong, a file cannot be
        read or written, or memory is not enough; 130 if it was interrupted.  All else
        is a bug, and raised.
    """
    try:
        with watching():
            return program() or 0
    except AsdkitError as error:
        print(f"{name}: error: {printable(shorten(str(error)))}", file=sys.stderr)
        if error.hint:
            print(f"  hint: {printable(error.hint)}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno is None:
            raise
        if error.errno == errno.EPIPE:
            sys.stderr.close()
            return 1
        where = f"{error.filename}: " if error.filename else ""
        text = printable(shorten(f"{where}{error.strerror}"))
        print(f"{name}: error: {text}", file=sys.stderr)
        return 1
    except (MemoryError, RuntimeError) as error:
        said = str(error).partition("\n")[0]
        is_memory = any(words in said for words in NO_MEMORY)
        if not (isinstance(error, MemoryError) or is_memory):
            raise
        text = f"not enough memory: {said}" if said else "not enough memory"
        print(f"{name}: error: {text}", file=sys.stderr)
        print("  hint: smaller sizes or batches need less", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{name}: interrupted; nothing half-written", file=sys.stderr)
        return 130
    finally:
        for ending in ENDINGS:
            ending()
