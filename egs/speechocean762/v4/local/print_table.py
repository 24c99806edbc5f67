"""Print the equal error rates of systems, mean and deviation over their seeds.

e.g.: python local/print_table.py --sets "full 1s" exp/test/ivectors exp/test/student/*
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from asdkit.base.exits import exit_code
from asdkit.report.result_tables import over_seeds, table


def read_rates(directory: Path, sets: list[str]) -> list[np.ndarray]:
    """Read the EERs in percent, of some sets, of every finished seed."""
    found = []
    for seed in [directory, *sorted(directory.glob("seed*"))]:
        if (seed / "done").exists():
            files = [seed / "scores" / f"{name}.json" for name in sets]
            found.append(np.array([eer_of(file) for file in files]))
    return found


def eer_of(path: Path) -> float:
    """Read the EER that score-metrics --json wrote."""
    ((row,),) = (table["rows"] for table in json.loads(path.read_text()))
    return float(row["EER %"])


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", required=True, type=str.split)
    parser.add_argument("systems", nargs="+", type=Path)
    args = parser.parse_args()
    rows = []
    for directory in args.systems:
        if rates := read_rates(directory, args.sets):
            cells = over_seeds(rates, 2, "")
            rows.append([directory.name, f"{len(rates)}", *cells])
    print(table(["EER %", "seeds", *args.sets], rows))


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
