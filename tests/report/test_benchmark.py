"""Scores of others beside a baseline on the same audio, trained or taken."""

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from asdkit.base.errors import AsdkitError, DataError
from asdkit.corpora.recordings import prepare_recordings
from asdkit.io.trials import read_trials, write_scores
from asdkit.report.benchmark import benchmark


@pytest.fixture
def corpus(tmp_path, monkeypatch, rng, draw_voices):
    """Six speakers to train on, four to test, VoxCeleb's list and scores of others."""
    monkeypatch.chdir(tmp_path)
    for part, num_spks in (("train", 6), ("test", 4)):
        draw_voices(tmp_path / part, num_spks, 3, 1.0, ".wav")
        prepare_recordings(part, f"data/{part}")
    names = sorted(f"{x.parent.name}/{x.name}" for x in tmp_path.glob("test/*/*.wav"))
    pairs = [(a, b) for a in names for b in names if a < b]
    bits = [int(a.split("/")[0] == b.split("/")[0]) for a, b in pairs]
    lines = [f"{bit} {a} {b}\n" for bit, (a, b) in zip(bits, pairs, strict=True)]
    (tmp_path / "list.txt").write_text("".join(lines))
    lines = [
        f"{bit + rng.normal() / 3:.4f} {a} {b}\n"
        for bit, (a, b) in zip(bits, pairs, strict=True)
    ]
    (tmp_path / "theirs.gz").write_bytes(gzip.compress("".join(lines).encode()))
    return tmp_path


def score(words):
    """Stand in for the program that scores: what it writes is all that is needed."""
    if words[0] == "data-subset" and words[-1] == "exp/data/test":
        shutil.copytree(words[1], words[2])
    if words[0] not in ("trials-score", "backend-score"):
        return
    trials = read_trials("exp/data/test/trials")
    rng = np.random.default_rng(1)
    values = trials.is_target + rng.normal(size=len(trials))
    Path(words[-1]).parent.mkdir(parents=True, exist_ok=True)
    write_scores(words[-1], trials, values)


def test_a_baseline_is_taken_and_compared_with(corpus):
    started = []

    def run(words):
        started.append(words)
        score(words)

    options = {"baseline": "exp/extractor", "backend": "plda.npz", "bootstrap": 200}
    arguments = ("exp", "list.txt", "data/test", ["VoxSRC=theirs.gz"])
    systems, pairs = benchmark(*arguments, **options, run=run)
    assert [row[0] for row in systems.rows] == ["i-vectors", "VoxSRC"]
    assert "VoxSRC" in str(pairs)
    test = "exp/data/test"
    subset, scored = started
    assert subset == ["data-subset", "data/test", test]
    model = f"trials-score --backend plda.npz exp/extractor {test}"
    scores = "exp/systems/i-vectors/scores.npz"
    assert scored == [*model.split(), f"{test}/trials", scores]
    assert read_trials(f"{test}/trials").enroll_ids[0] == "test0001-01"
    assert "of 4 speakers" in str(systems)  # not of 12 models
    benchmark(*arguments, **options, run=run)
    assert len(started) == 2  # what is there is not made again
    with pytest.raises(DataError, match=r"with backend plda\.npz, not None"):
        benchmark(*arguments, baseline="exp/extractor", run=run)


def test_a_baseline_is_trained_by_the_programs_of_recipes(corpus, monkeypatch):
    monkeypatch.setattr("asdkit.training.sizes.FEWEST_UTTS", 5)
    monkeypatch.setattr("asdkit.training.sizes.FEWEST_MINUTES", 0.1)
    started = []

    def run(words):
        started.append(words[0])
        score(words)

    arguments = ("exp", "list.txt", "data/test", ["theirs.gz"])
    benchmark(*arguments, train="data/train", bootstrap=200, run=run)
    assert started == [
        *("data-subset", "data-subset"),
        *(["feats-compute", "vad-compute"] * 2),
        *("ubm-train", "ivector-train", "ivector-extract", "ivector-extract"),
        *("backend-train", "backend-score"),
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "expected --train DATA or --baseline MODEL"),
        ({"train": "a", "baseline": "b"}, "and not both"),
        ({"train": "data/test"}, "4 of its speakers are in data/test, too"),
        ({"train": "data/train"}, "counted 6 speakers, 18 utterances"),
    ],
)
def test_what_cannot_be_compared_is_one_line(corpus, options, words):
    with pytest.raises(AsdkitError, match=words):
        benchmark("exp", "list.txt", "data/test", ["theirs.gz"], **options, run=score)


def test_trials_without_audio_are_refused(corpus):
    (corpus / "list.txt").write_text("1 x/01.wav y/01.wav\n0 x/01.wav z/01.wav\n")
    with pytest.raises(DataError, match="1 of its 1 utterances are not in data/test"):
        benchmark(
            *("exp", "list.txt", "data/test", ["theirs.gz"]), baseline="b", run=score
        )
