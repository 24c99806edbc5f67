"""Write a corpus in ASVspoof 2019's PA layout from data directories of its parts.

e.g.: python local/write_pa.py data/make_pa /corpora/PA

Each part (train, dev, eval) needs <part>_heard, with the asv_trials of its bona fide
utterances, and <part>_replayed; dev and eval also <part>_enroll_<environment>.  Audio
is moved, under ids that do not reveal its class.
"""

import argparse
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from asdkit.base.exits import exit_code
from asdkit.data.manifests import Utterance, read_utterances
from asdkit.io.files import write_atomic
from asdkit.io.protocols import ABSENT, BONAFIDE, read_asv_protocol

PARTS = ("train", "dev", "eval")
GENDERS = ("female", "male")


class Part:
    """What is made of one part.

    Args:
        work: where the data directories are.
        corpus: the folder to write in.
        part: one of `PARTS`.
    """

    def __init__(self, work: Path, corpus: Path, part: str) -> None:
        self.work = work
        self.corpus = corpus
        self.part = part
        self.audio = corpus / f"ASVspoof2019_PA_{part}" / "flac"

    def write(self) -> None:
        """Move all audio, then list it: protocols speak of files that are there."""
        self.audio.mkdir(parents=True, exist_ok=True)
        items = [x for kind in ("heard", "replayed") for x in self.read(kind)]
        # In a drawn order, so that neither an id nor a line tells the class.
        items = [items[row] for row in np.random.default_rng(0).permutation(len(items))]
        ids = self.move(items)
        if self.part == "train":
            self.list("cm", "train.trn", (cm_line(x, ids) for x in items))
            return
        models = self.move_enrollment()
        self.list("cm", f"{self.part}.trl", (cm_line(x, ids) for x in items))
        self.list("asv", f"{self.part}.gi.trl", self.trials(items, ids))
        for gender in GENDERS:
            lines = (line for line, of in models if of == gender)
            self.list("asv", f"{self.part}.{gender}.trn", lines)

    def read(self, kind: str) -> list[Utterance]:
        """Read one of the part's data directories."""
        return read_utterances(self.work / f"{self.part}_{kind}")

    def move(
        self, items: Iterable[Utterance], letter: str = "", start: int = 1
    ) -> dict[str, str]:
        """Move audio and give it new ids, which are numbered: old id -> new id."""
        ids = {}
        for number, item in enumerate(items, start=start):
            ids[item.utt] = f"PA_{self.part[0].upper()}_{letter}{number:07d}"
            shutil.move(item.source, self.audio / f"{ids[item.utt]}.flac")
        return ids

    def move_enrollment(self) -> list[tuple[str, str | None]]:
        """Enroll every speaker in every environment: lines, and their genders."""
        lines: list[tuple[str, str | None]] = []
        start = 1
        for path in sorted(self.work.glob(f"{self.part}_enroll_???")):
            items = read_utterances(path)
            ids = self.move(items, "A", start)
            start += len(ids)
            genders = {item.spk: item.gender for item in items}
            for spk, gender in genders.items():
                utts = ",".join(ids[item.utt] for item in items if item.spk == spk)
                lines.append(
                    (f"{pa_spk(spk)}_{environment_of(items[0])} {utts}", gender)
                )
        return lines

    def trials(self, items: Iterable[Utterance], ids: dict[str, str]) -> list[str]:
        """List who is claimed to speak: of a replay, whom it replays."""
        by_utt = {item.utt: item for item in items}
        path = self.work / f"{self.part}_heard" / "asv_trials"
        heard = read_asv_protocol(path, "asdkit")
        lines = [
            f"{pa_spk(spk)} {ids[utt]} {environment_of(by_utt[utt])} {BONAFIDE} {key}"
            for spk, utt, key in zip(heard.spk, heard.utt, heard.key, strict=True)
        ]
        replayed = [cm_line(x, ids) for x in by_utt.values() if attack_of(x) != ABSENT]
        return lines + replayed

    def list(self, system: str, name: str, lines: Iterable[str]) -> None:
        """Write a protocol."""
        folder = self.corpus / f"ASVspoof2019_PA_{system}_protocols"
        with write_atomic(folder / f"ASVspoof2019.PA.{system}.{name}.txt") as stream:
            stream.writelines(f"{line}\n" for line in lines)


def cm_line(item: Utterance, ids: dict[str, str]) -> str:
    """Describe an utterance; a replay's line says the same in the ASV protocol."""
    attack = attack_of(item)
    key = BONAFIDE if attack == ABSENT else "spoof"
    words = pa_spk(item.spk), ids[item.utt], environment_of(item), attack, key
    return " ".join(words)


def attack_of(item: Utterance) -> str:
    """Name the attack; "-" for none."""
    attack = (item.custom or {})["attack"]
    return ABSENT if attack == BONAFIDE else attack


def environment_of(item: Utterance) -> str:
    """Name where an utterance is heard."""
    return (item.custom or {})["environment"]


def pa_spk(spk: str) -> str:
    """Name a speaker: LA_0079 -> PA_0079."""
    return f"PA_{spk.rpartition('_')[2]}"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "work", type=Path, help="folder with a data directory for each piece"
    )
    parser.add_argument("corpus", type=Path, help="folder to write the corpus in")
    args = parser.parse_args()
    for part in PARTS:
        Part(args.work, args.corpus, part).write()


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
