"""Print what countermeasures reach, how large they are, and what they have cost.

e.g.: python local/print_tables.py data exp/stats_svm exp/stats ../v1/exp/la/lfcc_gmm

A system is a directory with a subdirectory for each seed; in these, or in their train/
and train_dev/, stand the model and scores_dev, scores_eval.  A directory without these
is only asked for its costs: embeddings and features, which several systems share.
Costs are those of a seed on average, with search, scoring, and whatever was repeated.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from asdkit.base.exits import exit_code
from asdkit.base.options import add_options, options_of
from asdkit.base.run_cost import Power
from asdkit.report.cm_tables import DevEval, table_of_seeds
from asdkit.report.cost_tables import (
    all_measured,
    cost_per_seed,
    energy_note,
    runs_below,
)
from asdkit.report.model_sizes import size_cells
from asdkit.report.result_tables import over_seeds, table

FLAVOR = "asvspoof2019"
RATE = 16000
VARIANTS = {"": "", "train": "", "train_dev": ", refit on train + dev"}


class System(NamedTuple):
    """What was trained with some seeds, and on what.

    Attributes:
        name: with what tells its variant from others.
        seeds: a directory for each.
        models: a directory for each, the same or one below it.
    """

    name: str
    seeds: list[Path]
    models: list[Path]


def find_systems(directory: Path) -> list[System]:
    """Find what has scored the evaluation set."""
    seeds = sorted(directory.glob("seed*")) or [directory]
    found = []
    for variant, text in VARIANTS.items():
        scored = [x for x in seeds if (x / variant / "scores_eval").exists()]
        models = [seed / variant for seed in scored]
        if scored:
            found.append(System(f"{directory}{text}", scored, models))
    return found


def cells_of_size(system: System, seconds: float, encoder: Path | None) -> list[str]:
    """Format trained parameters, and GMACs with the encoder up to its layer."""
    layer = re.search(r"layer(\d+)_", system.name)
    layers = [int(layer[1])] if layer else []
    return size_cells(system.models[0], int(RATE * seconds), encoder, layers)


def cells_of_cost(seeds: Sequence[Path], power: Power, measured: bool) -> list[str]:
    """Format CPU seconds to train and for the rest, Wh and grams of CO2e."""
    runs = [run for seed in seeds for run in runs_below(seed)]
    cost = cost_per_seed(runs, len(seeds), power, measured)
    seconds = [f"{cost.train_sec:.1f}", f"{cost.other_sec:.1f}"]
    return [*seconds, f"{cost.energy_wh:.3f}", f"{power.co2e_g(cost.energy_wh):.3f}"]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, Power, "core_watt", "gpu_watt", "pue", "grid_intensity")
    parser.add_argument("--checkpoint", type=Path, help="the encoder, for its MACs")
    parser.add_argument("--seconds", type=float, default=4.0, help="that MACs are for")
    parser.add_argument("data", type=Path, help="with dev and eval")
    parser.add_argument("directories", type=Path, nargs="+")
    args = parser.parse_args()
    power = Power(**options_of(Power, args))
    systems = {directory: find_systems(directory) for directory in args.directories}
    both = DevEval(args.data, FLAVOR, tdcf=False, dev_optional=True)
    rates = {
        system.name: [both.rates(model) for model in system.models]
        for found in systems.values()
        for system in found
    }
    all_runs = [run for directory in systems for run in runs_below(directory)]
    measured, costs = all_measured(all_runs), []
    for directory, found in systems.items():
        seeds, cells = [directory], ["", "", ""]
        if found:
            seeds, eers = found[0].seeds, over_seeds(rates[found[0].name])
            cells = cells_of_size(found[0], args.seconds, args.checkpoint)
            cells.append(eers[1])
        costs.append([f"{directory}", *cells, *cells_of_cost(seeds, power, measured)])
    head = ["dev EER %", "eval EER %", *both.attacks]
    print(table_of_seeds(head, rates), end="\n\n")
    head = ["system", "trained parameters", f"GMACs of {args.seconds:g} s"]
    head += ["eval EER %", "train CPU s", "other CPU s", "Wh", "CO2e g"]
    print(table(head, costs), end="\n\n")
    print(energy_note(all_runs, power))


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
