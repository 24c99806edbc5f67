"""Figures for papers: SVG, PNG and PDF by matplotlib."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.packages import require
from asdkit.base.ranges import FilePath
from asdkit.io.files import write_atomic
from asdkit.io.run_results import read_results
from asdkit.io.tables import PathName
from asdkit.io.words import first_words
from asdkit.metrics.bayes_error import bayes_errors
from asdkit.metrics.det_points import det_points, probit
from asdkit.metrics.eer import eer
from asdkit.report.comparison import System, parse_system
from asdkit.report.evaluations import Evaluated, Key, evaluate, names_of
from asdkit.report.lineage import Made

Kind = Literal["det", "hist", "calibration"]
FORMATS = (".svg", ".png", ".pdf")
# Okabe and Ito's colors, darkened where white paper needs it; then dashes.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#a83f80", "#8a6400", "#2f86b5", "#444444")
DASHES = ("-", "--", ":", "-.")
RATES = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
LOG_ODDS = np.linspace(-8, 8, 161)


def plot_scores(
    kind: Kind,
    names: Sequence[str],
    output: PathName,
    trials: FilePath | None = None,
    flavor: str = "asvspoof2019",
) -> None:
    """Plot score files for a paper.

    Args:
        kind: det, hist or calibration.
        names: score files, as ``PATH`` or ``NAME=PATH``.
        output: file whose name says the format: .svg, .png or .pdf.
        trials: trials, a CM protocol or utt2attack; None: as results.json beside the
            scores says.
        flavor: format of a CM protocol, one of
            `asdkit.metrics.flavor_names.SPOOFING`.

    Raises:
        AsdkitError: matplotlib is not installed, or the format is none of these.
        DataError: a file is wrong, or the trials are not known.
    """
    ending = Path(output).suffix.lower()
    if ending not in FORMATS:
        raise DataError(output, f"expected a name that ends in {', '.join(FORMATS)}")
    require("matplotlib", "pip install 'asdkit[plot]'")
    found = _measured(names, trials, flavor)
    import matplotlib as mpl

    mpl.use("Agg")
    settings: Any = {
        "svg.hashsalt": "asdkit",  # the same file from the same scores
        "svg.fonttype": "none",
        "pdf.fonttype": 42,  # fonts that publishers accept
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    with mpl.rc_context(settings):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(3.5, 3.3), layout="constrained")
        {"det": _det, "hist": _hist, "calibration": _calibration}[kind](figure, found)
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
        form = ending[1:]
        with write_atomic(output, "wb") as stream:
            figure.savefig(stream, format=form, dpi=300, metadata=undated.get(form))


def _measured(names: Sequence[str], trials: PathName | None, flavor: str) -> Evaluated:
    """Read the scores, in the order of the command line."""
    systems = [parse_system(name) for name in names]
    paths = [_only(system) for system in systems]
    key = _key_of(paths[0]) if trials is None else _key(f"{trials}", flavor)
    found = evaluate(key, paths, None)
    if found.left_out:
        raise AsdkitError(found.left_out[0].removesuffix("."))
    labels = dict(zip(paths, names_of(paths), strict=True))
    given = {
        path: system.name
        for path, system in zip(paths, systems, strict=True)
        if system.name != path
    }
    for one in found.systems:
        one.name = given.get(one.path, labels[one.path])
    found.systems.sort(key=lambda one: paths.index(one.path))
    return found


def _only(system: System) -> str:
    """Return the single file of a system."""
    if len(system.paths) > 1:
        problem = f"expected one score file for {system.name!r}, got several"
        raise AsdkitError(problem, hint="give every seed a name of its own")
    return system.paths[0]


def _key(path: str, flavor: str) -> Key:
    """Tell trials from the key of countermeasures."""
    if len(first_words(path)) == 3:
        return Key("verification", path)
    return Key("countermeasure", path, flavor)


def _key_of(path: str) -> Key:
    """Find the trials of scores in results.json beside them."""
    folder = Path(path).parent
    hint = "give --trials"
    try:
        entries = read_results(folder).values()
    except DataError as error:
        raise DataError(path, "the trials are not known", hint=hint) from error
    for entry in reversed(list(entries)):
        if entry["output"] == Path(path).name:
            made = Made(folder, entry)
            flavor = str(entry.get("options", {}).get("flavor", "asvspoof2019"))
            for trials in made.inputs("trials"):
                return _key(trials, flavor)
            for data_dir in made.inputs("data_dir"):
                if os.path.isfile(table := f"{data_dir}/utt2attack"):
                    return _key(table, flavor)
    raise DataError(path, "the trials are not known", hint=hint)


def _style(number: int) -> dict[str, Any]:
    """Return how a system's line looks; black and white print has dashes, too."""
    return {
        "color": COLORS[number % len(COLORS)],
        "linestyle": DASHES[number % len(DASHES)],
        "linewidth": 1.3,
    }


