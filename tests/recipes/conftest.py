"""ASVspoof 2019 in miniature."""

import itertools

import numpy as np
import pytest
import soundfile

from asdkit.simulation.attacks import ATTACKS, Material
from asdkit.simulation.corpus import DrawnCorpus

PARTS = {"train": (6, 3), "dev": (4, 3), "eval": (4, 3)}  # speakers, utterances of each
MADE = {  # attack -> how; those of eval have not been heard before
    "LA": {"train": "A01=lpc A02=griffin_lim", "eval": "A07=griffin_lim_40 A08=lpc"},
    "PA": {"train": "AC=replay_AC BA=replay_BA", "eval": "AC=replay_AC CC=replay_CC"},
}


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


@pytest.fixture(scope="session")
def asvspoof2019(tmp_path_factory):
    """Draw LA and PA; return the folder of both."""
    root = tmp_path_factory.mktemp("asvspoof2019")
    for access, part in itertools.product(MADE, PARTS):
        Challenge(root / access, access, part).draw()
    return root
