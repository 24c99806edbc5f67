import itertools
import sys

import pytest

from asdkit.base import progress


@pytest.fixture
def minutes(monkeypatch):
    """A clock that goes on by half a minute with every look."""
    seconds = itertools.count(step=30.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(seconds))


@pytest.mark.usefixtures("minutes")
def test_a_log_gets_a_line_a_minute(caplog):
    caplog.set_level("INFO")
    assert list(progress.watch(iter(range(6)), 6, "work")) == [0, 1, 2, 3, 4, 5]
    assert [record.getMessage() for record in caplog.records] == [
        "work: 1/6, 5.0 min left",
        "work: 3/6, 2.0 min left",
        "work: 5/6, 0.6 min left",
    ]


def test_a_short_run_says_nothing(caplog):
    caplog.set_level("INFO")
    assert list(progress.watch("abc", 3, "work")) == ["a", "b", "c"]
    assert not caplog.records


def test_a_terminal_gets_a_bar(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(progress.watch("abc", 3, "work")) == ["a", "b", "c"]
    assert "work: " in capsys.readouterr().err


@pytest.mark.usefixtures("minutes")
def test_other_ranks_are_silent(monkeypatch, caplog, capsys):
    caplog.set_level("INFO")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(progress, "is_main", lambda: False)
    assert list(progress.watch("abc", 3, "work")) == ["a", "b", "c"]
    assert not caplog.records
    assert not capsys.readouterr().err
