"""Provenance: the origin that every model file and manifest records."""

from __future__ import annotations

import datetime
import os
import platform
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import asdkit


def version() -> str:
    """Return asdkit's version, from a source tree or an installed wheel."""
    return asdkit.__version__


@cache
def commit() -> str:
    """Name the git commit of this source tree, or "unknown" outside of one."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip()


def command_line() -> str:
    """Return the command as it can be pasted back into a shell."""
    return shlex.join(["asdkit", *sys.argv[1:]])


def provenance() -> dict[str, str]:
    """Describe this run: command, version, commit, host, working directory, time."""
    return {
        "command": command_line(),
        "version": version(),
        "commit": commit(),
        "host": platform.node(),
        "directory": os.getcwd(),
        "time": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
    }
