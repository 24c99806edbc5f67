"""Tables of countermeasures over seeds: alone, in tandem, by codec or attack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from asdkit.countermeasures.evaluation import tandem_of
from asdkit.countermeasures.keys import asv_scores_of
from asdkit.countermeasures.score_files import (
    read_asv,
    read_cm_systems,
    read_sasv_systems,
    read_tandem,
)
from asdkit.io.protocols import ASV_KEYS, BONAFIDE, Protocol
from asdkit.metrics.eer import eer
from asdkit.metrics.flavors import SASV, Metric, tandem_metrics
from asdkit.report.result_tables import over_seeds, table

FORMS = ("linear", "nonlinear")

Systems = Mapping[str, Sequence[Path]]  # name -> a directory for each seed


class CmTrials:
    """The utterances of a data directory, for scores of them.

    Args:
        data_dir: with utt2attack.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`.

    Raises:
        DataError: utt2attack is missing or wrong.
    """

    def __init__(self, data_dir: Path, flavor: str) -> None:
        self.data_dir = data_dir
        self.flavor = flavor
        self.path = data_dir / "utt2attack"
        self.key: Protocol = read_cm_systems(self.path, flavor, [])[0]
        self.columns = {
            "attack": np.array(self.key.attack),
            "codec": np.array(self.key.codec),
        }
        self.attacks = sorted({*self.key.attack} - {BONAFIDE})
        self._values: dict[Path, np.ndarray] = {}

    def values(self, scores: Path) -> np.ndarray:
        """Read a score file, once -> (N,) in the order of the utterances.

        Raises:
            DataError: the file is wrong, or lacks an utterance.
        """
        if scores not in self._values:
            _, systems = read_cm_systems(self.path, self.flavor, [scores])
            self._values[scores] = systems[f"{scores}"]
        return self._values[scores]

    def classes(
        self, scores: Path, attack: str | None = None, codec: str | None = None
    ) -> list[np.ndarray]:
        """Read the scores of bona fide and of spoofed speech.

        Args:
            scores: a score file.
            attack: of which spoofs; None for all.
            codec: of which utterances; None for all.

        Returns:
            (N,) and (M,) scores.

        Raises:
            DataError: the file is wrong, or lacks an utterance.
        """
        values, is_bonafide = self.values(scores), self.key.is_bonafide
        rows = np.ones(len(values), bool)
        if codec is not None:
            rows &= self.columns["codec"] == codec
        if attack is not None:
            rows &= is_bonafide | (self.columns["attack"] == attack)
        return [values[rows & is_bonafide], values[rows & ~is_bonafide]]

    def eer(
        self, scores: Path, attack: str | None = None, codec: str | None = None
    ) -> float:
        """Return the EER in percent; NaN if there is one class only."""
        classes = self.classes(scores, attack, codec)
        return 100 * eer(*classes) if all(map(len, classes)) else np.nan

    def tdcf(self) -> tuple[Metric, ...]:
        """Return the min t-DCF with the ASV scores of the corpus, if it has any."""
        path = self.data_dir / "asv_scores"
        if not path.exists():
            return ()
        asv = read_asv(path, self.data_dir / "asv_trials", self.flavor, self.key)
        tandem = tandem_of(asv)
        assert tandem is not None  # there are scores
        return tandem_metrics(self.flavor, tandem)[:1]


class DevEval:
    """Error rates of countermeasures on dev and on an evaluation set.

    Args:
        data: with dev and the evaluation set, data directories.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`.
        part: the evaluation set; scores of it are in scores_PART.
        by_attack: give the EER of every attack, too.
        tdcf: give the min t-DCF, where there are ASV scores.
        dev_optional: leave out the rate on dev of what has no scores there.

    Attributes:
        head: titles of the rates.
    """

    def __init__(
        self,
        data: Path,
        flavor: str,
        part: str = "eval",
        by_attack: bool = True,
        tdcf: bool = True,
        dev_optional: bool = False,
    ) -> None:
        self.part = part
        self.dev, self.trials = (CmTrials(data / x, flavor) for x in ("dev", part))
        self.attacks = self.trials.attacks if by_attack else []
        self.metrics = self.trials.tdcf() if tdcf else ()
        self.dev_optional = dev_optional
        titles = (metric.title for metric in self.metrics)
        self.head = ["dev EER %", "EER %", *self.attacks, *titles]

    def rates(self, directory: Path) -> list[float]:
        """Rate the scores of a directory; NaN is what cannot be said.

        Raises:
            DataError: scores are missing or wrong.
        """
        on_dev, scores = directory / "scores_dev", directory / f"scores_{self.part}"
        unknown = self.dev_optional and not on_dev.exists()
        dev = np.nan if unknown else self.dev.eer(on_dev)
        eers = [self.trials.eer(scores, attack) for attack in (None, *self.attacks)]
        others = []
        if self.metrics:
            others = _measure(self.metrics, self.trials.classes(scores))
        return [dev, *eers, *others]


def table_alone(data: Path, systems: Systems, flavor: str) -> str:
    """Set EERs and the min t-DCF of every countermeasure as a table.

    Args:
        data: with dev and eval, data directories.
        systems: with scores_dev and scores_eval in each directory.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`.
    """
    both = DevEval(data, flavor)
    rows = {name: [both.rates(x) for x in paths] for name, paths in systems.items()}
    return table_of_seeds(both.head, rows)


def table_in_tandem(data: Path, asv_dir: Path, systems: Systems, flavor: str) -> str:
    """Set what an ASV system reaches alone and fused as a table.

    Args:
        data: with eval, a data directory that has asv_trials.
        asv_dir: with scores_eval of the ASV system.
        systems: with scores_eval and tandem_linear/eval_scores, ... in each directory.
        flavor: one of `asdkit.metrics.flavor_names.SPOOFING`.
    """
    trials, asv_path = data / "eval/asv_trials", asv_dir / "scores_eval"
    key, scores = read_sasv_systems(trials, flavor, [asv_path])
    asv = asv_scores_of(key, scores[f"{asv_path}"].sasv)
    tandem = tandem_of(asv)
    assert tandem is not None  # there are scores
    metrics = tandem_metrics(flavor, tandem)

    def rate_pairs(path: Path) -> list[float]:
        _, scores = read_sasv_systems(trials, flavor, [path])
        values, keys = scores[f"{path}"].sasv, np.array(key.key)
        return _measure(SASV, [values[keys == name] for name in ASV_KEYS])

    def rate(directory: Path, form: str) -> list[float]:
        path = directory / "scores_eval"
        cm = read_tandem(trials, flavor, asv_path, path)[2]
        fused = rate_pairs(directory / f"tandem_{form}" / "eval_scores")
        classes = [cm[key.is_bonafide], cm[~key.is_bonafide]]
        return fused + _measure(metrics, classes)

    rows = {"ASV alone": [rate_pairs(asv_path) + [np.nan] * len(metrics)]}
    for name, paths in systems.items():
        for form in FORMS:
            fused = [path for path in paths if (path / f"tandem_{form}").exists()]
            rows[f"{name}, {form}"] = [rate(path, form) for path in fused]
    return table_of_seeds([metric.title for metric in (*SASV, *metrics)], rows)


def table_of_eers(
    head: Sequence[str], systems: Systems, eer_of: Callable[[Path, str], float]
) -> str:
    """Set one EER per column as a table.

    Args:
        head: titles of the columns.
        systems: what is rated.
        eer_of: takes a seed's directory and a title; percent.
    """
    rows = {
        name: [[eer_of(path, title) for title in head] for path in paths]
        for name, paths in systems.items()
    }
    return table_of_seeds(head, rows)


def table_of_seeds(
    head: Sequence[str],
    rows: Mapping[str, Sequence[Sequence[float]]],
    more: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Set means and deviations over seeds as a table, of the systems that have any.

    Args:
        head: titles of the columns; those of a DCF have three digits, others two.
        rows: system -> numbers of each seed.
        more: system -> cells behind these, whose titles are in the head, too.
    """
    cells = []
    for name, rates in rows.items():
        if rates:
            digits = [3 if "DCF" in x else 2 for x in head[: len(rates[0])]]
            others = more[name] if more else []
            cells.append([name, f"{len(rates)}", *over_seeds(rates, digits), *others])
    return table(["system", "seeds", *head], cells)


def _measure(metrics: Sequence[Metric], classes: Sequence[np.ndarray]) -> list[float]:
    """Compute metrics of the scores of classes, as they are printed."""
    return [metric.scale * metric.value(*classes) for metric in metrics]
