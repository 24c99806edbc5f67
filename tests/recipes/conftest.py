"""ASVspoof 2019 in miniature; how programs read conf/; recipes stage by stage."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asdkit.base.command import CommandParser
from asdkit.simulation.attacks import ATTACKS, Material
from asdkit.simulation.corpus import DrawnCorpus

ROOT = Path(__file__).parents[2]
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


def copy_recipes(root, name):
    """Copy `egs/<name>` and what it sources, without what was made; return the copy."""
    shutil.copy(ROOT / "path.sh", root)
    shutil.copytree(ROOT / "tools", root / "tools")
    copy = root / "egs" / name
    ignored = shutil.ignore_patterns("data", "exp")
    shutil.copytree(ROOT / "egs" / name, copy, ignore=ignored)
    return copy


@pytest.fixture(scope="session")
def copied():
    """Pass `copy_recipes` on to tests, which cannot import it from here."""
    return copy_recipes


STAGE = re.compile(r"^if .*\bstage (\d+) ", re.M)
NEED = re.compile(r"^  ((?:\[\[.*\|\| )?need .*)$", re.M)
TELL = """
set -f # patterns stay as they are
need() {
  for file in "${@:2}"; do
    compgen -G "$file" >/dev/null && is=true || is=false
    [[ $file == ../* ]] || printf '%s\t%s\t%s\n' "$1" "$file" $is
  done
}
"""


def needs_of(recipe, options):
    """Tell what stages need: file -> the stage that makes it, whether it is there."""
    text = (recipe / "run.sh").read_text()
    head = text[: STAGE.search(text).start()]
    lines = [line for line in NEED.findall(text) if "need ../" not in line]
    probe = recipe / "probe.sh"
    probe.write_text("\n".join([head, TELL, *lines]))
    command = ["bash", str(probe), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    probe.unlink()
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    return {file: (int(stage), there == "true") for stage, file, there in rows}


def run_stages(recipe, *options, first=0):
    """Run the stages of a recipe one by one; return what they have printed.

    From another folder.  What a later stage needs of a stage must not be there before
    it, and be there after.
    """
    options = [str(option) for option in options]
    printed = ""
    for stage in map(int, STAGE.findall((recipe / "run.sh").read_text())[first:]):
        before = needs_of(recipe, options)
        only = ["--stage", f"{stage}", "--stop-stage", f"{stage}"]
        command = [recipe / "run.sh", *options, *only]
        done = subprocess.run(command, cwd="/", capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        printed += done.stdout
        after = needs_of(recipe, options)
        if f": stage {stage}: " in done.stderr:
            made = {x for x, (maker, is_there) in after.items() if maker == stage}
            assert all(after[file][1] for file in made), (stage, made)
            old = {x for x in made if before.get(x, (stage, False))[1] and "*" not in x}
            assert not old, (stage, old)
    return printed


CLIENT = """#!{python} -IS
import array, json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    streams = array.array("i", [0, 1, 2])
    call = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    server.sendmsg(
        [len(call).to_bytes(8, "big")],
        [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)],
    )
    server.sendall(call)
    status = server.recv(8)
sys.exit(int(status or 70))
"""


@contextlib.contextmanager
def serve_forks(directory):
    """Put `asdkit` into a directory, and a server behind it, until this is left."""
    address, client = str(directory / "socket"), directory / "asdkit"
    command = [sys.executable, Path(__file__).parent / "forked.py", address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout.readline() == "ready\n"
        client.write_text(CLIENT.format(python=sys.executable, address=address))
        client.chmod(0o755)
        try:
            yield
        finally:
            server.terminate()


@pytest.fixture(scope="session", autouse=True)
def forked(tmp_path_factory):
    """Give recipes an `asdkit` that need not import everything anew; yield the PATH.

    It was that before: where processes are to be interrupted, they start as they do
    for users.
    """
    directory = tmp_path_factory.mktemp("forked")
    path = os.environ["PATH"]
    with pytest.MonkeyPatch.context() as patch, serve_forks(directory):
        patch.setenv("PATH", f"{directory}{os.pathsep}{path}")
        yield path


@pytest.fixture(scope="session")
def by_stage():
    """Pass `run_stages` on to tests, which cannot import it from here."""
    return run_stages


@pytest.fixture(scope="session")
def asvspoof2019(tmp_path_factory):
    """Draw LA; return the folder that it is in."""
    root = tmp_path_factory.mktemp("asvspoof2019")
    for part in PARTS:
        LogicalAccess(root / "LA", part).draw()
    return root


@pytest.fixture
def other_recipe(asvspoof2019, tmp_path):
    """Prepare data directories as another recipe leaves them; return their folder."""
    for part, name in zip(
        ("train", "dev", "eval", "eval"),
        ("train", "dev", "eval", "eval_coded"),
        strict=True,
    ):
        command = [
            "asdkit",
            "spoof-prepare",
            "--corpus=asvspoof2019_la",
            "--part",
            part,
        ]
        subprocess.run([*command, asvspoof2019, tmp_path / "other" / name], check=True)
    return tmp_path / "other"
