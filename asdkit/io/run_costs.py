"""Costs of runs, kept in ``costs.jsonl`` beside a model or archive.

One line per finished run of a program that wrote there, in order of completion.  Runs
that failed or were killed leave no line.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asdkit.base.errors import DataError
from asdkit.io.tables import PathName, read_lines

logger = logging.getLogger(__name__)
RUN_COSTS = "costs.jsonl"


def append_run_cost(output: PathName, cost: Mapping[str, Any]) -> None:
    """Append a line for a run.

    It is one write to the end of the file, so that runs at the same time do not
    disturb each other.  Where that fails, the run's results are worth more: it is a
    warning.

    Args:
        output: output of the run; the file is in this directory, or beside it.
        cost: JSON values.
    """
    output = Path(output)
    path = (output if output.is_dir() else output.parent) / RUN_COSTS
    line = json.dumps({"output": str(output), **cost}) + "\n"
    try:
        with path.open("ab") as stream:
            stream.write(line.encode())
    except OSError as error:
        logger.warning("run costs: %s: cannot write it: %s", path, error.strerror)


def read_run_costs(directory: PathName) -> list[dict[str, Any]]:
    """Read the costs of the runs that wrote into a directory.

    Raises:
        DataError: there is no such file, or a line is damaged.
    """
    path = Path(directory) / RUN_COSTS
    costs = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            costs.append(json.loads(line))
        except ValueError:
            problem = f"expected what a run has cost, as JSON, got {line[:80]!r}"
            raise DataError(path, problem, line=number) from None
    return costs
