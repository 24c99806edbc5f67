"""Print the equal error rates of teachers and students, mean and deviation over seeds.

e.g.: python local/print_table.py --students resnet --objectives "none mse" exp
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

CONDITIONS = ("full", "3s", "2s", "1s", "15dB", "5dB")


def read_rates(path: Path) -> list[float]:
    """Read what rate_conditions.py wrote: percent, in the order of `CONDITIONS`."""
    rates = dict(line.split() for line in path.read_text().splitlines())
    return [float(rates[name]) for name in CONDITIONS]


def format_row(name: str, paths: Sequence[Path]) -> str:
    """Format the mean over seeds, and the deviation if there are several."""
    rates = np.array([read_rates(path) for path in paths])  # (seeds, conditions)
    cells = [f"{mean:.2f}" for mean in rates.mean(axis=0)]
    if len(rates) > 1:
        deviations = rates.std(axis=0, ddof=1)
        cells = [f"{x} ± {d:.2f}" for x, d in zip(cells, deviations, strict=True)]
    return " | ".join(["", name, str(len(rates)), *cells, ""]).strip()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", required=True)
    parser.add_argument("--objectives", required=True)
    parser.add_argument("exp", type=Path)
    args = parser.parse_args()
    systems = {name: args.exp / name for name in ("ivectors", "large")}
    for student in args.students.split():
        for objective in args.objectives.split():
            systems[f"{student}, {objective}"] = args.exp / student / objective
    for backend in ("cosine", "plda"):
        print(f"\nEER % ({backend})\n")
        print(" | ".join(["", "system", "seeds", *CONDITIONS, ""]).strip())
        print("|---|--:" + "|--:" * len(CONDITIONS) + "|")
        for name, directory in systems.items():
            paths = sorted(directory.glob(f"**/{backend}.eer"))
            if paths:
                print(format_row(name, paths))


if __name__ == "__main__":
    main()
