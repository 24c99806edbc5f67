"""The program, with a bundle that stands in for a real one."""

import json
import os
import threading

import numpy as np
import pytest

from asdkit.__main__ import main


@pytest.fixture
def pipe(monkeypatch, bundle):
    """Let bytes be what standard input holds."""

    def fill(data):
        there, here = os.pipe()

        def write():
            with os.fdopen(here, "wb") as stream:
                stream.write(data)

        threading.Thread(target=write).start()
        monkeypatch.setattr("sys.stdin", os.fdopen(there))

    return fill


SOUND = (3000 * np.sin(np.arange(40000) / 9)).astype("<i2").tobytes()
WORDS = ["stream", "--model", "m", "--enroll", "good.wav"]


def test_a_line_each_second_and_a_summary(pipe, capsys):
    pipe(SOUND)
    assert main(WORDS) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [x.split()[0] for x in lines[:3]] == ["1.0", "2.0", "2.5"]
    assert "the same speaker" in lines[3]
    assert "3 decisions about 2.50 s of sound; delay" in lines[4]


def test_json_has_a_line_each_second(pipe, capsys):
    pipe(SOUND)
    assert main([*WORDS, "--json"]) == 0
    done = capsys.readouterr()
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [x["total_sec"] for x in rows] == [1.0, 2.0, 2.5]
    assert "s of CPU per second of sound" in done.err


def test_nothing_is_an_error_of_one_line(pipe, capsys):
    pipe(b"")
    assert main(WORDS) == 1
    assert "standard input: expected samples, got none" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*WORDS, "--encoding", "mp3"])
