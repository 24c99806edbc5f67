"""results.json: what is in it, who replaces whom, what a broken one says."""

import hashlib
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asdkit.base.errors import DataError
from asdkit.io.run_results import (
    RUN_RESULTS,
    describe_inputs,
    place_of,
    read_results,
    relative_to,
    results_below,
    sha256_of,
    store_result,
)

ENTRY = {"program": "ubm-train", "output": ".", "inputs": {}, "provenance": {}}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_entry_replaces_its_own_and_keeps_others():
    store_result(Path("exp"), "a", ENTRY)
    store_result(Path("exp"), "b", ENTRY)
    store_result(Path("exp"), "a", ENTRY | {"output": "x"})
    assert read_results("exp") == {"b": ENTRY, "a": ENTRY | {"output": "x"}}
    assert os.listdir("exp") == [RUN_RESULTS]  # neither lock nor temporary file


def test_what_json_has_no_form_for_is_text():
    options = {"max_grad_norm": float("inf"), "sizes": (1, float("nan"))}
    options |= {"file": Path("a"), "weight": None, "flag": True, "rate": 0.1}
    store_result(Path(), "train", ENTRY | {"options": options})
    expected = {"max_grad_norm": "inf", "sizes": [1, "nan"], "file": "a"}
    expected |= {"weight": None, "flag": True, "rate": 0.1}
    assert read_results(".")["train"]["options"] == expected


def test_programs_that_write_at_the_same_time_lose_nothing():
    Path("exp").mkdir()
    code = (
        "import sys; from pathlib import Path;"
        "from asdkit.io.run_results import store_result\n"
        "for n in range(5): store_result(Path('exp'), sys.argv[1] + str(n),"
        " {'program': 'p', 'output': '.', 'inputs': {}, 'provenance': {}})"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, name]) for name in "abcd"]
    assert not any(run.wait() for run in runs)
    assert len(read_results("exp")) == 20


def test_a_directory_that_cannot_be_written_is_one_warning(caplog):
    Path("file").touch()
    with caplog.at_level(logging.WARNING):
        store_result(Path("file/exp"), "a", ENTRY)
    assert len(caplog.records) == 1
    assert "results" in caplog.text


def test_a_damaged_file_is_a_warning_for_who_writes_and_an_error_for_who_reads(caplog):
    Path(RUN_RESULTS).write_text("{")
    with caplog.at_level(logging.WARNING):
        store_result(Path(), "a", ENTRY)
    assert len(caplog.records) == 1
    assert Path(RUN_RESULTS).read_text() == "{"
    with pytest.raises(DataError, match="expected JSON"):
        read_results(".")


@pytest.mark.parametrize(
    ("whole", "problem"),
    [
        ([], "expected results of asdkit"),
        ({"format": "asdkit results", "version": 2}, "expected version 1, got 2"),
        ({"format": "asdkit results", "version": 1, "entries": {"a": 1}}, "entries"),
        ({"format": "asdkit results", "version": 1}, "expected entries"),
    ],
)
def test_what_is_not_results_is_said(whole, problem):
    Path(RUN_RESULTS).write_text(json.dumps(whole))
    with pytest.raises(DataError, match=problem):
        read_results(".")


def test_no_directory_and_no_file_are_one_line():
    with pytest.raises(DataError, match="expected a directory"):
        results_below("absent")
    with pytest.raises(DataError, match="cannot read"):
        read_results("absent")


def test_all_directories_below_are_read():
    store_result(Path("exp/b"), "a", ENTRY)
    store_result(Path("exp/a/c"), "a", ENTRY)
    assert [str(path) for path in results_below("exp")] == ["exp/a/c", "exp/b"]


def test_paths_are_as_seen_from_the_results(folder):
    Path("exp/net").mkdir(parents=True)
    Path("data").mkdir()
    Path("data/trials").write_text("a b target\n")
    assert place_of("exp/net") == (Path("exp/net"), ".")
    assert place_of("exp/net/scores") == (Path("exp/net"), "scores")
    assert relative_to(Path("exp/net"), "data/trials") == "../../data/trials"
    assert relative_to(folder, "/etc/hosts") == "/etc/hosts"
    found = describe_inputs(Path("exp/net"), {"trials": ["data/trials"], "d": ["data"]})
    digest = hashlib.sha256(b"a b target\n").hexdigest()
    assert found["trials"] == [{"path": "../../data/trials", "sha256": digest}]
    assert found["d"] == [{"path": "../../data"}]
    assert sha256_of("data/trials") == digest
