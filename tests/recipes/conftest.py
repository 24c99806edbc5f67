"""ASVspoof 2019 in miniature, and how programs read the files of conf/."""

import numpy as np
import pytest
import soundfile

from asdkit.base.command import CommandParser
from asdkit.simulation.attacks import ATTACKS, Material
from asdkit.simulation.corpus import DrawnCorpus

PARTS = {"train": (6, 3), "dev": (4, 3), "eval": (4, 3)}  # speakers, utterances of each
KNOWN = "A01=lpc A02=griffin_lim"  # attack -> how
UNKNOWN = "A07=griffin_lim_40 A08=lpc"  # of eval
FOLDER, NAME = "ASVspoof2019_LA", "ASVspoof2019.LA"


class LogicalAccess:
    """The lists and audio of a part of ASVspoof 2019 LA, as they are drawn.

    The first utterance of everyone in dev and eval enrolls; each of the others is
    attacked once.
    """

    def __init__(self, root, part):
        self.root, self.part = root, part
        attacks = UNKNOWN if part == "eval" else KNOWN
        self.attacks = [attack.split("=") for attack in attacks.split()]
        self.rng = np.random.default_rng(0)
        self.cm, self.asv, self.scores, self.enroll = [], [], [], {}
        self.audio = root / f"{FOLDER}_{part}" / "flac"
        self.audio.mkdir(parents=True)

    def draw(self):
        num_spks, num_utts = PARTS[self.part]
        corpus = DrawnCorpus(num_spks, 1, num_utts, mean_sec=1.5, prefix=self.part)
        spks = sorted({x.spk for x in corpus.utterances()})
        for number, utterance in enumerate(corpus.utterances()):
            samples = corpus.speak(utterance)
            if self.part != "train" and utterance.utt.endswith("01"):
                self.enroll[utterance.spk] = (utterance.gender, self.write(samples))
                continue
            self.list(utterance.spk, "-", self.write(samples), spks)
            attack, how = self.attacks[number % len(self.attacks)]
            spoofed = ATTACKS[how](Material(samples, 16000), self.rng)
            self.list(utterance.spk, attack, self.write(spoofed), spks)
        self.write_lists()

    def write(self, samples):
        """Write audio under the next id."""
        number = 1 + len(list(self.audio.iterdir()))
        utt = f"LA_{self.part[0].upper()}_{number:07d}"
        soundfile.write(self.audio / f"{utt}.flac", samples, 16000)
        return utt

    def list(self, spk, attack, utt, spks):
        """List an utterance in the protocols; targets have the higher ASV scores."""
        key = "bonafide" if attack == "-" else "spoof"
        self.cm.append(f"{spk} {utt} - {attack} {key}")
        attack = "bonafide" if attack == "-" else attack
        for model in spks if key == "bonafide" else [spk]:
            trial = "target" if model == spk else "nontarget"
            words = f"{attack} {trial if key == 'bonafide' else 'spoof'}"
            self.asv.append(f"{model} {utt} {words}")
            score = self.rng.normal(2.0 * (model == spk))
            self.scores.append(f"{words} {score:.4f}")

    def write_lists(self):
        kind = "trn" if self.part == "train" else "trl"
        lists = {f"cm_protocols/{NAME}.cm.{self.part}.{kind}.txt": self.cm}
        if self.part != "train":
            asv = f"asv_protocols/{NAME}.asv.{self.part}"
            lists[f"{asv}.gi.trl.txt"] = self.asv
            for gender in ("female", "male"):
                lists[f"{asv}.{gender}.trn.txt"] = [
                    f"{model} {utt}"
                    for model, (g, utt) in self.enroll.items()
                    if g == gender[0]
                ]
            scores = f"asv_scores/{NAME}.asv.{self.part}.gi.trl.scores.txt"
            lists[scores] = self.scores
        for name, lines in lists.items():
            path = self.root / f"{FOLDER}_{name}"
            path.parent.mkdir(exist_ok=True)
            path.write_text("".join(f"{line}\n" for line in lines))


def parse(program, argv):
    """Read options, of .conf files too, as a program does; its paths do not matter."""
    parser = CommandParser(program.__name__, program.__doc__)
    program.add_arguments(parser)
    places = sum(not x.option_strings for x in parser._actions)
    return parser.parse([*argv, *["somewhere"] * places])


@pytest.fixture
def parse_conf():
    """Pass `parse` on to tests, which cannot import it from here."""
    return parse


@pytest.fixture(scope="session")
def asvspoof2019(tmp_path_factory):
    """Draw LA; return the folder that it is in."""
    root = tmp_path_factory.mktemp("asvspoof2019")
    for part in PARTS:
        LogicalAccess(root / "LA", part).draw()
    return root
