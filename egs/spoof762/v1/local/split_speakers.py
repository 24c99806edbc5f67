"""Deal the speakers of speechocean762 to train, dev and eval.

e.g.: python local/split_speakers.py /corpora/speechocean762 data/lists

Of the speakers of ``train/``, sorted by sex and age, 25 of 85 go to dev, evenly spread;
those of ``test/`` are eval, where the first utterances of each enroll, and the others
are claims.  Writes train_real, dev_real, enroll and claims_real, an utterance a line.
"""

import argparse
import sys
from pathlib import Path

from asdkit.base.errors import DataError
from asdkit.base.exits import exit_code
from asdkit.io.files import write_atomic
from asdkit.io.tables import read_table

DEV_SHARE = 25 / 85


def deal(spks: list[str], share: float) -> tuple[list[str], list[str]]:
    """Split sorted speakers into the rest and a share of them, evenly spread."""
    num = max(1, round(share * len(spks)))
    chosen = {spks[int((i + 0.5) * len(spks) / num)] for i in range(num)}
    return [spk for spk in spks if spk not in chosen], sorted(chosen)


def utts_of(path: Path) -> dict[str, list[str]]:
    """Read utt2spk: speaker -> utterances, both sorted."""
    found: dict[str, list[str]] = {}
    for utt, spk in sorted(read_table(path).items()):
        found.setdefault(spk, []).append(utt)
    return dict(sorted(found.items()))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--num-enroll", type=int, default=4, help="of each speaker")
    parser.add_argument("corpus", type=Path, help="with train/ and test/")
    parser.add_argument("lists", type=Path, help="where to write")
    args = parser.parse_args()
    sex, age = (read_table(args.corpus / f"train/spk2{x}") for x in ("gender", "age"))
    if len(sex) < 2 or sex.keys() != age.keys():
        problem = "expected two speakers or more, in both tables"
        raise DataError(args.corpus / "train/spk2age", problem)
    spks = sorted(sex, key=lambda spk: (sex[spk], float(age[spk]), spk))
    train, dev = deal(spks, DEV_SHARE)
    utts = utts_of(args.corpus / "train/utt2spk")
    tests = utts_of(args.corpus / "test/utt2spk").values()
    num = args.num_enroll
    lists = {
        "train_real": [utts[spk] for spk in train],
        "dev_real": [utts[spk] for spk in dev],
        "enroll": [of_spk[:num] for of_spk in tests],
        "claims_real": [of_spk[num:] for of_spk in tests],
    }
    args.lists.mkdir(parents=True, exist_ok=True)
    for name, parts in lists.items():
        with write_atomic(args.lists / name) as file:
            file.writelines(f"{utt}\n" for part in parts for utt in part)


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
