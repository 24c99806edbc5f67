"""Ctrl-C and SIGTERM, which end a program between imports and never within one.

Half an import is worse than none: torch takes an error of numpy's import for a missing
numpy and goes on, Ctrl-C is lost, and what imports numpy next recurses without an end.
"""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

RETRY_SEC = 0.05
# Which code runs while a module is imported, in a traceback's words.
IMPORTER = "<frozen importlib._bootstrap>"


def interrupt_between_imports() -> None:
    """Have both signals raise KeyboardInterrupt, at once or when an import has ended.

    A launcher ends the other ranks with SIGTERM when one fails, and they tidy up.
    SIGINT stays ignored where the one who started the program has asked for it, as a
    shell does for what runs in the background.  Imports that are under way when this is
    called count as done.  Call it in the main thread.
    """
    caller = sys._getframe(1)

    def interrupt(number: int, frame: FrameType | None) -> None:
        while frame not in (None, caller):
            if frame.f_code.co_filename == IMPORTER:
                return _repeat(number)
            frame = frame.f_back
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)


def _repeat(number: int) -> None:
    """Send the main thread a signal again, soon."""
    main = threading.main_thread().ident
    again = threading.Timer(RETRY_SEC, signal.pthread_kill, (main, number))
    again.daemon = True
    again.start()
