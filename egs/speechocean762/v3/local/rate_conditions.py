"""Write the equal error rate of each test set.

e.g.: python local/rate_conditions.py data/tests/trials scores plda.eer

The part of an utterance's id before the first "-" names its test set.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from asdkit.base.exits import exit_code
from asdkit.io.files import write_atomic
from asdkit.io.trials import match_scores, read_scores, read_trials
from asdkit.metrics.eer import eer


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trials")
    parser.add_argument("scores")
    parser.add_argument("rates", help="where to write <test set> <percent> lines")
    args = parser.parse_args()
    trials = read_trials(args.trials)
    values = match_scores(trials, read_scores(args.scores), args.trials, args.scores)
    names = np.array([utt.partition("-")[0] for utt in trials.test_ids])
    condition = names[trials.test]
    with write_atomic(args.rates) as file:
        for name in sorted(set(names)):
            target = values[(condition == name) & trials.is_target]
            nontarget = values[(condition == name) & ~trials.is_target]
            file.write(f"{name} {100 * eer(target, nontarget):.4f}\n")


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
