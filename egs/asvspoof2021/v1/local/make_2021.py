"""Make an evaluation set in ASVspoof 2021 LA's layout from the one of 2019.

e.g.: python local/make_2021.py /corpora/LA2019 /data/coded_2021

Use it if you do not have ASVspoof 2021.  Every utterance of 2019's eval passes through
some of 2021's seven conditions, drawn for it, and gets a new name in each; the audio
and the trial_metadata.txt of CMs and ASV are where 2021 has them.  ASV scores are those
of the uncoded utterances: the line affects the countermeasure alone.  Existing files
are kept, and the keys are written last, so that a killed run can be resumed.
"""

import argparse
import json
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.exits import exit_code
from asdkit.corpora.asvspoof_layouts import layout_of, require
from asdkit.io.asv_scores import read_asv_scores
from asdkit.io.audio import read_audio, write_flac
from asdkit.io.files import write_atomic
from asdkit.io.protocols import Protocol, read_asv_protocol, read_cm_protocol
from asdkit.simulation.channels import CHANNELS

RATE = 16000
# Condition, as 2021's keys name it -> what an utterance goes through.
CONDITIONS = {
    "none": (),  # C1
    "alaw": ("alaw",),  # C2, 8 kHz
    "pstn": ("alaw", "ulaw"),  # C3: a telephone network, not known which
    "g722": ("g722",),  # C4, 16 kHz
    "ulaw": ("ulaw",),  # C5, 8 kHz
    "gsm": ("gsm",),  # C6, 8 kHz
    "opus": ("opus",),  # C7, 16 kHz
}


class Copy(NamedTuple):
    """What becomes of an utterance.

    Attributes:
        source: its name in 2019.
        condition: a key of `CONDITIONS`.
        utt: its name in 2021.
    """

    source: str
    condition: str
    utt: str

    @property
    def columns(self) -> str:
        """What 2021 says of how it was transmitted."""
        return f"{self.condition} {'-' if self.condition == 'none' else 'loc_tx'}"


def draw_copies(
    utts: Sequence[str], conditions: Sequence[str], num_copies: int, seed: int
) -> list[Copy]:
    """Draw the conditions of every utterance, and names that tell nothing of them."""
    rng = np.random.default_rng(seed)
    drawn = [
        (utt, conditions[n])
        for utt in sorted(utts)
        for n in rng.permutation(len(conditions))[:num_copies]
    ]
    numbers = 1000000 + rng.permutation(len(drawn))
    return [Copy(*pair, f"LA_E_{n}") for pair, n in zip(drawn, numbers, strict=True)]


def send(samples: np.ndarray, condition: str) -> np.ndarray:
    """Let samples go through a condition: (L,) -> (L,) float32."""
    for name in CONDITIONS[condition]:
        samples = CHANNELS[name](samples, RATE)
    return samples


def lines_of(
    protocol: Protocol, of_source: Mapping[str, Sequence[Copy]]
) -> Iterator[tuple[int, str]]:
    """Yield the lines of a key of 2021, each with the row of 2019's that it is from."""
    for row, utt in enumerate(protocol.utt):
        for copy in of_source[utt]:
            what = f"{protocol.attack[row]} {protocol.key[row]} notrim eval"
            yield row, f"{protocol.spk[row]} {copy.utt} {copy.columns} {what}"


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines, all or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_atomic(path) as file:
        file.writelines(f"{line}\n" for line in lines)


def refuse_other(stamp: Path, copies: Sequence[Copy]) -> None:
    """Refuse to go on with what was made with other options, under the same names."""
    text = json.dumps({"copies": zlib.crc32(json.dumps(copies).encode())})
    if stamp.exists() and stamp.read_text().strip() != text:
        problem = "its audio was made with other options, or of another corpus"
        raise DataError(stamp.parent, problem, hint="give the same, or remove it")
    write_lines(stamp, [text])


def make(
    root: Path, out: Path, conditions: Sequence[str], num_copies: int, seed: int
) -> None:
    """Make the evaluation set."""
    old, new = (
        layout_of("asvspoof2019_la", "eval"),
        layout_of("asvspoof2021_la", "eval"),
    )
    cm = read_cm_protocol(require(root, old.cm), old.cm_format)
    asv = read_asv_protocol(require(root, old.asv), old.asv_format)
    scores = read_asv_scores(require(root, old.asv_scores))
    if scores.key.tolist() != asv.key:
        raise AsdkitError(f"{old.asv_scores}: its lines are not those of {old.asv}")
    copies = draw_copies(cm.utt, conditions, num_copies, seed)
    audio = require(root, old.audio)
    refuse_other(out / "made.json", copies)
    for copy in copies:
        path = out / new.audio / f"{copy.utt}.flac"
        if not path.exists():
            samples, _ = read_audio(f"{audio}/{copy.source}.flac", RATE)
            write_flac(path, send(samples, copy.condition), RATE)
    of_source: dict[str, list[Copy]] = {}
    for copy in copies:
        of_source.setdefault(copy.source, []).append(copy)

    pairs = list(lines_of(asv, of_source))
    names = [line.split()[:2] for _, line in pairs]
    values = [scores.values[row] for row, _ in pairs]
    scored = zip(names, values, strict=True)
    write_lines(out / new.asv_scores, (f"{a} {b} {x:g}" for (a, b), x in scored))
    write_lines(out / new.asv, (line for _, line in pairs))
    write_lines(out / new.cm, sorted(line for _, line in lines_of(cm, of_source)))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conditions", default=",".join(CONDITIONS))
    parser.add_argument(
        "--num-copies", type=int, default=7, help="copies per utterance"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("corpus2019", type=Path)
    parser.add_argument("corpus2021", type=Path, help="where to write")
    args = parser.parse_args()
    conditions = args.conditions.split(",")
    if unknown := set(conditions) - CONDITIONS.keys():
        parser.error(f"no such condition: {', '.join(sorted(unknown))}")
    make(args.corpus2019, args.corpus2021, conditions, args.num_copies, args.seed)


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
