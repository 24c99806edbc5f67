"""egs/asvspoof5/v1 as a user runs it, on ASVspoof 5's layout in miniature."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from asdkit.base.options import choice_of
from asdkit.bin import cm_train
from asdkit.features.registry import FRONT_ENDS
from asdkit.io.cm_scores import read_cm_scores, read_sasv_scores
from asdkit.io.protocols import read_asv_protocol, read_cm_protocol
from asdkit.metrics.eer import eer
from asdkit.nnet.registry import MODELS

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "egs" / "asvspoof5" / "v1"
NETS = ("aasist", "rawnet2")
FOLDERS = {"train": "flac_T", "dev": "flac_D", "eval": "flac_E_eval"}
TINY = """\
--network=lcnn
--channels=4
--embedding-dim=8
--features=lfcc
--delta-order=2
--chunk-frames=50
--batch-size=8
--num-epochs=1
--averaging=best
"""
SIZES = "--net tiny --num-gauss 4 --ivector-dim 4 --lda-dim 3 --bootstrap 5"


@pytest.fixture
def recipe(tmp_path, copied):
    """Copy the recipe and what it sources; return its directory."""
    here = copied(tmp_path, "asvspoof5/v1")
    (here / "conf" / "tiny.conf").write_text(TINY)
    return here


@pytest.fixture
def corpus(asvspoof2019, tmp_path):
    """Lay 2019's miniature out as ASVspoof 5; its eval is coded but for a half."""
    root = tmp_path / "corpus"
    protocols = root / "ASVspoof5_protocols"
    protocols.mkdir(parents=True)
    old = asvspoof2019 / "LA"
    for part, folder in FOLDERS.items():
        shutil.copytree(old / f"ASVspoof2019_LA_{part}/flac", root / folder)
        kind = "trn" if part == "train" else "trl"
        name = f"ASVspoof2019.LA.cm.{part}.{kind}.txt"
        lines = (old / "ASVspoof2019_LA_cm_protocols" / name).read_text().splitlines()
        cm = []
        for number, line in enumerate(lines):
            spk, utt, _, attack, key = line.split()
            codec = "C05 5" if part == "eval" and number % 4 < 2 else "- 0"
            names = "bonafide bonafide" if attack == "-" else f"AC1 {attack}"
            names = names if attack != "-" else "- bonafide"
            cm.append(f"{spk} {utt} F {codec} - {names} {key} -")
        track = "" if part == "train" else ".track_1"
        write(protocols / f"ASVspoof5.{part}{track}.tsv", cm)
        if part == "train":
            continue
        asv = old / f"ASVspoof2019_LA_asv_protocols/ASVspoof2019.LA.asv.{part}"
        trials = Path(f"{asv}.gi.trl.txt").read_text().splitlines()
        pairs = [line.split() for line in trials]
        write(
            protocols / f"ASVspoof5.{part}.track_2.trial.tsv",
            [f"{spk} {utt} F {attack} {key}" for spk, utt, attack, key in pairs],
        )
        enrolled = [Path(f"{asv}.{x}.trn.txt").read_text() for x in ("female", "male")]
        write(
            protocols / f"ASVspoof5.{part}.track_2.enroll.tsv",
            "".join(enrolled).splitlines(),
        )
    return root


def write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("net", NETS)
def test_every_conf_says_what_cm_train_takes_and_what_is_to_be_met(net, parse_conf):
    path = RECIPE / "conf" / f"{net}.conf"
    args = parse_conf(cm_train, [f"--config={path}"])
    for flag, choices in {"network": MODELS, "features": FRONT_ENDS}.items():
        choice_of(args, flag, choices)  # refuses what the chosen one does not have
    figures = re.findall(r"(?:minDCF|actDCF|Cllr|EER) (\d[\d.]*\d)", path.read_text())
    row = next(
        x
        for x in (RECIPE / "RESULTS.md").read_text().splitlines()
        if x.lower().startswith(f"| b0{2 - NETS.index(net)}")
    )
    assert re.findall(r"\d[\d.]*\d(?= \|)", row) == figures[:4]


@pytest.mark.slow
def test_both_tracks_end_in_score_files_and_metrics(corpus, recipe, by_stage):
    printed = by_stage(recipe, "--corpus", corpus, *SIZES.split())
    seed = recipe / "exp/tiny/seed0"
    protocols = corpus / "ASVspoof5_protocols"

    key = read_cm_protocol(protocols / "ASVspoof5.eval.track_1.tsv", "asvspoof5")
    first = (seed / "track_1.tsv").read_text().splitlines()
    assert first[0] == "filename\tcm-score"
    scores = read_cm_scores(seed / "track_1.tsv")
    assert sorted(scores.utt) == sorted(key.utt)
    of_utt = dict(zip(scores.utt, scores.values, strict=True))
    values = np.array([of_utt[utt] for utt in key.utt])

    def rate(chosen):
        classes = [values[chosen & x] for x in (key.is_bonafide, ~key.is_bonafide)]
        return f"{100 * eer(*classes):.4f}"

    codec = np.array(key.codec)
    for condition, chosen in {
        "pooled": codec != "",
        "codec C05": codec == "C05",
        "codec none": codec == "-",
    }.items():
        row = re.search(rf"track_1\.tsv +{condition} +(.*)", printed)[1]
        minimum, actual, error = (x.split()[0] for x in re.split(r" {2,}", row)[:3])
        assert error == rate(chosen)
        assert float(minimum) <= float(actual)

    trials = read_asv_protocol(
        protocols / "ASVspoof5.eval.track_2.trial.tsv", "asvspoof5"
    )
    second = (seed / "track_2.tsv").read_text().splitlines()
    assert second[0] == "spk\tfilename\tcm-score\tasv-score\tsasv-score"
    assert len(second) == 1 + len(trials.utt)
    pairs = read_sasv_scores(seed / "track_2.tsv")
    assert {*zip(pairs.spk, pairs.utt, strict=True)} == {
        *zip(trials.spk, trials.utt, strict=True)
    }
    for utt, value in zip(pairs.utt, pairs.values["cm-score"], strict=True):
        assert value == of_utt[utt]
    assert "a-DCF(ASVspoof 5)" in printed
    assert "min t-DCF(2021)" in printed


def test_a_pair_without_an_asv_score_is_named(tmp_path):
    write(tmp_path / "cm", ["utt1 0.5", "utt2 1.5"])
    write(tmp_path / "asv", ["spk1 utt1 2.0"])
    write(tmp_path / "sasv", ["spk1 utt1 1.0", "spk1 utt2 -1.0"])
    script = RECIPE / "local" / "write_scores.py"
    done = subprocess.run(
        [sys.executable, script, "--asv", "asv", "--sasv", "sasv", "cm", "out.tsv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("write_scores.py: error: ")
    assert "spk1 utt2" in done.stderr
    assert not (tmp_path / "out.tsv").exists()
