"""egs/asvspoof2019/v1 as a user runs it, on ASVspoof 2019's layout in miniature."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.linalg import norm

from asdkit.base.options import choice_of
from asdkit.batches.cut_arrays import load_samples
from asdkit.bin import cm_gmm_train, cm_train, feats_compute
from asdkit.data.cuts import read_cuts
from asdkit.features.registry import FEATURES, FRONT_ENDS
from asdkit.io.protocols import read_asv_protocol
from asdkit.io.tables import read_table
from asdkit.io.trials import read_scores
from asdkit.losses.registry import LOSSES
from asdkit.nnet.registry import MODELS

ROOT = Path(__file__).parents[2]
CONF = ROOT / "egs" / "asvspoof2019" / "v1" / "conf"
NETS = sorted(path.stem for path in (CONF / "small").glob("*.conf"))
BASELINES = sorted(path.stem for path in CONF.glob("*_gmm.conf"))
NUM_TRIALS = 4 * 2  # bona fide utterances of eval, and as many spoofed ones
TINY = """\
--network=lcnn
--channels=4
--embedding-dim=8
--features=lfcc
--delta-order=2
--chunk-frames=50
--batch-size=8
--num-epochs=2
--averaging=best
"""
SIZES = "--num-gauss 8 --bootstrap 20 --asv-num-gauss 4 --ivector-dim 4 --lda-dim 3"


@pytest.fixture
def recipe(tmp_path, copied):
    """Copy the recipe and what it sources; return its directory."""
    here = copied(tmp_path, "asvspoof2019/v1")
    (here / "conf" / "tiny.conf").write_text(TINY)
    return here


def run(recipe, *options):
    command = ["./run.sh", "--net", "tiny", *SIZES.split(), *options]
    done = subprocess.run(command, cwd=recipe, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def rows_of(printed):
    """Read the cells of the rows of Markdown tables."""
    rows = re.findall(r"^\| (.*) \|$", printed, re.MULTILINE)
    return [row.split(" | ") for row in rows]


def confs(*names):
    return [f"--config={CONF / name}.conf" for name in names]


@pytest.mark.parametrize("size", ["full", "small"])
@pytest.mark.parametrize("net", NETS)
def test_every_conf_says_what_cm_train_takes(net, size, parse_conf):
    names = [net] if size == "full" else [net, f"{size}/{net}"]
    args = parse_conf(cm_train, confs(*names))
    for flag, choices in {
        "network": MODELS,
        "loss": LOSSES,
        "features": FRONT_ENDS,
    }.items():
        choice_of(args, flag, choices)  # refuses what the chosen one does not have


@pytest.mark.parametrize("baseline", BASELINES)
def test_derivatives_of_every_baseline_stay_within_the_jitter_of_vocoders(
    baseline, parse_conf
):
    """RESULTS.md: at 25 ms on each side, and at 2, Griffin-Lim is not found."""
    kind = baseline.removesuffix("_gmm")
    args = parse_conf(feats_compute, confs(kind))
    front_end, options = choice_of(args, "type", FEATURES)
    window = parse_conf(cm_gmm_train, confs(baseline)).delta_window
    assert 6 < window * front_end(**options).frame_shift <= 10


@pytest.mark.slow
def test_logical_access_ends_in_tables_alone_and_in_tandem(
    asvspoof2019, recipe, by_stage
):
    kinds = " ".join(name.removesuffix("_gmm") for name in BASELINES)
    options = ["--corpus", asvspoof2019, "--baselines", kinds, "--net", "tiny"]
    printed = by_stage(recipe, *options, *SIZES.split())
    systems = [*BASELINES, "tiny"]
    fused = [f"{x}, {form}" for x in systems for form in ("linear", "nonlinear")]
    rows = rows_of(printed)
    assert [name for name, *_ in rows] == [
        *("system", "---", *systems),
        *("system", "---", "ASV alone", *fused),
    ]
    assert rows[0][2:] == ["dev EER %", "EER %", "A07", "A08", "min t-DCF(2019)"]
    rated = [row for row in rows if row[1] not in ("seeds", "--:")]
    assert all(cells[0] == "1" for _, *cells in rated)
    errors = {name: float(cells[2]) for name, *cells in rated[: len(systems)]}
    assert errors["lfcc_gmm"] < 25  # it hears these attacks
    for system in systems:  # with intervals, of every attack
        pattern = rf"^exp/la/{system}/seed0/scores_eval +attack A0[78] .*\[.*\]"
        assert len(re.findall(pattern, printed, re.MULTILINE)) == 2
    pairs = read_scores(recipe / "exp/la/asv/scores_eval")
    assert len(pairs) == NUM_TRIALS * 4 + NUM_TRIALS
    fused = read_scores(recipe / "exp/la/tiny/seed0/tandem_linear/eval_scores")
    assert len(fused) == len(pairs)


@pytest.mark.slow
def test_the_low_end_of_a_data_directory_is_taken_out(
    asvspoof2019, recipe, monkeypatch
):
    monkeypatch.chdir(recipe)
    run(recipe, "--corpus", asvspoof2019, "--stop-stage", "0")
    dev = recipe / "data" / "la" / "dev"
    for cutoff in "0", "1000":
        out = [f"data/above_{cutoff}", f"exp/above_{cutoff}"]
        command = [sys.executable, "local/high_pass.py", "--cutoff", cutoff, dev, *out]
        done = subprocess.run(command, cwd=recipe, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
    above = recipe / "data" / "above_1000"
    assert read_table(above / "utt2attack") == read_table(dev / "utt2attack")
    for samples in audio_of(recipe / "data" / "above_0"):
        assert abs(samples.mean()) < 0.5 / 2**15  # half a step of 16 bits
    for before, after in zip(audio_of(dev), audio_of(above), strict=True):
        old, new = (np.fft.rfft(x * np.hanning(len(x))) for x in (before, after))
        low, high = slice(len(old) // 16), slice(len(old) // 4, None)  # of 8 kHz
        assert norm(new[low]) < 0.01 * norm(old[low])
        assert norm(new[high] - old[high]) < 0.03 * norm(old[high])  # 16 bits


def audio_of(data_dir):
    """Load every utterance of a data directory."""
    return [load_samples(cut) for cut in read_cuts(data_dir, False)]


@pytest.fixture
def made(asvspoof2019, recipe, tmp_path):
    """Make PA of LA's bona fide speech; return its folder."""
    command = ["local/make_pa.sh", f"{asvspoof2019}/LA", f"{tmp_path}/made", "abc"]
    done = subprocess.run(command, cwd=recipe, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return tmp_path / "made"


@pytest.mark.slow
def test_physical_access_is_made_of_logical_access_and_rated(made, recipe):
    """Bona fide speech is heard in a room and replayed there, in eval nine ways."""
    options = ["--access", "pa", "--net", "tiny"]
    run(recipe, *options, "--corpus", made, "--stop-stage", "0")
    ids = {f"{distance}{quality}" for distance in "ABC" for quality in "ABC"}
    for part, ways in ("dev", 1), ("eval", 9):
        data = recipe / "data" / "pa" / part
        counts = Counter(read_table(data / "utt2attack").values())
        assert counts.pop("bonafide") == NUM_TRIALS
        assert counts.total() == NUM_TRIALS * ways
        assert counts.keys() <= ids
        assert set(read_table(data / "utt2environment").values()) == {"abc"}
        trials = read_asv_protocol(data / "asv_trials", "asdkit")
        spoofed = {"spoof": NUM_TRIALS * ways}
        bonafide = {"target": NUM_TRIALS, "nontarget": NUM_TRIALS * 3}
        assert Counter(trials.key) == bonafide | spoofed
        assert set(trials.spk) == set(read_table(data / "asv_enroll.spk2utt"))
    assert not list((recipe / "data" / "make_pa").rglob("*.flac"))
    printed = run(recipe, *options, "--stage", "3", "--stop-stage", "5")
    for attack in ids:
        assert f"exp/pa/tiny/seed0/scores_eval  attack {attack}" in printed
    assert "t-DCF" not in printed  # for want of the organizers' ASV scores
