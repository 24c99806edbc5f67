"""Print what countermeasures reach on spoof762, mean and deviation over seeds.

e.g.: python local/print_tables.py conf/attacks.txt data exp

Attacks that keep the speaker, and synthesizers that have a voice of their own, are kept
apart: EERs of each group pooled, of each family, and of what was not in training; the
min t-DCF is of the former group.  Then the same groups through each codec.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from asdkit.base.errors import DataError
from asdkit.base.exits import exit_code
from asdkit.metrics.eer import eer
from asdkit.report.cm_tables import CmTrials, Systems, table_of_eers, table_of_seeds
from asdkit.report.result_tables import seeds_of

FLAVOR = "asvspoof2019"
Groups = Mapping[str, Sequence[str]]  # title -> attacks


def groups_of(path: Path, made: Sequence[str]) -> tuple[Groups, Groups]:
    """Read conf/attacks.txt: groups, and families, of the attacks that were made."""
    rows = [line.split() for line in path.read_text().splitlines()]
    rows = [row for row in rows if row and row[0] != "#" and row[0] in made]
    if any(len(row) != 4 for row in rows) or not rows:
        raise DataError(path, "expected '<attack> <family> <speaker> <parts>'")
    groups: dict[str, list[str]] = {}
    families: dict[str, list[str]] = {}
    for attack, family, speaker, parts in rows:
        what = "keeps speaker" if speaker == "keeps" else "own voice"
        groups.setdefault(what, []).append(attack)
        if "train" not in parts.split(",") and speaker == "keeps":
            groups.setdefault("keeps, not trained on", []).append(attack)
        families.setdefault(family, []).append(attack)
    return groups, families


def eer_of(
    trials: CmTrials, scores: Path, attacks: Sequence[str], codec: str | None = None
) -> float:
    """Return the EER in percent of some attacks, pooled."""
    classes = [trials.classes(scores, attack, codec) for attack in attacks]
    spoofs = np.concatenate([spoof for _, spoof in classes])
    bonafide = classes[0][0]
    return 100 * eer(bonafide, spoofs) if len(bonafide) and len(spoofs) else np.nan


def print_main(data: Path, systems: Systems, groups: Groups) -> None:
    """Print EERs of groups and the min t-DCF of attacks that keep the speaker."""
    dev, trials = (CmTrials(data / part, FLAVOR) for part in ("dev", "eval"))
    coded = CmTrials(data / "eval_coded", FLAVOR)
    keeps = data / "eval_keeps"
    metrics = CmTrials(keeps, FLAVOR).tdcf() if keeps.exists() else ()

    def rate(path: Path) -> list[float]:
        scores = path / "scores_eval"
        rates = [dev.eer(path / "scores_dev")]
        rates += [eer_of(trials, scores, attacks) for attacks in groups.values()]
        through = path / "scores_eval_coded"
        keeping = groups.get("keeps speaker", [])
        rates += [eer_of(coded, through, keeping) if through.exists() else np.nan]
        for metric in metrics:
            bonafide = trials.classes(scores)[0]
            spoofs = [trials.classes(scores, attack)[1] for attack in keeping]
            rates.append(metric.scale * metric.value(bonafide, np.concatenate(spoofs)))
        return rates

    head = ["dev EER %", *(f"{title}: EER %" for title in groups)]
    head += ["keeps speaker, coded", *(x.title for x in metrics)]
    rows = {name: [rate(path) for path in paths] for name, paths in systems.items()}
    print(table_of_seeds(head, rows))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("attacks", type=Path, help="conf/attacks.txt")
    parser.add_argument("data", type=Path, help="with dev, eval, eval_coded")
    parser.add_argument("exp", type=Path, help="with a directory for each system")
    args = parser.parse_args()
    systems = seeds_of(args.exp)
    trials = CmTrials(args.data / "eval", FLAVOR)
    groups, families = groups_of(args.attacks, trials.attacks)
    print_main(args.data, systems, groups)
    for what, columns in (
        ("family", families),
        ("attack", {x: [x] for x in trials.attacks}),
    ):
        print(f"\nEER in percent on eval, of each {what}:\n")
        print(
            table_of_eers(
                list(columns),
                systems,
                lambda path, title, columns=columns: eer_of(
                    trials, path / "scores_eval", columns[title]
                ),
            )
        )
    coded = CmTrials(args.data / "eval_coded", FLAVOR)
    through = {
        name: [path for path in paths if (path / "scores_eval_coded").exists()]
        for name, paths in systems.items()
    }
    print("\nEER in percent of attacks that keep the speaker, of each codec:\n")
    print(
        table_of_eers(
            sorted({*coded.columns["codec"]}),
            through,
            lambda path, codec: eer_of(
                coded, path / "scores_eval_coded", groups["keeps speaker"], codec
            ),
        )
    )


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
