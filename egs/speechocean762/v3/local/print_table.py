"""Print the equal error rates of teachers and students, mean and deviation over seeds.

e.g.: python local/print_table.py --students resnet --objectives "none mse" exp

Then, of every student that learned from somebody, the change against the student of the
same seed that did not: both began with the same weights and saw the same chunks.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from asdkit.base.exits import exit_code
from asdkit.report.result_tables import over_seeds, table

CONDITIONS = ("full", "3s", "2s", "1s", "15dB", "5dB")
BASELINE = "none"

Rates = dict[str, np.ndarray]  # folder of a seed -> percent, in the order of CONDITIONS


def read_rates(directory: Path, backend: str) -> Rates:
    """Read what rate_conditions.py wrote of a teacher or of all finished seeds."""
    found = {}
    of_teacher = directory.glob(f"{backend}.eer")
    for path in sorted([*of_teacher, *directory.glob(f"seed*/{backend}.eer")]):
        rates = dict(line.split() for line in path.read_text().splitlines())
        found[path.parent.name] = np.array([float(rates[x]) for x in CONDITIONS])
    return found


def changes(rates: Rates, baseline: Rates) -> Rates:
    """Compare seed by seed: percent of the baseline's rate."""
    common = rates.keys() & baseline.keys()
    return {seed: 100 * (rates[seed] / baseline[seed] - 1) for seed in sorted(common)}


def format_table(title: str, rows: dict[str, Rates], digits: int, sign: str) -> str:
    """Format means over seeds, of the systems that have any."""
    cells = [
        [name, f"{len(rates)}", *over_seeds([*rates.values()], digits, sign)]
        for name, rates in rows.items()
        if rates
    ]
    return f"\n{title}\n\n{table(['system', 'seeds', *CONDITIONS], cells)}"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", required=True)
    parser.add_argument("--objectives", required=True)
    parser.add_argument("exp", type=Path)
    args = parser.parse_args()
    for backend in ("cosine", "plda"):
        systems = {x: read_rates(args.exp / x, backend) for x in ("ivectors", "large")}
        changed = {}
        for student in args.students.split():
            baseline = read_rates(args.exp / student / BASELINE, backend)
            for objective in args.objectives.split():
                name = f"{student}, {objective}"
                directory = args.exp / student / objective.replace(":", "/")
                rates = read_rates(directory, backend)
                systems[name] = rates
                if objective != BASELINE:
                    changed[name] = changes(rates, baseline)
        title = f"EER % ({backend})"
        print(format_table(title, systems, 2, ""))
        title = f"EER ({backend}), % more or less than {BASELINE} of the same seed"
        print(format_table(title, changed, 0, "+"))


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
