"""egs/asvspoof2019/v1 as a user runs it, on ASVspoof 2019's layout in miniature."""

import argparse
import itertools
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdkit.base.options import choice_of, expand_conf
from asdkit.bin import cm_train
from asdkit.io.trials import read_scores
from asdkit.losses.registry import LOSSES
from asdkit.nnet.registry import MODELS
from asdkit.simulation.attacks import ATTACKS, Material
from asdkit.simulation.corpus import DrawnCorpus
from asdkit.training.corpus import FRONT_ENDS

ROOT = Path(__file__).parents[2]
CONF = ROOT / "egs" / "asvspoof2019" / "v1" / "conf"
NETS = sorted(path.stem for path in (CONF / "small").glob("*.conf"))
PARTS = {"train": (6, 3), "dev": (4, 3), "eval": (4, 3)}  # speakers, utterances of each
MADE = {  # attack -> how; those of eval have not been heard before
    "LA": {"train": "A01=lpc A02=griffin_lim", "eval": "A07=griffin_lim_40 A08=lpc"},
    "PA": {"train": "AC=replay_AC BA=replay_BA", "eval": "AC=replay_AC CC=replay_CC"},
}
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


class Challenge:
    """The lists and audio of a part of ASVspoof 2019, as they are drawn.

    The first utterance of everyone in dev and eval enrolls; each of the others is
    attacked once.
    """

    def __init__(self, root, access, part):
        self.folder = f"ASVspoof2019_{access}"
        self.name = f"ASVspoof2019.{access}"
        self.root, self.access, self.part = root, access, part
        self.attacks = [
            attack.split("=")
            for attack in MADE[access]["eval" if part == "eval" else "train"].split()
        ]
        self.rng = np.random.default_rng(0)
        self.cm, self.asv, self.scores, self.enroll = [], [], [], {}
        (root / f"{self.folder}_{part}" / "flac").mkdir(parents=True)

    def draw(self):
        num_spks, num_utts = PARTS[self.part]
        corpus = DrawnCorpus(num_spks, 1, num_utts, mean_sec=1.5, prefix=self.part)
        spks = sorted({x.spk for x in corpus.utterances()})
        for number, utterance in enumerate(corpus.utterances()):
            samples = corpus.speak(utterance)
            if self.part != "train" and utterance.utt.endswith("01"):
                model = utterance.spk + ("" if self.access == "LA" else "_aaa")
                self.enroll[model] = (utterance.gender, self.write(samples))
                continue
            self.list(utterance.spk, "-", self.write(samples), spks)
            attack, how = self.attacks[number % len(self.attacks)]
            spoofed = ATTACKS[how](Material(samples, 16000), self.rng)
            self.list(utterance.spk, attack, self.write(spoofed), spks)
        self.write_lists()

    def write(self, samples):
        """Write audio under the next id."""
        folder = self.root / f"{self.folder}_{self.part}" / "flac"
        prefix = f"{self.access}_{self.part[0].upper()}"
        utt = f"{prefix}_{1 + len(list(folder.iterdir())):07d}"
        soundfile.write(folder / f"{utt}.flac", samples, 16000)
        return utt

    def list(self, spk, attack, utt, spks):
        """List an utterance in the protocols; targets have the higher ASV scores."""
        room = "-" if self.access == "LA" else "aaa"
        key = "bonafide" if attack == "-" else "spoof"
        self.cm.append(f"{spk} {utt} {room} {attack} {key}")
        rooms = [] if self.access == "LA" else [room]
        attack = "bonafide" if attack == "-" else attack
        for model in spks if key == "bonafide" else [spk]:
            trial = "target" if model == spk else "nontarget"
            words = [attack, trial if key == "bonafide" else "spoof"]
            self.asv.append(" ".join([model, utt, *rooms, *words]))
            score = self.rng.normal(2.0 * (model == spk))
            self.scores.append(" ".join([*words, f"{score:.4f}"]))

    def write_lists(self):
        kind = "trn" if self.part == "train" else "trl"
        lists = {f"cm_protocols/{self.name}.cm.{self.part}.{kind}.txt": self.cm}
        if self.part != "train":
            asv = f"asv_protocols/{self.name}.asv.{self.part}"
            lists[f"{asv}.gi.trl.txt"] = self.asv
            for gender in ("female", "male"):
                lists[f"{asv}.{gender}.trn.txt"] = [
                    f"{model} {utt}"
                    for model, (g, utt) in self.enroll.items()
                    if g == gender[0]
                ]
            scores = f"asv_scores/{self.name}.asv.{self.part}.gi.trl.scores.txt"
            lists[scores] = self.scores
        for name, lines in lists.items():
            path = self.root / f"{self.folder}_{name}"
            path.parent.mkdir(exist_ok=True)
            path.write_text("".join(f"{line}\n" for line in lines))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Draw LA and PA; return the folder of both."""
    root = tmp_path_factory.mktemp("corpus")
    for access, part in itertools.product(MADE, PARTS):
        Challenge(root / access, access, part).draw()
    return root


@pytest.fixture
def recipe(tmp_path):
    """Copy the recipe and what it sources; return its directory."""
    shutil.copy(ROOT / "path.sh", tmp_path)
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    here = tmp_path / "egs" / "asvspoof2019" / "v1"
    ignored = shutil.ignore_patterns("data", "exp")
    shutil.copytree(ROOT / "egs" / "asvspoof2019" / "v1", here, ignore=ignored)
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


@pytest.mark.parametrize("size", ["full", "small"])
@pytest.mark.parametrize("net", NETS)
def test_every_conf_says_what_cm_train_takes(net, size):
    names = [net] if size == "full" else [net, f"{size}/{net}"]
    argv = [f"--config={CONF / name}.conf" for name in names]
    parser = argparse.ArgumentParser(allow_abbrev=False)
    cm_train.add_arguments(parser)
    args = parser.parse_args([*expand_conf(argv), "data/train", "data/dev", "exp"])
    for flag, choices in {
        "network": MODELS,
        "loss": LOSSES,
        "features": FRONT_ENDS,
    }.items():
        choice_of(args, flag, choices)  # refuses what the chosen one does not have


@pytest.mark.slow
def test_logical_access_ends_in_tables_alone_and_in_tandem(corpus, recipe):
    printed = run(recipe, "--corpus", corpus)
    systems = ["cqcc_gmm", "lfcc_gmm", "tiny"]
    fused = [f"{x}, {form}" for x in systems for form in ("linear", "nonlinear")]
    rows = rows_of(printed)
    assert [name for name, *_ in rows] == [
        *("system", "---", *systems),
        *("system", "---", "ASV alone", *fused),
    ]
    assert rows[0][2:] == ["dev EER %", "EER %", "A07", "A08", "min t-DCF(2019)"]
    assert all(cells[0] == "1" for _, *cells in (*rows[2:5], *rows[7:]))
    for system in systems:  # with intervals, of every attack
        pattern = rf"^exp/la/{system}/seed0/scores_eval +attack A0[78] .*\[.*\]"
        assert len(re.findall(pattern, printed, re.MULTILINE)) == 2
    pairs = read_scores(recipe / "exp/la/asv/scores_eval")
    assert len(pairs) == NUM_TRIALS * 4 + NUM_TRIALS
    fused = read_scores(recipe / "exp/la/tiny/seed0/tandem_linear/eval_scores")
    assert len(fused) == len(pairs)


@pytest.mark.slow
def test_physical_access_is_rated_by_attack(corpus, recipe):
    options = ["--corpus", corpus, "--access", "pa"]
    run(recipe, *options, "--stop-stage", "0")
    printed = run(recipe, *options, "--stage", "3", "--stop-stage", "5", "--seed", "1")
    for attack in ("AC", "CC"):
        assert f"exp/pa/tiny/seed1/scores_eval  attack {attack}" in printed
    enroll = (recipe / "data/pa/eval/asv_enroll.spk2utt").read_text()
    assert enroll.startswith("eval0001_aaa PA_E_0000001\n")
