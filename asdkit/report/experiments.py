"""From directories with results to a report."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.ranges import Natural
from asdkit.io.tables import PathName
from asdkit.report.bundle_section import bundle_parts, bundles_below
from asdkit.report.evaluations import Evaluated, evaluate, find_keys
from asdkit.report.lineage import MEASURES, Lineage
from asdkit.report.localization_figures import localization_figures
from asdkit.report.markup import Markup, data_table, element
from asdkit.report.page import Section, evaluation_section, render
from asdkit.report.provenance_section import provenance_table
from asdkit.report.results_listing import tables_of
from asdkit.report.training_figures import training_figures

logger = logging.getLogger(__name__)
TABULATED = ("segment-metrics", "tandem-fuse", "leak-check")  # as they were printed


def make_report(
    directories: Sequence[PathName],
    title: str | None = None,
    bootstrap: Natural = 1000,
    audio: bool = False,
) -> Markup:
    """Make a page of all score files and bundles below directories.

    Args:
        directories: with results.json or a bundle in them or below.
        title: title of the page; None: the names of the directories.
        bootstrap: most bootstrap draws of speakers; fewer where there are very many
            trials; 0: no intervals.
        audio: embed the recordings of the worst trials.

    Raises:
        DataError: there are neither scores whose trials are known nor bundles, or
            none can be read.
    """
    lineage = Lineage(directories)
    keys = find_keys(lineage)
    evaluated: list[Evaluated] = []
    problems: list[AsdkitError] = []
    for key, paths in keys.items():
        try:
            evaluated.append(evaluate(key, paths, lineage))
        except AsdkitError as error:
            problems.append(error)
            logger.warning("report: left out: %s", error)
    others = other_sections(lineage)
    if parts := bundle_parts(bundles_below(directories)):
        others.insert(0, Section("bundles", "Models to use", parts))
    if not evaluated and not others:
        raise (problems or [_nothing(directories)])[0]
    sections = [
        evaluation_section(found, f"e{number}", bootstrap, audio)
        for number, found in enumerate(evaluated)
    ]
    if problems:
        text = [element("p", f"{problem}.") for problem in problems]
        others.append(Section("left-out", "Left out", text))
    sections += [*others, provenance_section(lineage, evaluated)]
    name = ", ".join(os.path.normpath(directory) for directory in directories)
    return render(title or f"Results of {name}", sections)


def other_sections(lineage: Lineage) -> list[Section]:
    """Make the parts that belong to no single key."""
    sections = []
    if tables := tables_of(x for x in lineage.all if x.program in TABULATED):
        parts = [
            data_table(list(one.titles), one.rows, one.title, one.num_names)
            for one in tables
        ]
        sections.append(Section("others", "Other measurements", parts))
    if figures := localization_figures(lineage.all):
        sections.append(Section("stretches", "Spoofed stretches", figures))
    if figures := training_figures(x for x in lineage.all if "history" in x.entry):
        sections.append(Section("training", "Trainings", figures))
    return sections


def provenance_section(lineage: Lineage, evaluated: Sequence[Evaluated]) -> Section:
    """List the runs behind all scores, and those that measured something."""
    used = {id(x): x for e in evaluated for s in e.systems for x in s.runs}
    measured = [x for x in lineage.all if x.program in (*MEASURES, *TABULATED)]
    used |= {id(x): x for x in measured}
    return Section("provenance", "How this was made", provenance_table(used.values()))


def _nothing(directories: Sequence[PathName]) -> DataError:
    """Say that there is nothing to report."""
    return DataError(
        ", ".join(map(str, directories)),
        "expected scores whose trials are known, got none",
        hint="asdkit score-metrics TRIALS SCORES notes the trials of scores that "
        "another program made",
    )
