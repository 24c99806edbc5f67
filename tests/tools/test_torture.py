"""tools/torture: what it damages, what it takes for the same, and how it judges."""

import gzip
import importlib
import json
import random
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from asdkit.io.store import save_arrays
from asdkit.io.tensors import save_tensors

TOOLS = Path(__file__).parents[2] / "tools"
COMMAND = "2026-11-30 19:43:21 INFO [__main__:138] asdkit x data"
ERROR = "asdkit x: error: data/a: expected b, got 'c'"
WARNING = "2026-11-30 19:43:21 WARNING [tables:1] text: data/a: cut short?"
COUNT = "2026-11-30 19:43:21 INFO [x:1] x: 24 utterances (1 without a speaker)"


@pytest.fixture(scope="module", autouse=True)
def modules():
    """Import the package from where torture.sh does."""
    sys.path.insert(0, str(TOOLS))
    names = ("mutations", "probes", "runs", "trees", "verdicts", "hostile", "absurd")
    yield {name: importlib.import_module(f"torture.{name}") for name in names}
    sys.path.remove(str(TOOLS))


@pytest.fixture
def mutations(modules):
    return modules["mutations"]


@pytest.fixture
def trees(modules):
    return modules["trees"]


def test_a_damage_is_the_same_whenever_it_is_drawn(mutations):
    for kind, found in mutations.MUTATIONS.items():
        content = b"utt1 spk1 0.5\nutt2 spk1 1.5\n" * 50
        content = gzip.compress(content, mtime=0) if kind == "manifest" else content
        for mutation in found:
            changed = [mutation(content, random.Random(5)) for _ in range(2)]
            assert changed[0] == changed[1]
            assert changed[0] != content


def test_numbers_in_archives_are_left_alone(mutations):
    """A flipped bit in one of them is another number, as good as the first."""
    header = b"utt1 \0BFM \4" + (3).to_bytes(4, "little") + b"\4" + b"\2\0\0\0"
    content = header + np.full(6, 1.5, np.float32).tobytes()
    for seed in range(50):
        changed = mutations.flip_structure(content, random.Random(seed))
        assert changed != content
        assert changed[len(header) :] == content[len(header) :]


def test_kinds_are_told_by_name_and_content(mutations):
    for name, kind in {
        "a/feats.ark": "ark",
        "data/recordings.jsonl.gz": "manifest",
        "data/utt2spk": "table",
        "data/utt2num_frames": "counts",
        "kaldi/backend/plda": "kaldi",
        "exp/scores2": "scores",
        "data/trials": "trials",
        "conf/mfcc.conf": "conf",
        "README": None,
    }.items():
        assert mutations.kind_of(name, b"text") == kind
    assert mutations.kind_of("exp/backend", b"PK\3\4...") == "npz"


def test_when_and_how_fast_a_file_was_made_is_no_difference(
    trees, tmp_path, monkeypatch
):
    for number in (1, 2):
        monkeypatch.setattr("sys.argv", ["asdkit", f"run{number}"])
        save_arrays(tmp_path / f"{number}.npz", "X", {"a": 1}, {"x": np.ones(3)})
        history = [{"loss": 0.5, "utts/s": 10.0 * number}]
        tensors = {"w": torch.ones(2), "history": history}
        save_tensors(tmp_path / f"{number}.pt", "X", {"a": 1}, tensors)
        feats = {"type": "mfcc", "provenance": {"time": number}}
        (tmp_path / f"{number}.json").write_text(json.dumps(feats))
    for suffix in ("npz", "pt", "json"):
        one, two = (trees.meaning(tmp_path / f"{n}.{suffix}") for n in (1, 2))
        assert one == two
    save_arrays(tmp_path / "3.npz", "X", {"a": 1}, {"x": np.array([1, 1, 1.0000001])})
    assert trees.meaning(tmp_path / "3.npz") != trees.meaning(tmp_path / "1.npz")
    save_tensors(tmp_path / "3.pt", "X", {"a": 2}, tensors)
    assert trees.meaning(tmp_path / "3.pt") != trees.meaning(tmp_path / "1.pt")


def test_a_tree_becomes_what_it_was(trees, tmp_path):
    root = tmp_path / "world"
    (root / "a").mkdir(parents=True)
    for name in ("a/one", "a/two", "three"):
        (root / name).write_text(name)
    tree = trees.Tree(root, tmp_path / "copy")
    (root / "a/one").write_text("other")
    (root / "a/two").unlink()
    (root / "new").mkdir()
    (root / "new/file").write_text("")
    (root / "three").unlink()
    (root / "three").symlink_to("three")
    changed = trees.changes(tree.stamps, trees.take_stamps(root))
    assert changed == ["a/one", "a/two", "new", "new/file", "three"]
    tree.restore()
    assert trees.changes(tree.stamps, trees.take_stamps(root)) == []
    assert {x.name: x.read_text() for x in root.rglob("*") if x.is_file()} == {
        "one": "a/one",
        "two": "a/two",
        "three": "three",
    }


