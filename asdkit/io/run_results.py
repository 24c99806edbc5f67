"""Results of runs, kept in ``results.json`` beside a model, archive or score file.

    {"format": "asdkit results", "version": 1, "entries": {
      "score-metrics scores kaldi ../data/test/trials": {
        "program": "score-metrics",
        "output": "scores",
        "inputs": {"trials": [{"path": "../data/test/trials", "sha256": "..."}],
                   "scores": [{"path": "scores", "sha256": "..."}]},
        "options": {"flavor": "kaldi"},
        "metrics": [{"name": "EER", "value": 0.0521, "unit": "fraction",
                     "condition": "pooled", "interval": [0.041, 0.064]},
                    {"name": "target", "value": 1200, "unit": "trials",
                     "condition": "pooled"}],
        "history": [{"loss": 4.2, "step": 320}],
        "cost": {"wall_sec": 1.2, "cpu_sec": 1.1},
        "provenance": {"command": "asdkit ...", "version": "...", "commit": "...",
                       "host": "...", "directory": "...", "time": "..."}}}}

``output`` is a file in the directory of ``results.json``, or "." for the directory
itself.  A path is relative to that directory, or absolute where the two have only the
root in common.  Files have hashes, directories do not.  Shares and rates are fractions;
other units are "bits", "cost" (normalized, 1 is that of the better trivial system),
"trials", "parameters", "MACs", "MB", "ms", "s per s", or "" where none is known.
``interval`` is a 95 % bootstrap interval.  A metric may have a ``system``, one of
several that a program measured.
``metrics``, ``history`` and ``cost`` are left out where there are none.  An entry is
replaced when its program writes or measures the same output again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asdkit.base.answers import for_json
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.inputs import renewing
from asdkit.base.locks import Lock, LockedError
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)
RUN_RESULTS = "results.json"
FORMAT, VERSION = "asdkit results", 1
BLOCK = 1 << 20  # bytes to read at a time
LONGEST_WAIT = 10.0  # seconds for another program that writes there

Entry = dict[str, Any]


def place_of(output: PathName) -> tuple[Path, str]:
    """Return the directory whose results.json an output is in, and its name there."""
    output = Path(output)
    return (output, ".") if output.is_dir() else (output.parent, output.name)


def relative_to(directory: Path, path: PathName) -> str:
    """Write a path as seen from a directory; absolute if only the root is shared."""
    here, there = os.path.realpath(directory), os.path.abspath(path)
    real = os.path.join(os.path.realpath(os.path.dirname(there)), Path(there).name)
    shared = os.path.commonpath([here, real])
    return real if shared == os.path.sep else os.path.relpath(real, here)


def describe_inputs(
    directory: Path, inputs: Mapping[str, Sequence[PathName]]
) -> dict[str, list[dict[str, str]]]:
    """Describe inputs as an entry has them: role -> paths, and hashes of files."""
    described = {}
    for role, paths in inputs.items():
        described[role] = [{"path": relative_to(directory, path)} for path in paths]
        for one, path in zip(described[role], paths, strict=True):
            if os.path.isfile(path):
                one["sha256"] = sha256_of(path)
    return described


def sha256_of(path: PathName) -> str:
    """Hash a file, at about 1.5 GB/s."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def store_result(directory: Path, key: str, entry: Entry) -> None:
    """Put an entry into a directory's results.json, in place of one of the same key.

    The run's output is worth more: where this fails, it is one warning.
    """
    path = directory / RUN_RESULTS
    lock = Lock(directory / f".{RUN_RESULTS}.lock")
    try:
        _take(lock)
        try:
            entries = read_results(directory) if path.exists() else {}
            entries.pop(key, None)  # the newest comes last
            entries[key] = entry
            whole = {"format": FORMAT, "version": VERSION, "entries": entries}
            text = json.dumps(
                for_json(whole), indent=1, ensure_ascii=False, allow_nan=False
            )
            with renewing(), write_atomic(path) as stream:
                stream.write(f"{text}\n")
        finally:
            lock.release()
    except AsdkitError as error:
        logger.warning("results: %s: not written: %s", path, error)
    except OSError as error:
        logger.warning("results: %s: cannot write it: %s", path, error.strerror)


def read_results(directory: PathName) -> dict[str, Entry]:
    """Read the entries of a directory's results.json, oldest first.

    Raises:
        DataError: the file is missing, damaged, or of a later version.
    """
    path = Path(directory) / RUN_RESULTS
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(path, f"cannot read it: {error.strerror}") from None
    except ValueError:
        raise DataError(path, "expected JSON, got something else") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise DataError(path, f"expected results of asdkit, {FORMAT!r}")
    if found.get("version") != VERSION:
        problem = f"expected version {VERSION}, got {found.get('version')!r}"
        raise DataError(path, problem, hint="a newer asdkit wrote it")
    entries = found.get("entries")
    if not isinstance(entries, dict) or not all(map(_is_entry, entries.values())):
        raise DataError(path, "expected entries with program, output and inputs")
    return entries


def results_below(directory: PathName) -> dict[Path, dict[str, Entry]]:
    """Read all results.json in a directory and below: directory -> entries.

    Raises:
        DataError: the directory is missing, or a file is damaged.
    """
    top = Path(directory)
    if not top.is_dir():
        raise DataError(directory, "expected a directory with results, got none")
    return {
        path.parent: read_results(path.parent)
        for path in sorted(top.rglob(RUN_RESULTS))
    }


def _is_entry(entry: Any) -> bool:
    """Tell whether an entry has what all have, with the right types."""
    types = {"program": str, "output": str, "inputs": dict, "provenance": dict}
    return isinstance(entry, dict) and all(
        isinstance(entry.get(name), kind) for name, kind in types.items()
    )


def _take(lock: Lock) -> None:
    """Take a lock that others hold for a moment only.

    Raises:
        LockedError: another program holds it for longer than that.
    """
    end = time.monotonic() + LONGEST_WAIT
    while True:
        try:
            return lock.take()
        except LockedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
