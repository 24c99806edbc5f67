"""What programs import: half of what a short job takes.

No program needs torch, lhotse, scipy or soundfile to print its help.  Programs that
read text files and vectors need neither torch nor lhotse to run.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from asdkit import __main__ as command
from asdkit.data.manifests import (
    Utterance,
    read_manifests,
    write_manifests,
    write_utterances,
)
from asdkit.io.ark import ArkWriter
from asdkit.io.run_costs import append_run_cost
from asdkit.io.tables import write_table

# Refuses to import what its first argument names, by an error that no program catches.
GUARD = """
import sys

BLOCKED = set(sys.argv.pop(1).split(","))

class Guard:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise AssertionError(f"{name} is imported")

sys.meta_path.insert(0, Guard)
"""
HELP = """
import contextlib, io
from asdkit.__main__ import main, programs

wrong = 0
for name in programs():
    for words in (["--help"], ["--help", "all"]):
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                main([name, *words])
        except SystemExit as end:
            assert end.code == 0
        except Exception as error:
            wrong += 1
            print(f"{name} {words}: {error!r}")
sys.exit(wrong > 0)
"""
RUN = """
from asdkit.__main__ import main

sys.exit(main())
"""


def run_guarded(code, blocked, *words, cwd=None):
    """Run code in a Python that refuses some imports."""
    argv = [sys.executable, "-c", GUARD + code, ",".join(blocked), *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, cwd=cwd)


def test_the_guard_refuses_what_it_should(tmp_path):
    for name in ("torch", "torch.nn", "lhotse"):
        done = run_guarded(f"import {name}", ["torch", "lhotse"])
        assert "is imported" in done.stderr
    assert run_guarded("import json", ["torch"]).returncode == 0


def test_help_of_no_program_imports_what_is_slow():
    slow = ["torch", "torchaudio", "lhotse", "scipy", "soundfile", "sklearn", "numpy"]
    done = run_guarded(HELP, slow)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Small inputs of all programs below, in a folder."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("start_up")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_files(rng)
    return folder


def write_files(rng):
    spk_of = {f"s{i % 6}-u{i:02d}": f"s{i % 6}" for i in range(36)}
    write_table("data/utt2spk", spk_of)
    write_table("utt2dur", {utt: 1 + i % 7 for i, utt in enumerate(spk_of)})
    voice = {spk: rng.normal(size=4) for spk in sorted(set(spk_of.values()))}
    with ArkWriter("ark", "vectors") as writer:
        for utt, spk in spk_of.items():
            writer[utt] = (voice[spk] + 0.7 * rng.normal(size=4)).astype(np.float32)
    with ArkWriter("energies", "feats") as writer:
        for utt in spk_of:
            writer[utt] = rng.normal(size=(20, 3)).astype(np.float32)
    trials, scores = [], []
    for a in spk_of:
        for b in spk_of:
            is_target = spk_of[a] == spk_of[b]
            trials.append(f"{a} {b} {'target' if is_target else 'nontarget'}\n")
            scores.append(f"{a} {b} {rng.normal() + is_target:.4f}\n")
    Path("trials").write_text("".join(trials))
    Path("scores").write_text("".join(scores))
    Path("list").write_text("1 id10270/x6u/00001.wav id10270/8jE/00008.wav\n")
    utts = ["id10270-x6u-00001", "id10270-8jE-00008"]
    write_table("vox/utt2spk", dict.fromkeys(utts, "id10270"))
    attacks = {f"c{i}": "bonafide" if i % 2 else f"A0{1 + i % 4}" for i in range(40)}
    write_table("cm/utt2attack", attacks)
    cm = {u: rng.normal() + (a == "bonafide") for u, a in attacks.items()}
    write_table("cm_scores", {utt: f"{score:.4f}" for utt, score in cm.items()})
    cost = {"wall_sec": 1.0, "cpu_sec": 1.0, "gpu_sec": 0.0, "peak_mb": 50.0}
    Path("exp").mkdir()
    append_run_cost("exp", {"program": "ubm-train", "energy_wh": None, **cost})
    write_localized(rng)
    for words in (
        "backend-train --steps center,plda data/utt2spk scp:ark/vectors.scp b.npz",
        "backend-score b.npz trials scp:ark/vectors.scp plda_scores",
        "calibration-train trials scores calibration.npz",
        "calibration-train trials scores scores2 fusion.npz",
    ):
        if "scores2" in words:
            lines = [line.split() for line in scores]
            noisy = (f"{a} {b} {float(s) + rng.normal():.4f}\n" for a, b, s in lines)
            Path("scores2").write_text("".join(noisy))
        assert command.main(words.split()) == 0


def write_localized(rng):
    """Write a data directory with partial spoofs, and what cm-localize wrote of it."""
    utts = [Utterance(f"p{i}", "s", "x.wav", False, 0, 1.0, 0, 16000) for i in range(2)]
    write_utterances("spliced", utts)
    manifests = read_manifests("spliced")
    for item in manifests.supervisions.values():
        spoof = {"attack": "A01", "spoofed": [[0.2, 0.5]]}
        item.custom = spoof if item.id == "p0" else {"attack": "bonafide"}
    write_manifests("spliced", *(part.values() for part in manifests))
    write_table("spliced/feats.scp", {"p0": "feats.ark:3", "p1": "feats.ark:9"})
    with ArkWriter("loc", "smoothed") as soft, ArkWriter("loc", "bonafide") as paths:
        for utt in ("p0", "p1"):
            soft[utt] = rng.normal(size=98).astype(np.float32)
            paths[utt] = np.arange(98, dtype=np.float32) // 49
    write_table("loc/scores", {"p0": -1.0, "p1": 1.0})


@pytest.mark.parametrize(
    "line",
    [
        "score-metrics trials scores",
        "score-metrics --bootstrap 10 trials scores scores2",
        "score-metrics --flavor asvspoof2019 cm/utt2attack cm_scores",
        "score-check trials scores",
        "score-check --flavor asvspoof2019 cm/utt2attack cm_scores",
        "score-calibrate calibration.npz scores llrs",
        "score-fuse fusion.npz scores scores2 llrs",
        "score-normalize b.npz scp:ark/vectors.scp scp:ark/vectors.scp plda_scores x",
        "backend-score b.npz trials scp:ark/vectors.scp new_scores",
        "backend-score b.npz trials scp:ark/vectors.scp new_scores.npz",
        "backend-metrics --cohort scp:ark/vectors.scp b.npz data/utt2spk "
        "scp:ark/vectors.scp",
        "trials-make data new_trials",
        "trials-import list vox new_trials",
        "segment-metrics spliced loc",
        "vad-compute --vad-energy-threshold 0 energies exp/vad",
        "cost-table exp",
        "model-info b.npz",
    ],
)
def test_scores_and_tables_are_had_without_what_is_slow(files, line):
    slow = ["torch", "lhotse", "scipy", "soundfile"]
    done = run_guarded(RUN, slow, *line.split(), cwd=files)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "calibration-train --duration utt2dur trials scores new.npz",
        "backend-train --lda-dim 3 data/utt2spk scp:ark/vectors.scp new.npz",
        "backend-adapt b.npz scp:ark/vectors.scp new.npz",
    ],
)
def test_what_is_fitted_to_vectors_needs_neither_torch_nor_lhotse(files, line):
    done = run_guarded(RUN, ["torch", "lhotse"], *line.split(), cwd=files)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "name", ["bin.verify", "inference.bundle", "inference.streaming"]
)
def test_verify_and_stream_start_without_what_they_do_not_use(name):
    heavy = ["torch", "lhotse", "scipy", "multiprocessing", "email"]  # metadata's
    heavy += ["fastapi", "uvicorn", "starlette", "sounddevice"]
    done = run_guarded(f"import asdkit.__main__, asdkit.{name}", heavy)
    assert done.returncode == 0, done.stderr


def test_a_server_needs_its_extra_only_when_it_is_made():
    slow = ["torch", "lhotse", "scipy", "fastapi", "uvicorn", "starlette", "h11"]
    done = run_guarded("import asdkit.bin.serve, asdkit.inference.serving", slow)
    assert done.returncode == 0, done.stderr
