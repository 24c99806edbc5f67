"""Ctrl-C and SIGTERM while something is imported, and outside of it."""

import os
import subprocess
import sys

import pytest

# Sends itself a signal when a module of the name is looked for.
SENDER = """
import os, signal, sys

class Sender:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == sys.argv[1]:
            sys.meta_path.remove(Sender)
            os.kill(os.getpid(), signal.{number})

sys.meta_path.insert(0, Sender)
"""
MAIN = """
from asdkit.__main__ import main

assert "numpy" not in sys.modules
sys.exit(main(["ubm-train", "data", "exp"]))
"""
SWALLOWING = """
import time
from asdkit.base.interrupts import interrupt_between_imports

try:
    interrupt_between_imports()
    import outer
    print("imported", outer.inner)
    time.sleep(10)
except KeyboardInterrupt:
    print("interrupted", sys.modules["outer"].inner.done)
"""
PLAIN = """
import os, signal, sys
from asdkit.base.interrupts import interrupt_between_imports

signal.signal(signal.SIGINT, getattr(signal, sys.argv[1]))
interrupt_between_imports()
try:
    os.kill(os.getpid(), signal.SIGINT)
    print("ignored")
except KeyboardInterrupt:
    print("interrupted")
"""


def run(program, *arguments, **options):
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, **options
    )


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_what_swallows_errors_of_imports_swallows_no_signal(tmp_path, number):
    """As torch does: what it cannot import it does without."""
    (tmp_path / "inner.py").write_text("import json\ndone = True\n")
    swallow = "try:\n    import inner\nexcept BaseException:\n    inner = None\n"
    (tmp_path / "outer.py").write_text(swallow)
    program = SENDER.format(number=number) + SWALLOWING
    done = run(program, "inner", cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "interrupted True", done.stderr


def test_a_program_interrupted_while_torch_imports_numpy_says_one_line(tmp_path):
    """It went on without numpy, and recursed without an end when numpy came again."""
    (tmp_path / "data").mkdir()
    os.mkfifo(tmp_path / "data/feats.scp")  # the program waits for it
    done = run(SENDER.format(number="SIGINT") + MAIN, "numpy.linalg", cwd=tmp_path)
    *_, said = done.stderr.splitlines()
    assert said == "asdkit ubm-train: interrupted; nothing half-written"
    assert done.returncode == 130


@pytest.mark.parametrize(
    ("before", "outcome"),
    [("default_int_handler", "interrupted"), ("SIG_IGN", "ignored")],
)
def test_outside_of_imports_it_comes_at_once_unless_ignored(before, outcome):
    done = run(PLAIN, before)
    assert done.stdout.split() == [outcome], done.stderr
