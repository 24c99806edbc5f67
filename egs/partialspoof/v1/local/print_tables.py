"""Print how well spoofed parts are found, mean and deviation over seeds.

e.g.: python local/print_tables.py data exp

Of every exp/NET/seedN/PART/METHOD, with what was chosen on dev for that network and
seed; what that is; and the F1 that the acceptor has on dev with each least duration of
spoofs, all else as it is best there.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from asdkit.base.exits import exit_code
from asdkit.countermeasures.localization_quality import Quality, assess
from asdkit.countermeasures.registry import LOCALIZERS
from asdkit.report.result_tables import over_seeds, table

TITLES = {
    "frame_eer": "frame EER %",
    "range_eer": "range EER %",
    "precision": "precision %",
    "recall": "recall %",
    "f1": "F1 %",
    "utt_eer": "utterance EER %",
}
assert tuple(TITLES) == Quality._fields
F1 = list(TITLES).index("f1") - len(TITLES)  # column of a grid, from the right


def rate(data: Path, exp: Path) -> list[list[str]]:
    """Make a row for each network, method and part."""
    found: dict[tuple[str, str, str], list[Quality]] = {}
    for path in sorted(exp.glob("*/seed*/*/*/smoothed.scp")):
        net, _, part, method = path.parts[-5:-1]
        quality = assess(data / part, path.parent)
        found.setdefault((net, part, method), []).append(quality)
    order = list(LOCALIZERS)[::-1]  # the best last
    return [
        [*key, f"{len(rates)}", *over_seeds(100 * np.array(rates))]
        for key, rates in sorted(
            found.items(), key=lambda item: (*item[0][:2], order.index(item[0][2]))
        )
    ]


def chosen(exp: Path) -> list[list[str]]:
    """Make a row for what was chosen for each network, seed and method."""
    rows = []
    for path in sorted(exp.glob("*/seed*/*.conf")):
        first, *rest = path.read_text().splitlines()
        f1 = first.partition("#")[2].split()[1]
        rows.append([*path.parts[-3:-1], path.stem, f1, f"`{' '.join(rest)}`"])
    return rows


def durations(exp: Path) -> list[list[str]]:
    """Make a row for each network: F1 on dev by the least duration of spoofs."""
    found: dict[str, list[dict[float, float]]] = {}
    for path in sorted(exp.glob("*/seed*/grid_fsa.txt")):
        head, *lines = (line.split() for line in path.read_text().splitlines())
        column = head.index("min-spoof-sec")
        best: dict[float, float] = {}
        for line in lines:
            seconds = float(line[column])
            f1 = float(line[F1])
            best[seconds] = max(best.get(seconds, 0.0), f1)
        found.setdefault(path.parts[-3], []).append(best)
    rows = []
    for net, seeds in found.items():
        for seconds in sorted(seeds[0]):
            rates = [[best[seconds]] for best in seeds]
            rows.append([net, f"{seconds}", f"{len(seeds)}", *over_seeds(rates)])
    return rows


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="with dev and eval")
    parser.add_argument("exp", type=Path, help="with a directory for each network")
    args = parser.parse_args()
    head = ["network", "part", "method", "seeds", *TITLES.values()]
    print(table(head, rate(args.data, args.exp), num_names=3), end="\n\n")
    head = ["network", "seed", "method", "F1 % on dev", "options"]
    print(table(head, chosen(args.exp), num_names=3))
    if rows := durations(args.exp):
        head = ["network", "least s of spoofs", "seeds", "F1 % on dev"]
        print(f"\n{table(head, rows)}")


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
