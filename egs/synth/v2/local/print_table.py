"""Print equal error rates by training speakers, mean and deviation over seeds.

e.g.: python local/print_table.py exp/metrics/*.json
e.g.: python local/print_table.py --each exp/metrics/*.json >results/seeds.tsv
"""

import argparse
import json
import re
import sys
from pathlib import Path

from asdkit.base.exits import exit_code
from asdkit.report.result_tables import over_seeds, table

SETS = ("dev", "within", "across")
Rates = dict[tuple[int, str], dict[str, dict[str, float]]]


def read_rates(paths: list[Path]) -> Rates:
    """Read EERs in percent: (speakers, system) -> seed -> set -> EER."""
    found: Rates = {}
    for path in paths:
        ((rows),) = (part["rows"] for part in json.loads(path.read_text()))
        for row in rows:
            size, system, seed, kind = parts_of(row["scores"])
            seeds = found.setdefault((size, f"{system}, {kind}"), {})
            seeds.setdefault(seed, {})[path.stem] = float(row["EER %"])
    return dict(sorted(found.items()))


def parts_of(scores: str) -> tuple[int, str, str, str]:
    """Split exp/student_50/none/seed0/scores_cosine_across into what it says."""
    system, sets = r"exp/(\w+)_(\d+)(?:/(\w+)/seed(\d+))?", "|".join(SETS)
    match = re.fullmatch(rf"{system}/scores_(\w+?)_(?:{sets})", scores)
    assert match, scores
    name, size, way, seed, backend = match.groups(default="")
    return int(size), f"{name} {way}".strip(), seed, backend


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", action="store_true", help="every seed, as a .tsv")
    parser.add_argument("metrics", nargs="+", type=Path)
    args = parser.parse_args()
    rates = read_rates(args.metrics)
    if args.each:
        lines = [["speakers", "system", "seed", *SETS]]
        for (size, system), seeds in rates.items():
            for seed, eers in seeds.items():
                cells = [f"{eers[name]:.2f}" for name in SETS]
                lines.append([f"{size}", system, seed or "-", *cells])
        print("\n".join("\t".join(line) for line in lines))
        return
    rows = []
    for (size, system), seeds in rates.items():
        each = [[eers[name] for name in SETS] for eers in seeds.values()]
        rows.append([f"{size}", system, f"{len(each)}", *over_seeds(each, 2)])
    print(table(["speakers", "EER %", "seeds", *SETS], rows, num_names=2))


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
