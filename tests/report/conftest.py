"""An experiment in miniature: trials, two systems, and what made them."""

from pathlib import Path

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.io.ark import ArkWriter
from asdkit.io.run_results import describe_inputs, store_result
from asdkit.report.evaluations import evaluate, find_keys
from asdkit.report.lineage import Lineage

NUM_SPKS, NUM_UTTS = 16, 4
EVIL = "<script>alert(1)</script>"
ORIGIN = {"command": "asdkit x", "version": "1", "commit": "abc", "host": "h"}


def write(path, lines):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture
def experiment(tmp_path, monkeypatch, rng):
    """Write data/test and exp/; return how to add a system that separates so well."""
    monkeypatch.chdir(tmp_path)
    spks = [f"s{n:02d}" for n in range(NUM_SPKS)]
    utts = [(f"{spk}-{n}", spk) for spk in spks for n in range(NUM_UTTS)]
    write("data/test/utt2spk", [f"{utt} {spk}" for utt, spk in utts])
    write("data/test/spk2gender", [f"{x} {'fm'[n % 2]}" for n, x in enumerate(spks)])
    seconds = rng.uniform(1, 5, len(utts)).round(2)
    lines = [f"{utt} {x}" for (utt, _), x in zip(utts, seconds, strict=True)]
    write("data/test/utt2dur", lines)
    pairs = [(a, b) for a in utts for b in utts if a[0] < b[0]]
    same = np.array([a[1] == b[1] for a, b in pairs])
    word = {True: "target", False: "nontarget"}
    key = [
        f"{a[0]} {b[0]} {word[bool(x)]}" for (a, b), x in zip(pairs, same, strict=True)
    ]
    write("data/test/trials", key)
    shared = rng.normal(size=len(pairs))

    def add(name, lift, folder=None):
        folder = Path("exp", folder or name)
        values = 3 * lift * (same - 0.5) + shared + 0.5 * rng.normal(size=len(pairs))
        rows = zip(pairs, values, strict=True)
        scores = folder / "scores"
        write(scores, [f"{a[0]} {b[0]} {x:.5f}" for (a, b), x in rows])
        with ArkWriter(folder / "test", "embedding") as writer:
            for utt, spk in utts:
                mean = np.random.default_rng(spks.index(spk)).normal(size=8)
                writer[utt] = (mean + 0.2 * rng.normal(size=8)).astype("f4")
        note(folder, "nnet-train", ".", {"data_dir": ["data/test"]})
        note(folder / "test", "nnet-extract", ".", {"net_dir": [folder]})
        vectors = [folder / "test/embedding.scp"]
        inputs = {"trials": ["data/test/trials"], "vectors": vectors}
        note(folder, "backend-score", "scores", inputs)
        return str(scores)

    return add


def note(folder, program, output, inputs):
    entry = {
        "program": program,
        "output": output,
        "inputs": describe_inputs(folder, inputs),
        "provenance": ORIGIN,
        "cost": {"wall_sec": 90.0, "cpu_sec": 36.0, "gpu_sec": 0.0, "peak_mb": 1.0},
    }
    if program == "nnet-train":
        size = {"name": "parameters", "value": 6.63e6, "unit": "parameters"}
        entry["metrics"] = [size]
        entry["history"] = [{"loss": 3.0 / n, "step": n} for n in (1, 2, 3)]
    store_result(folder, f"{program} {output}", entry)


@pytest.fixture
def measured(experiment):
    """Add two systems, measured by score-metrics; return their score files."""
    scores = [experiment("good", 1.0), experiment("bad", 0.6)]
    assert main(["score-metrics", "data/test/trials", *scores]) == 0
    return scores


@pytest.fixture
def found(measured):
    """The two systems, measured together."""
    lineage = Lineage(["exp"])
    ((key, paths),) = find_keys(lineage).items()
    return evaluate(key, paths, lineage)
