"""Compare the EER of each layer and classifier with the authors' table.

e.g.: python local/compare_published.py data/eval exp

A cell is our mean over seeds and, in parentheses, its difference from theirs, in
percent; cells without scores are empty.  Theirs are for classifiers trained on train
and dev of ASVspoof 2019 LA with wav2vec2-base-960h: local/published.tsv, from the
history of the authors' repository.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

from asdkit.base.exits import exit_code
from asdkit.io.cm_scores import read_cm_scores
from asdkit.io.protocols import BONAFIDE
from asdkit.io.tables import read_table
from asdkit.metrics.eer import eer

PUBLISHED = Path(__file__).with_name("published.tsv")


def rate(path: Path, utt2attack: dict[str, str]) -> float:
    """Return the EER of a score file, in percent."""
    scores = read_cm_scores(path)
    is_bonafide = np.array([utt2attack[utt] == BONAFIDE for utt in scores.utt])
    return 100 * eer(scores.values[is_bonafide], scores.values[~is_bonafide])


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--trained-on",
        choices=("train", "train_dev"),
        default="train_dev",
        help="training set of our classifiers (default: train_dev, as theirs)",
    )
    parser.add_argument("data", type=Path, help="data directory with utt2attack")
    parser.add_argument(
        "exp", type=Path, help="folder with layer<L>_<classifier>/seed<N>"
    )
    args = parser.parse_args()
    utt2attack = read_table(args.data / "utt2attack")
    with PUBLISHED.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    print(f"| {' | '.join(rows[0])} |")
    print(f"| {' | '.join(['--:'] * len(rows[0]))} |")
    for row in rows:
        cells = [layer := row.pop("layer")]
        for classifier, theirs in row.items():
            pattern = f"layer{layer}_{classifier}/seed*/{args.trained_on}/scores_eval"
            rates = [rate(path, utt2attack) for path in args.exp.glob(pattern)]
            ours = np.mean(rates) if rates else np.nan
            cell = f"{ours:.2f} ({ours - float(theirs):+.2f})" if rates else ""
            cells.append(cell)
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
