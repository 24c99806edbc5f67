"""From directories with results to a report."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.ranges import Natural
from asdkit.io.tables import PathName
from asdkit.report.evaluations import Evaluated, evaluate, find_keys
from asdkit.report.lineage import MEASURES, Lineage
from asdkit.report.localization_figures import localization_figures
from asdkit.report.markup import Markup
from asdkit.report.page import Section, evaluation_section, render
from asdkit.report.provenance_section import provenance_table
from asdkit.report.training_figures import training_figures

logger = logging.getLogger(__name__)


def make_report(
    directories: Sequence[PathName],
    title: str | None = None,
    bootstrap: Natural = 1000,
    audio: bool = False,
) -> Markup:
    """Make a page of all score files below directories.

    Args:
        directories: with results.json in them or below.
        title: title of the page; None: the names of the directories.
        bootstrap: most bootstrap draws of speakers; fewer where there are very many
            trials; 0: no intervals.
        audio: embed the recordings of the worst trials.

    Raises:
        DataError: there are no scores whose trials are known, or none can be read.
    """
    lineage = Lineage(directories)
    keys = find_keys(lineage)
    if not keys:
        raise DataError(
            ", ".join(map(str, directories)),
            "expected scores whose trials are known, got none",
            hint="asdkit score-metrics TRIALS SCORES notes the trials of scores that "
            "another program made",
        )
    evaluated: list[Evaluated] = []
    problems: list[AsdkitError] = []
    for key, paths in keys.items():
        try:
            evaluated.append(evaluate(key, paths, lineage))
        except AsdkitError as error:
            problems.append(error)
            logger.warning("report: left out: %s", error)
    if not evaluated:
        raise problems[0]
    sections: list[Section] = []
    for number, found in enumerate(evaluated):
        sections.append(evaluation_section(found, f"e{number}", bootstrap, audio))
    sections += other_sections(lineage, evaluated)
    name = ", ".join(os.path.normpath(directory) for directory in directories)
    return render(title or f"Results of {name}", sections)


def other_sections(lineage: Lineage, evaluated: Sequence[Evaluated]) -> list[Section]:
    """Make the parts that belong to no single key: trainings, stretches, provenance."""
    used = {id(x): x for e in evaluated for s in e.systems for x in s.runs}
    measured = [x for x in lineage.all if x.program in MEASURES]
    trainings = [x for x in lineage.all if "history" in x.entry]
    sections = []
    if figures := training_figures(trainings):
        sections.append(Section("training", "Trainings", figures))
    if figures := localization_figures(lineage.all):
        sections.append(Section("stretches", "Spoofed stretches", figures))
    runs = provenance_table([*used.values(), *measured])
    return [*sections, Section("provenance", "How this was made", runs)]
