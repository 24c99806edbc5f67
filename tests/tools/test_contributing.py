"""What tools/CONTRIBUTING.md tells to add can be added as it says, and works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "tools/CONTRIBUTING.md").read_text()
EXAMPLE = re.compile(
    r"^`(asdkit/\S+)`:\n\n```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL
)
SECTIONS = {
    title: EXAMPLE.findall(text)
    for title, text in re.findall(r"^### (.*?)\n(.*?)(?=^### |\Z)", PAGE, re.M | re.S)
}
KINDS = ["network", "loss", "objective", "attack", "metric", "corpus"]
# Runs every program given, one per line, in one process.
RUN = """
import sys
from asdkit.__main__ import main
assert main.__code__.co_filename.startswith(sys.argv[1])
for line in open("commands"):
    assert main(line.split()) == 0, line
"""
COMMANDS = """
folders-prepare corpus data/mine
data-validate data/mine
spoof-simulate --attacks coarse data/mine data/spoof spoofed
nnet-train --network mean-net --channels 6 --loss cosine-softmax --scale 10 \
--objective short-embeddings --length-weight 0.5 --features fbank --num-mel-bins 20 \
--embedding-dim 8 --chunk-frames 30 --batch-size 8 --num-epochs 2 --device cpu \
data/mine exp/net
nnet-extract --device cpu data/mine exp/net exp/net/mine
score-metrics trials scores
"""


def add(tree, path, kind, text):
    """Do to a tree what an example says: a new file, or lines below others."""
    if kind == "python":
        assert not (tree / path).exists()
        (tree / path).write_text(text)
        return
    lines = (tree / path).read_text().splitlines()
    at = None
    for line in text.splitlines():
        if line.startswith("+"):
            at += 1
            lines.insert(at, line[1:])
        else:
            assert lines.count(line[1:]) == 1, f"{path} has no one line {line[1:]!r}"
            at = lines.index(line[1:])
    (tree / path).write_text("\n".join(lines) + "\n")


@pytest.fixture
def tree(tmp_path):
    """A copy of the library to which everything has been added."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "asdkit", tmp_path / "asdkit", ignore=ignored)
    for examples in SECTIONS.values():
        for example in examples:
            add(tmp_path, *example)
    return tmp_path


@pytest.fixture
def inputs(tmp_path, rng):
    """Three speakers with four recordings of noise each; trials and their scores."""
    for spk in "abc":
        (tmp_path / "corpus" / spk).mkdir(parents=True)
        for n in range(4):
            samples = 0.1 * rng.normal(size=16000)
            soundfile.write(tmp_path / "corpus" / spk / f"{n}.wav", samples, 16000)
    keys = ["target", "target", "nontarget", "nontarget"]
    values = [3.0, 5.0, -1.0, 1.0]
    pairs = [f"m{i} t{i}" for i in range(4)]
    for name, column in (("trials", keys), ("scores", values)):
        lines = (f"{pair} {x}\n" for pair, x in zip(pairs, column, strict=True))
        (tmp_path / name).write_text("".join(lines))


def test_there_is_an_example_of_each_kind_and_it_touches_two_files():
    assert [title.split()[-1] for title in SECTIONS] == KINDS
    for title, examples in SECTIONS.items():
        assert len({path for path, _, _ in examples}) == len(examples) == 2, title


@pytest.mark.slow
def test_what_is_added_as_the_page_says_runs(tree, inputs):
    (tree / "commands").write_text(COMMANDS.replace("\\\n", "").lstrip())
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tree)],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    header, row = done.stdout.splitlines()[-2:]
    assert header.index("d'") + 2 == row.index("4.0000") + 6
    terms = re.findall(r"length = ([\d.e-]+)", done.stderr)
    assert terms
    assert np.all(np.array(terms, float) > 0)
    spoofed = (tree / "data/spoof/utt2attack").read_text().split()
    assert spoofed.count("coarse") == 12
    vectors = (tree / "exp/net/mine/embedding.scp").read_text().splitlines()
    assert len(vectors) == 12


def test_the_network_of_the_page_is_a_plugin_outside_the_tree(tmp_path, monkeypatch):
    from asdkit.__main__ import main

    (_, _, text), _ = SECTIONS["A network"]
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "module.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["nnet-info", "my.module:MeanNet"]) == 0


def test_the_examples_are_in_the_style_of_the_house(tree):
    paths = [path for examples in SECTIONS.values() for path, _, _ in examples]
    shutil.copy(ROOT / ".ruff.toml", tree)
    for what in (["check"], ["format", "--check"]):
        command = ["ruff", *what, "--no-cache", *paths]
        done = subprocess.run(
            command, cwd=tree, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
