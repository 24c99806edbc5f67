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

import numpy as np

from asdkit.base.exits import exit_code
from asdkit.base.options import add_options, options_of
from asdkit.base.run_cost import Power
from asdkit.io.cm_scores import read_cm_scores
from asdkit.io.protocols import BONAFIDE
from asdkit.io.tables import read_table
from asdkit.metrics.eer import eer
from asdkit.report.cost_tables import all_measured, energy_note, energy_of, runs_below
from asdkit.report.result_tables import over_seeds, table
from asdkit.report.sizes import size_cells

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


def rates_of(model: Path, data: Path, attacks: Sequence[str]) -> list[float]:
    """Return EERs in percent: dev, eval, each attack; NaN if dev was trained on."""
    rates = [np.nan]
    for part in ("dev", "eval"):
        if (model / f"scores_{part}").exists():
            utt2attack = read_table(data / part / "utt2attack")
            scores = read_cm_scores(model / f"scores_{part}")
            attack = np.array([utt2attack[utt] for utt in scores.utt])
            bonafide = scores.values[attack == BONAFIDE]
            spoof = scores.values[attack != BONAFIDE]
            rates[part == "eval" :] = [100 * eer(bonafide, spoof)]
    return rates + [100 * eer(bonafide, scores.values[attack == x]) for x in attacks]


def cost_of(
    runs: Sequence[dict], num_seeds: int, power: Power, measured: bool
) -> list[str]:
    """Return CPU seconds to train and for the rest, Wh and grams of CO2e, per seed."""
    trained = np.array([run["program"].endswith("-train") for run in runs])
    seconds = np.array([run["cpu_sec"] for run in runs]) / num_seeds
    energy = energy_of(runs, power, measured) / num_seeds
    return [
        f"{seconds[trained].sum():.1f}",
        f"{seconds[~trained].sum():.1f}",
        f"{energy:.3f}",
        f"{power.co2e_g(energy):.3f}",
    ]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(
        parser,
        Power,
        "core_watt",
        "gpu_watt",
        "pue",
        "grid_intensity",
    )
    parser.add_argument("--checkpoint", type=Path, help="the encoder, for its MACs")
    parser.add_argument("--seconds", type=float, default=4.0, help="that MACs are for")
    parser.add_argument("data", type=Path, help="with dev and eval")
    parser.add_argument("directories", type=Path, nargs="+")
    args = parser.parse_args()
    power = Power(**options_of(Power, args))
    attacks = set(read_table(args.data / "eval" / "utt2attack").values()) - {BONAFIDE}
    rates, costs = [], []
    runs_in = {directory: runs_below(directory) for directory in args.directories}
    all_runs = [run for runs in runs_in.values() for run in runs]
    measured = all_measured(all_runs)
    for directory in args.directories:
        systems = find_systems(directory)
        for system in systems:
            found = [rates_of(x, args.data, sorted(attacks)) for x in system.models]
            rates.append([system.name, f"{len(found)}", *over_seeds(found)])
        seeds, size = [directory], ["", "", ""]
        if systems:
            seeds = systems[0].seeds
            layer = re.search(r"layer(\d+)_", systems[0].name)
            layers = [int(layer[1])] if layer else []
            model, num_samples = systems[0].models[0], int(RATE * args.seconds)
            size = size_cells(model, num_samples, args.checkpoint, layers)
            size.append(rates[-len(systems)][3])
        runs = [run for seed in seeds for run in runs_below(seed)]
        costs.append(
            [f"{directory}", *size, *cost_of(runs, len(seeds), power, measured)]
        )
    head = ["system", "seeds", "dev EER %", "eval EER %", *sorted(attacks)]
    print(table(head, rates), end="\n\n")
    head = ["system", "trained parameters", f"GMACs of {args.seconds:g} s"]
    head += ["eval EER %", "train CPU s", "other CPU s", "Wh", "CO2e g"]
    print(table(head, costs), end="\n\n")
    print(energy_note(all_runs, power))


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
