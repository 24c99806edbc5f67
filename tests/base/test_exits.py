"""How a program ends: one line for what is not a bug, whatever raised it."""

import errno

import numpy as np
import pytest
import torch

from asdkit.base import exits
from asdkit.base.errors import DataError
from asdkit.base.exits import at_exit, exit_code

ABSURD = 10**15


def run(program, capsys):
    code = exit_code("asdkit x", program)
    return code, capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    "want",
    [lambda: np.empty(ABSURD), lambda: torch.empty(ABSURD), lambda: b"x" * ABSURD],
    ids=["numpy", "torch", "python"],
)
def test_memory_that_is_not_there_is_one_line(want, capsys):
    """--num-mel-bins 1000000000 was a traceback."""
    code, lines = run(want, capsys)
    assert code == 1
    assert lines[0].startswith("asdkit x: error: not enough memory")
    assert lines[1:] == ["  hint: smaller sizes or batches need less"]


def test_a_gpu_without_memory_is_one_line(capsys):
    def want():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB.\nA")

    code, lines = run(want, capsys)
    assert (code, len(lines)) == (1, 2)
    assert "CUDA out of memory. Tried to allocate 9 GiB." in lines[0]


def test_another_runtime_error_is_a_bug(capsys):
    def fail():
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        exit_code("asdkit x", fail)


def test_a_program_says_at_its_end_what_was_counted_however_it_ends(
    capsys, monkeypatch
):
    said = []
    monkeypatch.setattr(exits, "ENDINGS", [])
    at_exit(lambda: said.append("counted"))

    def fail():
        raise OSError(errno.ENOSPC, "No space left on device", "model.npz")

    assert run(lambda: None, capsys) == (0, [])
    code, lines = run(fail, capsys)
    assert code == 1
    assert lines == ["asdkit x: error: model.npz: No space left on device"]
    assert said == ["counted", "counted"]


def test_an_id_cannot_write_to_the_terminal(capsys):
    def fail():
        raise DataError("a\x1b[31m.wav", "no\x07such\nfile\x9b", hint="rm\r")

    code, lines = run(fail, capsys)
    assert code == 1
    assert lines == [
        r"asdkit x: error: a\x1b[31m.wav: no\x07such",
        r"file\x9b",
        r"  hint: rm\r",
    ]


def test_a_line_of_ten_megabytes_is_not_printed():
    """One 'expected <key> <value>, got ...' had 30 MB."""
    error = DataError("x", f"got {'y' * 10**7!r}\n{'short ' * 10}", line=3)
    assert len(str(error)) < 1200
    assert str(error).startswith("x:3: got 'yyy")
    assert " ... yyy" in str(error)
    assert str(error).endswith("short short ")
