"""Print what countermeasures reach, alone and in tandem, mean and deviation over seeds.

e.g.: python local/print_tables.py data/la exp/la

Of every exp/la/SYSTEM/seedN: its EER on dev, and on eval its EER, that of each attack,
and the min t-DCF with the ASV scores of the corpus, if it has any.  Then what its
fusions with the ASV system in exp/la/asv reach, and its own min t-DCF and t-EER beside
that one.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from asdkit.base.exits import exit_code
from asdkit.countermeasures.evaluation import tandem_of
from asdkit.countermeasures.keys import asv_scores_of
from asdkit.countermeasures.score_files import (
    read_asv,
    read_cm_systems,
    read_sasv_systems,
    read_tandem,
)
from asdkit.io.protocols import ASV_KEYS, BONAFIDE
from asdkit.metrics.eer import eer
from asdkit.metrics.flavors import SASV, Metric, tandem_metrics
from asdkit.report.tables import over_seeds, seeds_of, table

FLAVOR = "asvspoof2019"
FORMS = ("linear", "nonlinear")

Systems = Mapping[str, Sequence[Path]]
Rates = list[float]


def rate_alone(data: Path, systems: Systems) -> str:
    """Format a row for each countermeasure."""
    dev, _ = read_cm_systems(data / "dev/utt2attack", FLAVOR, [])
    key, _ = read_cm_systems(data / "eval/utt2attack", FLAVOR, [])
    attack = np.array(key.attack)
    attacks = sorted({*key.attack} - {BONAFIDE})
    metrics: Sequence[Metric] = ()
    if (data / "eval/asv_scores").exists():
        asv = read_asv(data / "eval/asv_scores", data / "eval/asv_trials", FLAVOR, key)
        metrics = tandem_metrics(FLAVOR, tandem_of(asv))[:1]  # the t-DCF

    def rate(directory: Path) -> Rates:
        scores = read_scores(data / "dev", directory / "scores_dev")
        on_dev = eer(*split(scores, dev.is_bonafide))
        scores = read_scores(data / "eval", directory / "scores_eval")
        bonafide, spoof = split(scores, key.is_bonafide)
        eers = [eer(bonafide, scores[attack == name]) for name in attacks]
        percent = [100 * x for x in (on_dev, eer(bonafide, spoof), *eers)]
        return percent + measure(metrics, [bonafide, spoof])

    head = ["dev EER %", "EER %", *attacks, *(metric.title for metric in metrics)]
    rows = {name: [rate(path) for path in paths] for name, paths in systems.items()}
    return format_table(head, rows)


def rate_in_tandem(data: Path, asv_dir: Path, systems: Systems) -> str:
    """Format a row for the ASV system, and one for each of its fusions."""
    trials, asv_path = data / "eval/asv_trials", asv_dir / "scores_eval"
    key, scores = read_sasv_systems(trials, FLAVOR, [asv_path])
    asv = asv_scores_of(key, scores[f"{asv_path}"].sasv)
    metrics = tandem_metrics(FLAVOR, tandem_of(asv))

    def rate_pairs(path: Path) -> Rates:
        _, scores = read_sasv_systems(trials, FLAVOR, [path])
        values, keys = scores[f"{path}"].sasv, np.array(key.key)
        return measure(SASV, [values[keys == name] for name in ASV_KEYS])

    def rate(directory: Path, form: str) -> Rates:
        path = directory / "scores_eval"
        cm = read_tandem(trials, FLAVOR, asv_path, path)[2]
        fused = rate_pairs(directory / f"tandem_{form}" / "eval_scores")
        return fused + measure(metrics, split(cm, key.is_bonafide))

    rows = {"ASV alone": [rate_pairs(asv_path) + [np.nan] * len(metrics)]}
    for name, paths in systems.items():
        for form in FORMS:
            fused = [path for path in paths if (path / f"tandem_{form}").exists()]
            rows[f"{name}, {form}"] = [rate(path, form) for path in fused]
    return format_table([metric.title for metric in (*SASV, *metrics)], rows)


def read_scores(data_dir: Path, path: Path) -> np.ndarray:
    """Read the scores of a data directory: (U,) in the order of its utt2attack."""
    return read_cm_systems(data_dir / "utt2attack", FLAVOR, [path])[1][f"{path}"]


def split(scores: np.ndarray, is_bonafide: np.ndarray) -> list[np.ndarray]:
    """(N,) scores -> those of bona fide and of spoofed speech."""
    return [scores[is_bonafide], scores[~is_bonafide]]


def measure(metrics: Sequence[Metric], classes: Sequence[np.ndarray]) -> Rates:
    """Compute metrics of the scores of classes, as they are printed."""
    return [metric.scale * metric.value(*classes) for metric in metrics]


def format_table(head: Sequence[str], rows: Mapping[str, Sequence[Rates]]) -> str:
    """Format means over seeds, of the systems that have any."""
    digits = [3 if "DCF" in title else 2 for title in head]
    cells = [
        [name, f"{len(rates)}", *over_seeds(rates, digits)]
        for name, rates in rows.items()
        if rates
    ]
    return table(["system", "seeds", *head], cells)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="with dev and eval")
    parser.add_argument("exp", type=Path, help="with a directory for each system")
    args = parser.parse_args()
    systems = seeds_of(args.exp)
    print(rate_alone(args.data, systems))
    if (args.exp / "asv" / "scores_eval").exists():
        print(f"\n{rate_in_tandem(args.data, args.exp / 'asv', systems)}")


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
