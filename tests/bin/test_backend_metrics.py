"""Pairs that are not written have the metrics of those that are."""

import json

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.io.ark import ArkWriter
from asdkit.io.tables import write_table


@pytest.fixture
def files(rng, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for part, num_speakers in (("train", 20), ("test", 12)):
        spk_of = {f"{part}{i % num_speakers:02d}-{i}": "" for i in range(90)}
        spk_of = {utt: utt.partition("-")[0] for utt in spk_of}
        voices = {spk: rng.normal(size=5) for spk in sorted({*spk_of.values()})}
        write_table(f"{part}/utt2spk", spk_of)
        genders = {spk: "mf"[i % 2] for i, spk in enumerate(voices)}
        write_table(f"{part}/spk2gender", genders)
        with ArkWriter(part, "vectors") as writer:
            for utt, spk in spk_of.items():
                writer[utt] = (voices[spk] + rng.normal(size=5)).astype(np.float32)
    train = "--steps center,plda train/utt2spk scp:train/vectors.scp b.npz"
    assert main(["backend-train", *train.split()]) == 0


def answer(capsys, line):
    capsys.readouterr()
    assert main([*line.split(), "--json"]) == 0
    ((row,),) = (table["rows"] for table in json.loads(capsys.readouterr().out))
    return row


@pytest.mark.parametrize("within", ["", "--within test/spk2gender"])
@pytest.mark.parametrize("norm", [False, True])
def test_numbers_are_those_of_four_programs(files, capsys, within, norm):
    cohort, by = "scp:train/vectors.scp", "--cohort-utt2spk train/utt2spk"
    lines = [
        f"trials-make {within} test trials.npz",
        "backend-score b.npz trials.npz scp:test/vectors.scp scores.npz",
        f"score-normalize {by} b.npz {cohort} scp:test/vectors.scp scores.npz n.npz",
    ]
    for line in lines:
        assert main(line.split()) == 0
    scores = "n.npz" if norm else "scores.npz"
    theirs = answer(capsys, f"score-metrics trials.npz {scores}")
    options = f"{within} --cohort {cohort} {by}" if norm else within
    inputs = "b.npz test/utt2spk scp:test/vectors.scp"
    ours = answer(capsys, f"backend-metrics {options} {inputs}")
    for name in ours.keys() - {"vectors"}:
        assert ours[name] == pytest.approx(theirs[name], rel=1e-12), name
