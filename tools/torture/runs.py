"""Programs of asdkit, each in a child of this process, which imports for all.

A child starts in milliseconds instead of seconds.  It may take so much memory and
processor time; it hangs when it waits and nothing happens.
"""

from __future__ import annotations

import atexit
import importlib
import io
import os
import pkgutil
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MEMORY = 3 << 30  # bytes beyond what the imports take
FILE_SIZE = 1 << 30
CPU_SEC = 60
IDLE_SEC = 15.0  # on a loaded machine, too, who can run runs within this time
WALL_SEC = 600.0
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Run:
    """How a program ended.

    Attributes:
        argv: its name and arguments.
        code: its exit code; -n if signal n has ended it.
        stdout: what it printed.
        stderr: what it said.
        hung: why it had to be ended, empty if it was not.
        orphans: it left processes behind.
        reads: files that Python opened for reading, if they were asked for.
        seconds: of the clock.
    """

    argv: list[str]
    code: int
    stdout: str
    stderr: str
    hung: str = ""
    orphans: bool = False
    reads: list[str] = field(default_factory=list)
    seconds: float = 0.0


def import_everything() -> None:
    """Import all modules of asdkit, and through them what they import."""
    import asdkit

    for module in pkgutil.walk_packages(asdkit.__path__, "asdkit."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("kaldiio", "lhotse", "scipy.signal", "scipy.stats", "soundfile"):
        importlib.import_module(name)
    from asdkit.base.provenance import commit

    commit()  # a program of its own, whose answer is kept


def run(argv: Sequence[str], cwd: Path, logs: Path, trace: bool = False) -> Run:
    """Run one program and wait for it.

    Args:
        argv: name and arguments.
        cwd: where.
        logs: a directory for what it prints and says.
        trace: note which files it reads.
    """
    start = time.monotonic()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _be_program(argv, cwd, logs, trace)
    code, hung = _wait(child)
    orphans = _end_group(child)
    stdout, stderr, reads = (
        (logs / name).read_bytes().decode(errors="replace")
        if (logs / name).exists()
        else ""
        for name in ("stdout", "stderr", "reads")
    )
    seconds = time.monotonic() - start
    return Run(
        list(argv), code, stdout, stderr, hung, orphans, reads.splitlines(), seconds
    )


def _be_program(argv: Sequence[str], cwd: Path, logs: Path, trace: bool) -> None:
    """Be the program, in the child; never return."""
    code = 1
    try:
        os.setsid()
        for number, (name, flags) in enumerate(
            {
                "/dev/null": os.O_RDONLY,
                "stdout": os.O_WRONLY,
                "stderr": os.O_WRONLY,
            }.items()
        ):
            if number:
                flags |= os.O_CREAT | os.O_TRUNC
            os.dup2(os.open(logs / name, flags, 0o644), number)
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), line_buffering=True)
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"), "utf-8", "backslashreplace")
        sys.stderr.reconfigure(line_buffering=True)
        os.chdir(cwd)
        _limit(resource.RLIMIT_AS, _address_space() + MEMORY)
        _limit(resource.RLIMIT_CPU, CPU_SEC)
        _limit(resource.RLIMIT_FSIZE, FILE_SIZE)
        _limit(resource.RLIMIT_CORE, 0)
        sys.argv = ["asdkit", *argv]
        code = _call(argv, logs / "reads" if trace else None)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with open(os.devnull, "w") as nowhere:
            sys.stdout.flush()
            sys.stderr.flush()
            del nowhere
        os._exit(code)


def _call(argv: Sequence[str], reads: Path | None) -> int:
    """Call the program, and what it has registered for its end."""
    from asdkit.__main__ import main

    opened: dict[str, None] = {}
    here = f"{os.getcwd()}/"

    def note(event: str, args: tuple[object, ...]) -> None:
        if event == "open" and isinstance(args[0], str | bytes | os.PathLike):
            is_written = isinstance(args[2], int) and args[2] & (
                os.O_WRONLY | os.O_RDWR
            )
            path = os.path.abspath(os.fsdecode(args[0]))
            if not is_written and path.startswith(here):
                opened.setdefault(path.removeprefix(here))

    if reads is not None:
        sys.addaudithook(note)
    try:
        code = main(argv)
    finally:
        atexit._run_exitfuncs()
        if reads is not None:
            reads.write_text("\n".join(opened))
    return code


def _limit(what: int, value: int) -> None:
    resource.setrlimit(what, (value, value))


def _address_space() -> int:
    """Bytes of address space of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _wait(child: int) -> tuple[int, str]:
    """Wait for a child; end it if it hangs.  Returns its exit code, and why."""
    descriptor = os.pidfd_open(child)
    start = last = time.monotonic()
    used, hung = 0.0, ""
    try:
        while not select.select([descriptor], [], [], 0.5)[0]:
            now = time.monotonic()
            if (cpu := sum(_cpu_seconds(child))) > used:
                used, last = cpu, now
            if now - last > IDLE_SEC:
                hung = f"it waited {IDLE_SEC:.0f} s for something"
            elif now - start > WALL_SEC:
                hung = f"not ready after {WALL_SEC:.0f} s"
            if hung:
                os.killpg(child, signal.SIGKILL)
                break
        status = os.waitpid(child, 0)[1]
    finally:
        os.close(descriptor)
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and used > CPU_SEC - 5):
        hung = f"not ready after {CPU_SEC} s of processor time"
    return code, hung


def _cpu_seconds(group: int) -> Iterator[float]:
    """Processor time of every process of a group."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[2]) == group:
            yield sum(map(int, words[11:15])) / TICK


def _end_group(child: int) -> bool:
    """End what the child has left running; tell whether there was something."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