@pytest.fixture
def judged(modules, tmp_path):
    """Judge how a program ended, and what it wrote, beside a result of {"out": "x"}."""
    trees, runs = modules["trees"], modules["runs"]

    def judge(*said, code=0, writes=("out", "x"), hung="", is_open=False):
        place = tmp_path / "place"
        root = place / "world"
        (root / "data").mkdir(parents=True)
        (root / "data/a").write_text("c")
        tree = trees.Tree(root, place / "pristine")
        probe = modules["probes"].Probe(["x", "data"])
        probe.result = {"out": trees.digest(b"x"), "stdout": ""}
        if writes:
            (root / writes[0]).write_text(writes[1])
        stderr = "".join(f"{line}\n" for line in (COMMAND, *said))
        done = runs.Run(["x", "data"], code, "", stderr, hung)
        judge = modules["verdicts"].judge
        return judge(probe, done, tree, tree.stamps, ["data/a"], is_open)

    return judge


@pytest.mark.parametrize(
    ("word", "said", "ending"),
    [
        ("same result", [], {}),
        ("same result", [WARNING], {}),
        ("silent", [], {"writes": ("out", "y")}),
        ("silent", [], {"writes": None}),
        ("any result", [], {"writes": ("out", "y"), "is_open": True}),
        ("silent", [], {"writes": ("out", "u1 nan\n"), "is_open": True}),
        ("warned", [WARNING], {"writes": ("out", "y")}),
        ("warned", [COUNT], {"writes": ("out", "y")}),
        ("refused", [ERROR], {"code": 1, "writes": None}),
        ("refused", [ERROR, "  hint: do so"], {"code": 2, "writes": None}),
        ("leftovers", [ERROR], {"code": 1}),
        ("leftovers", [], {"writes": (".out.123.tmp", "x")}),
        ("unclear", [], {"code": 1, "writes": None}),
        ("unclear", [ERROR, ERROR], {"code": 1, "writes": None}),
        ("unclear", ["noise of a C library"], {}),
        ("unclear", [f"{ERROR}\x1b[31m"], {"code": 1, "writes": None}),
        ("traceback", ["Traceback (most recent call last):"], {"code": 1}),
        ("traceback", [], {"code": -11}),
        ("hung", [], {"code": -9, "hung": "it waited"}),
        ("let in", [], {"writes": ("CANARY", "")}),
        ("let in", [], {"writes": ("../CANARY", "")}),
    ],
)
def test_every_end_has_its_word(judged, word, said, ending):
    verdict = judged(*said, **ending)
    assert verdict.word == word, verdict


def test_an_error_about_another_file_is_told(judged):
    assert not judged(ERROR, code=1, writes=None).elsewhere


def test_an_error_about_the_wrong_file_is_told(judged):
    wrong = "asdkit x: error: other/b: expected b"
    assert judged(wrong, code=1, writes=None).elsewhere


def test_every_hostile_manifest_has_a_name_of_its_own(modules):
    names = [name for name, _ in modules["hostile"].corpus()]
    assert len(names) == len(set(names)) > 200


def test_long_runs_are_not_asked_for(modules):
    values = list(modules["absurd"].values_of("ubm-train"))
    assert ("--num-gauss", "1000000000") in values
    assert ("--num-full-iters", "1000000000") not in values
    assert ("--num-full-iters", "-1") in values


@pytest.fixture
def sent(modules):
    return importlib.import_module("torture.uploads")


def test_uploads_are_the_same_whenever_they_are_drawn(sent):
    first, again = (list(islice(sent.uploads(3), 300)) for _ in range(2))
    assert first == again
    assert len({name for name, _ in first}) > 120
    assert any("CANARY" in name or b"CANARY" in data for name, data in first)
    assert [name for name, _ in first] != [x for x, _ in islice(sent.uploads(4), 300)]


def answer(status, body, kind=b"application/json"):
    head = b"HTTP/1.1 %d X\r\ncontent-type: %s\r\n" % (status, kind)
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


@pytest.mark.parametrize(
    ("word", "found", "seconds"),
    [
        ("answered", answer(200, b'{"score": 1.5}'), 1),
        ("answered", answer(200, b"<!doctype html>", b"text/html"), 1),
        ("refused", answer(422, b'{"error": "no sound"}\n'), 1),
        ("refused", answer(501, b'{"error": "x", "hint": "y"}\n'), 1),
        ("closed", b"", 1),
        ("hung", answer(200, b"{}"), 100),
        ("failed", answer(500, b'{"error": "the server fails"}\n'), 1),
        ("failed", b"nonsense", 1),
        ("unclear", answer(200, b'{"score": NaN}'), 1),
        ("unclear", answer(422, b"Invalid request"), 1),
        ("unclear", answer(422, b'{"detail": "x"}\n'), 1),
        ("unclear", answer(422, b'{"error":\n"x"}\n'), 1),
        ("unclear", answer(422, b'{"error": "/tmp/x: cannot"}\n'), 1),
    ],
)
def test_an_upload_is_judged_by_its_answer(sent, word, found, seconds):
    assert sent.judge(found, seconds)[0] == word
