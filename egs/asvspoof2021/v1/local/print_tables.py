"""Print what every variant of both networks reaches, what it costs, what misleads it.

e.g.: python local/print_tables.py data exp/codec

Of every exp/codec/VARIANT/seedN: EER on dev; EER and min t-DCF of 2021 on eval, all
codecs pooled, with sizes and costs; the EER of every codec; and the EER of the attacked
utterances, unchanged and changed by adversaries that know the network.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from asdkit.base.cost import Power
from asdkit.base.exits import exit_code
from asdkit.countermeasures.evaluation import tandem_of
from asdkit.countermeasures.score_files import read_asv, read_cm_systems
from asdkit.io.protocols import Protocol
from asdkit.metrics.eer import eer
from asdkit.metrics.flavors import tandem_metrics
from asdkit.models.networks import load_network
from asdkit.nnet.cost import num_macs, num_parameters
from asdkit.report.costs import energy_note, energy_of, runs_below
from asdkit.report.tables import over_seeds, seeds_of, table

FLAVOR = "asvspoof2021"
FRAMES = 400  # 4 s
CODECS = ("none", "alaw", "pstn", "g722", "ulaw", "gsm", "opus")  # C1 to C7

Systems = Mapping[str, Sequence[Path]]
Runs = list[dict]


class Trials:
    """The utterances of a data directory, for scores of them.

    Args:
        data_dir: with utt2attack.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "utt2attack"
        self.key: Protocol = read_cm_systems(self.path, FLAVOR, [])[0]
        self.codec = np.array(self.key.codec)

    def classes(self, scores: Path, codec: str | None = None) -> list[np.ndarray]:
        """Read the scores of bona fide and of spoofed speech, of a codec or of all."""
        values = read_cm_systems(self.path, FLAVOR, [scores])[1][f"{scores}"]
        rows = np.ones(len(values), bool) if codec is None else self.codec == codec
        spoofed = ~self.key.is_bonafide
        return [values[rows & ~spoofed], values[rows & spoofed]]

    def eer(self, scores: Path, codec: str | None = None) -> float:
        """Return the EER in percent; NaN if there is one class only."""
        classes = self.classes(scores, codec)
        return 100 * eer(*classes) if all(map(len, classes)) else np.nan


def cost_of(runs: Runs, num_seeds: int) -> list[str]:
    """CPU seconds, gigabytes and Wh of runs, for a seed."""
    return [
        f"{sum(run['cpu_sec'] for run in runs) / num_seeds:.0f}",
        f"{max(run['peak_mb'] for run in runs) / 1000:.1f}",
        f"{energy_of(runs, Power()) / num_seeds:.2f}",
    ]


def trainings_of(directory: Path, name: str) -> Runs:
    """Return the trainings of a variant, of all seeds."""
    runs = [x for path in (directory / name).glob("seed*") for x in runs_below(path)]
    return [run for run in runs if run["program"].endswith("-train")]


def steps_before(name: str) -> list[str]:
    """Name the networks that a variant starts or learns from."""
    network, variant = name.split("_")
    before = [f"{network}_speakers"] if variant in ("ge2e", "all") else []
    if network == "student" and variant in ("kd", "all"):
        before += ["teacher_speakers", "teacher_all"]
    return before


def rate(data: Path, systems: Systems) -> str:
    """Format error rates with sizes and costs."""
    dev, trials = Trials(data / "dev"), Trials(data / "eval")
    asv = read_asv(
        data / "eval/asv_scores", data / "eval/asv_trials", FLAVOR, trials.key
    )
    tdcf = tandem_metrics(FLAVOR, tandem_of(asv))[0]
    head = ["dev EER %", "EER %", tdcf.title, "parameters", "MMACs", "train CPU s"]
    head += ["GB", "Wh", "CPU s with all before it"]
    rows = {}
    all_runs = []
    for name, paths in systems.items():
        rates = [
            [
                dev.eer(path / "scores_dev"),
                trials.eer(path / "scores_eval"),
                tdcf.value(*trials.classes(path / "scores_eval")),
            ]
            for path in paths
        ]
        network = load_network(paths[0] / "network.pt").network
        exp = paths[0].parents[1]
        own = trainings_of(exp, name)
        before = [run for x in steps_before(name) for run in trainings_of(exp, x)]
        rows[name] = [
            *over_seeds(rates, [2, 2, 3]),
            f"{num_parameters(network):,}",
            f"{num_macs(network, FRAMES) / 1e6:.0f}",
            *cost_of(own, len(paths)),
            cost_of(own + before, len(paths))[0],
        ]
        all_runs += own
    note = energy_note(all_runs, Power())
    return f"{table_of(head, systems, rows)}\n\n{note}"


def rate_each(
    title: Sequence[str], systems: Systems, eers: Callable[[Path], list[float]]
) -> str:
    """Format one EER per column."""
    rows = {
        name: over_seeds([eers(path) for path in paths])
        for name, paths in systems.items()
    }
    return table_of(title, systems, rows)


def table_of(
    head: Sequence[str], systems: Systems, rows: Mapping[str, Sequence[str]]
) -> str:
    """Set cells as a table with a row per system."""
    named = [[name, f"{len(systems[name])}", *cells] for name, cells in rows.items()]
    return table(["system", "seeds", *head], named)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="with dev, eval and attacked")
    parser.add_argument("exp", type=Path, help="with a directory for each variant")
    args = parser.parse_args()
    systems = seeds_of(args.exp)
    print(rate(args.data, systems))

    trials = Trials(args.data / "eval")
    codecs = [name for name in CODECS if name in trials.codec]
    print("\nEER in percent, of each codec:\n")
    print(
        rate_each(
            codecs,
            systems,
            lambda path: [trials.eer(path / "scores_eval", x) for x in codecs],
        )
    )
    attacked = {x: p for x, p in systems.items() if (p[-1] / "attacked").exists()}
    if attacked:
        trials = Trials(args.data / "attacked")
        folder = next(iter(attacked.values()))[-1] / "attacked"
        names = sorted(
            path.name for path in folder.iterdir() if "json" not in path.name
        )
        names = ["none", *(name for name in names if name != "none")]
        print("\nEER in percent, under attack:\n")
        print(
            rate_each(
                names,
                attacked,
                lambda path: [trials.eer(path / "attacked" / x) for x in names],
            )
        )


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
