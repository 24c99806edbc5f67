"""Print what a network reaches with every objective, beside the plain one.

e.g.: python local/compare_objectives.py data/la exp/la/f0

Of every exp/la/f0/NETWORK_OBJECTIVE/seedN: EER and min t-DCF on eval, mean and
deviation over seeds; how much more than the plain objective's with the same seeds; the
size of what is left of it for use; what its training has cost.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from asdkit.base.exits import exit_code
from asdkit.countermeasures.evaluation import tandem_of
from asdkit.countermeasures.score_files import read_asv, read_cm_systems
from asdkit.io.run_costs import read_run_costs
from asdkit.metrics.flavors import EER, Metric, tandem_metrics
from asdkit.models.networks import load_network
from asdkit.nnet.complexity import num_macs, num_parameters
from asdkit.report.result_tables import over_seeds, seeds_of, table

FLAVOR = "asvspoof2019"
PLAIN = "plain"
FRAMES = 600  # that multiply-accumulates are for


def rate(directory: Path, data: Path, metrics: Sequence[Metric]) -> list[float]:
    """Measure the scores of a seed on the evaluation set."""
    path = directory / "scores_eval"
    key, scores = read_cm_systems(data / "eval/utt2attack", FLAVOR, [path])
    values = scores[f"{path}"]
    classes = values[key.is_bonafide], values[~key.is_bonafide]
    return [metric.scale * metric.value(*classes) for metric in metrics]


def metrics_of(data: Path) -> list[Metric]:
    """Return the EER, and the t-DCF if the corpus has scores of an ASV system."""
    path = data / "eval/asv_scores"
    if not path.exists():
        return [EER]
    key, _ = read_cm_systems(data / "eval/utt2attack", FLAVOR, [])
    asv = read_asv(path, data / "eval/asv_trials", FLAVOR, key)
    return [EER, tandem_metrics(FLAVOR, tandem_of(asv))[0]]


def training_sec(directory: Path) -> float:
    """Return the CPU seconds of a seed's training."""
    runs = read_run_costs(directory)
    return sum(run["cpu_sec"] for run in runs if run["program"] == "cm-train")


def row_of(
    name: str,
    rates: dict[str, dict[str, list[float]]],
    exp: Path,
    metrics: Sequence[Metric],
) -> list[str]:
    """Format a line for a network and an objective."""
    network, _, objective = name.partition("_")
    mine, plain = rates[name], rates.get(f"{network}_{PLAIN}", {})
    shared = sorted(mine.keys() & plain.keys())
    cells = [network, objective, f"{len(mine)}"]
    for column, metric in enumerate(metrics):
        digits = 2 if metric.scale == 100 else 3
        cells += over_seeds([[x[column]] for x in mine.values()], digits)
        changes = [[mine[seed][column] - plain[seed][column]] for seed in shared]
        is_change = changes and objective != PLAIN
        cells += over_seeds(changes, digits, "+") if is_change else [""]
    trained = load_network(exp / name / min(mine) / "network.pt").network
    cells += [f"{num_parameters(trained):,}", f"{num_macs(trained, FRAMES) / 1e9:.3f}"]
    return cells + over_seeds([[training_sec(exp / name / seed)] for seed in mine], 1)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="with eval")
    parser.add_argument("exp", type=Path, help="with NETWORK_OBJECTIVE/seedN")
    args = parser.parse_args()
    metrics = metrics_of(args.data)
    rates = {
        name: {path.name: rate(path, args.data, metrics) for path in paths}
        for name, paths in seeds_of(args.exp).items()
        if "_" in name
    }
    columns = [x for metric in metrics for x in (metric.title, "less plain")]
    sizes = ["parameters", f"GMACs of {FRAMES} frames", "training, CPU s"]
    head = ["network", "objective", "seeds", *columns, *sizes]
    rows = [row_of(name, rates, args.exp, metrics) for name in rates]
    print(table(head, rows, num_names=2))


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
