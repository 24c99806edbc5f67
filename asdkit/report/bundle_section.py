"""Bundles in a report: what their graphs cost, and how often their thresholds err."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from asdkit.base.answers import Table
from asdkit.base.errors import AsdkitError
from asdkit.io.tables import PathName
from asdkit.models.bundle_description import INDEX, described
from asdkit.report.markup import Content, Markup, data_table, element

logger = logging.getLogger(__name__)


def bundles_below(directories: Iterable[PathName]) -> list[Path]:
    """List the bundles in directories and below, each once."""
    found = [path.parent for x in directories for path in sorted(Path(x).rglob(INDEX))]
    return [Path(x) for x in dict.fromkeys(map(os.path.normpath, found))]


def bundle_parts(bundles: Sequence[Path]) -> list[Markup]:
    """Show bundles: of each the footprint, its decisions, and its cards.

    A bundle that is damaged is said to be so.
    """
    parts: list[Content] = []
    for folder in bundles:
        parts.append(element("h3", ["Bundle ", element("code", f"{folder}")]))
        try:
            for table in described(folder):
                parts += _shown(table)
        except AsdkitError as error:
            logger.warning("report: left out: %s", error)
            parts.append(element("p", f"Left out: {error}.", class_="soft"))
    return [element("div", parts)] if parts else []


def _shown(table: Table) -> list[Markup]:
    """Write a table with its title above and its notes below."""
    whole = data_table(list(table.titles), table.rows, table.title, table.num_names)
    notes = [element("li", note) for note in table.notes]
    return [whole, element("ul", notes, class_="soft")]
