"""Write a score file as ASVspoof 5 takes it.

e.g.: python local/write_scores.py exp/aasist/seed0/scores_eval track_1.tsv
e.g.: python local/write_scores.py --asv exp/asv/scores_eval \
        --sasv exp/aasist/seed0/tandem/eval_scores \
        exp/aasist/seed0/scores_eval track_2.tsv

Columns of track 1: filename, cm-score.  Columns of track 2: spk, filename, cm-score,
asv-score, sasv-score, of the pairs of --sasv.  Separated by tabs; higher means bona
fide, and target.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from asdkit.base.exits import exit_code
from asdkit.io.cm_scores import FORMATS, match_cm_scores, read_cm_scores
from asdkit.io.files import write_atomic
from asdkit.io.trials import match_scores, read_scores


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--asv", help="FILE of <spk> <utt> <score> lines, of track 2")
    parser.add_argument("--sasv", help="FILE of such lines, of track 2")
    parser.add_argument("cm", help="FILE of <utt> <score> lines")
    parser.add_argument("out", help="FILE to write")
    args = parser.parse_args()
    if (args.asv is None) != (args.sasv is None):
        parser.error("track 2 needs --asv and --sasv, track 1 neither")
    with write_atomic(args.out) as stream:
        if args.asv is None:
            rows = track_1(args.cm)
        else:
            rows = track_2(args.cm, args.asv, args.sasv)
        for row in rows:
            stream.write("\t".join(row) + "\n")


def track_1(path: str) -> Iterator[tuple[str, ...]]:
    """Yield header and rows of scores of utterances."""
    scores = read_cm_scores(path)
    yield FORMATS["asvspoof5"]
    for utt, value in zip(scores.utt, scores.values.tolist(), strict=True):
        yield utt, f"{value}"


def track_2(cm_path: str, asv_path: str, sasv_path: str) -> Iterator[tuple[str, ...]]:
    """Yield header and rows of scores of pairs."""
    cm, (asv, sasv) = read_cm_scores(cm_path), map(read_scores, (asv_path, sasv_path))
    of_asv = match_scores(sasv, asv, sasv_path, asv_path)
    of_cm = match_cm_scores(sasv.test_ids, cm, sasv_path, cm_path)
    columns = (of_cm[sasv.test], of_asv, sasv.values)
    yield FORMATS["asvspoof5_sasv"]
    for row, values in enumerate(zip(*(x.tolist() for x in columns), strict=True)):
        yield (*sasv.name(row).split(), *map(str, values))


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
