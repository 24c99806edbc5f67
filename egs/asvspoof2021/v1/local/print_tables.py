"""Print what every variant of both networks reaches, what it costs, what misleads it.

e.g.: python local/print_tables.py data exp/codec

Of every exp/codec/VARIANT/seedN: EER on dev; EER and, of LA, min t-DCF of 2021 on eval,
all codecs pooled, with sizes and costs; the EER of every codec; and the EER of the
attacked utterances, unchanged and changed by adversaries that know the network.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from asdkit.base.exits import exit_code
from asdkit.base.run_cost import Power
from asdkit.models.networks import load_network
from asdkit.nnet.complexity import num_macs, num_parameters
from asdkit.report.cm_tables import (
    CmTrials,
    DevEval,
    Systems,
    table_of_eers,
    table_of_seeds,
)
from asdkit.report.cost_tables import (
    cost_per_seed,
    energy_note,
    is_training,
    runs_below,
)
from asdkit.report.result_tables import seeds_of

FLAVOR = "asvspoof2021"
FRAMES = 400  # 4 s
OF_TRACK = {"la": "", "df": "_df"}  # what the names of lists and scores end in
CODECS = (
    *("none", "alaw", "pstn", "g722", "ulaw", "gsm", "opus"),  # C1 to C7 of LA
    *("nocodec", "low_mp3", "high_mp3", "low_m4a", "high_m4a"),  # C1 to C9 of DF
    *("low_ogg", "high_ogg", "mp3m4a", "oggm4a"),
)


def trainings_of(directory: Path, name: str) -> list[dict]:
    """Return the trainings of a variant, of all seeds."""
    runs = [x for path in (directory / name).glob("seed*") for x in runs_below(path)]
    return [run for run in runs if is_training(run)]


def steps_before(name: str) -> list[str]:
    """Name the networks that a variant starts or learns from."""
    network, variant = name.split("_")
    before = [f"{network}_speakers"] if variant in ("ge2e", "all") else []
    if network == "student" and variant in ("kd", "all"):
        before += ["teacher_speakers", "teacher_all"]
    return before


def costs_of(exp: Path, name: str, paths: Sequence[Path]) -> list[str]:
    """Return size and costs of a variant, for a seed, as they are printed."""
    network, num_seeds = load_network(paths[0] / "network.pt").network, len(paths)
    own = trainings_of(exp, name)
    before = [run for x in steps_before(name) for run in trainings_of(exp, x)]
    cost = cost_per_seed(own, num_seeds, Power())
    return [
        f"{num_parameters(network):,}",
        f"{num_macs(network, FRAMES) / 1e6:.0f}",
        f"{cost.train_sec:.0f}",
        f"{cost.peak_mb / 1000:.1f}",
        f"{cost.energy_wh:.2f}",
        f"{cost_per_seed(own + before, num_seeds, Power()).train_sec:.0f}",
    ]


def print_rates(data: Path, exp: Path, systems: Systems, part: str) -> None:
    """Print error rates with sizes and costs."""
    both = DevEval(data, FLAVOR, part, by_attack=False)  # DF has no ASV scores
    rates = {name: [both.rates(x) for x in paths] for name, paths in systems.items()}
    costs = {name: costs_of(exp, name, paths) for name, paths in systems.items()}
    head = [*both.head, "parameters", "MMACs", "train CPU s"]
    head += ["GB", "Wh", "CPU s with all before it"]
    runs = [run for name in systems for run in trainings_of(exp, name)]
    print(f"{table_of_seeds(head, rates, costs)}\n\n{energy_note(runs, Power())}")


def print_codecs(trials: CmTrials, systems: Systems, scores: str) -> None:
    """Print the EER of every codec."""
    codecs = [name for name in CODECS if name in trials.columns["codec"]]

    def rate(path: Path, codec: str) -> float:
        return trials.eer(path / scores, codec=codec)

    print("\nEER in percent, of each codec:\n")
    print(table_of_eers(codecs, systems, rate))


def print_attacked(data: Path, systems: Systems, attacked: str) -> None:
    """Print the EER under every attack, of the systems that were attacked."""
    systems = {x: p for x, p in systems.items() if (p[-1] / attacked).exists()}
    if not systems:
        return
    trials = CmTrials(data / attacked, FLAVOR)
    folder = next(iter(systems.values()))[-1] / attacked
    files = sorted(x.name for x in folder.iterdir() if "json" not in x.name)
    names = ["none", *(name for name in files if name != "none")]

    def rate(path: Path, name: str) -> float:
        return trials.eer(path / attacked / name)

    print("\nEER in percent, under attack:\n")
    print(table_of_eers(names, systems, rate))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--track", choices=OF_TRACK, default="la", help="of 2021")
    parser.add_argument("data", type=Path, help="with dev, eval and attacked")
    parser.add_argument("exp", type=Path, help="with a directory for each variant")
    args = parser.parse_args()
    part, attacked = (f"{x}{OF_TRACK[args.track]}" for x in ("eval", "attacked"))
    systems = seeds_of(args.exp, f"scores_{part}")
    print_rates(args.data, args.exp, systems, part)
    print_codecs(CmTrials(args.data / part, FLAVOR), systems, f"scores_{part}")
    print_attacked(args.data, systems, attacked)


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