def _det(figure: Any, found: Evaluated) -> None:
    """Plot miss rates over false alarm rates on probit scales."""
    axes = figure.add_subplot()
    for s, system in enumerate(found.systems):
        target, nontarget = found.two(system.scores)
        points = det_points(target, nontarget, 0.004)
        label = f"{system.name} (EER {100 * eer(target, nontarget):.2f} %)"
        x, y = probit(points.false_alarm), probit(points.miss)
        axes.plot(x, y, label=label, **_style(s))
    low, high = probit(np.array([RATES[0], 0.5]))
    axes.plot([low, high], [low, high], color="0.6", linewidth=0.6, zorder=0)
    for axis, set_limits in ((axes.xaxis, axes.set_xlim), (axes.yaxis, axes.set_ylim)):
        axis.set_ticks(probit(np.array(RATES)), [f"{100 * x:g}" for x in RATES])
        set_limits(low, high)
    axes.set(xlabel="false alarm rate (%)", ylabel="miss rate (%)", aspect="equal")
    axes.grid(color="0.9", linewidth=0.5)
    axes.legend(frameon=True, edgecolor="none", fontsize=7, loc="best")


def _hist(figure: Any, found: Evaluated) -> None:
    """Plot histograms of every system's scores, below each other."""
    num = len(found.systems)
    figure.set_size_inches(3.5, 1.1 + 1.3 * num)
    for s, system in enumerate(found.systems):
        axes = figure.add_subplot(num, 1, s + 1)
        two = found.two(system.scores)
        low = min(float(np.quantile(one, 0.005)) for one in two)
        high = max(float(np.quantile(one, 0.995)) for one in two)
        bins = np.linspace(low, high if high > low else low + 1, 61)
        classes = found.split(system.scores)
        for k, (sort, scores) in enumerate(zip(found.sorts, classes, strict=True)):
            style = {
                "color": COLORS[k],
                "linestyle": DASHES[k],
                "histtype": "stepfilled",
            }
            axes.hist(scores, bins, density=True, alpha=0.45, label=sort, **style)
        axes.set_title(system.name, fontsize=8, loc="left")
        axes.set_yticks([])
    axes.set_xlabel("score")
    figure.axes[0].legend(frameon=False, fontsize=7)


def _calibration(figure: Any, found: Evaluated) -> None:
    """Plot normalized Bayes error rates, actual and least."""
    axes = figure.add_subplot()
    for s, system in enumerate(found.systems):
        errors = bayes_errors(*found.two(system.scores), LOG_ODDS)
        style = _style(s)
        axes.plot(LOG_ODDS, errors.actual, label=system.name, **style)
        axes.plot(LOG_ODDS, errors.least, **(style | {"linewidth": 0.6}))
    axes.axhline(1, color="0.6", linewidth=0.6, zorder=0)
    axes.set(xlim=(-8, 8), ylim=(0, 1.2))
    axes.set(xlabel="prior log odds", ylabel="normalized Bayes error rate")
    axes.legend(frameon=False, fontsize=7)
