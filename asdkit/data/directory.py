"""Tables of a data directory: their keys, and subsets of them.

A table that is not derived from the manifests (`asdkit.data.manifest_tables`) is
carried along as lines: features, VAD decisions, trials, and whatever a lab keeps in
``utt2*``, ``spk2*`` and ``reco2*``.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from asdkit.base.errors import DataError
from asdkit.base.numbers import parse_number
from asdkit.data.manifest_tables import DERIVED
from asdkit.data.manifests import Manifests
from asdkit.data.problems import VALUES
from asdkit.io.tables import PathName, read_lines

Kind = Literal["utt", "spk", "reco", "models", "enrolled", "trials", "whole"]

# Computed from audio, so of no use to audio that has changed.
COMPUTED = ("feats.scp", "vad.scp", "cmvn.scp", "utt2num_frames", "frame_shift")
OVERSHOOT = 0.5  # seconds a segment may end late, as in Kaldi's extract-segments
# The first pattern that fits tells the kind.
KINDS: list[tuple[str, Kind]] = [
    ("text", "utt"),
    ("segments", "utt"),
    ("feats.scp", "utt"),
    ("vad.scp", "utt"),
    ("utt2*", "utt"),
    ("cmvn.scp", "spk"),
    ("spk2*", "spk"),
    ("wav.scp", "reco"),
    ("reco2*", "reco"),
    ("asv_enroll.spk2utt", "enrolled"),
    ("*.spk2utt", "models"),
    ("trials*", "trials"),
    ("asv_trials", "trials"),
    ("asv_scores", "trials"),
    ("frame_shift", "whole"),
]


class Ids(NamedTuple):
    """The ids that exist in a data directory."""

    utts: frozenset[str]
    spks: frozenset[str]
    recos: frozenset[str]


def require_another(data_dir: PathName, *sources: PathName) -> None:
    """Raise a DataError if an output data directory is also an input."""
    for source in sources:
        if os.path.realpath(source) == os.path.realpath(data_dir) or (
            os.path.isdir(source)
            and os.path.isdir(data_dir)
            and os.path.samefile(source, data_dir)
        ):
            raise DataError(data_dir, "expected another directory than the input")


def kind_of(name: str) -> Kind | None:
    """Return what a table's lines are keyed by; None if the table is unknown.

    "models" lists utterances of enrolled models, "enrolled" such of another directory,
    "trials" two sides and a key or score, and "whole" speaks of the directory as a
    whole.
    """
    for pattern, kind in KINDS:
        if fnmatch.fnmatchcase(name, pattern):
            return kind
    return None


def ids_of(manifests: Manifests) -> Ids:
    """Collect the ids that the utterances of two manifests use."""
    items = manifests.supervisions.values()
    return Ids(
        frozenset(manifests.supervisions),
        frozenset(item.speaker or item.id for item in items),
        frozenset(item.recording_id for item in items),
    )


def table_names(data_dir: PathName) -> list[str]:
    """Name the tables in a directory, sorted.

    Raises:
        DataError: there is no such directory.
    """
    if not Path(data_dir).is_dir():
        is_file = Path(data_dir).exists()
        raise DataError(
            data_dir, "expected a directory" if is_file else "no such directory"
        )
    names = (path.name for path in Path(data_dir).iterdir() if path.is_file())
    return sorted(name for name in names if kind_of(name))


def read_carried(data_dir: PathName) -> dict[str, list[str]]:
    """Read the tables that are not derived from manifests: name -> lines.

    Words are separated by one blank, whatever separated them.

    Raises:
        DataError: one is unreadable or not UTF-8, or a line has too few words.
    """
    return {
        name: _read_carried(Path(data_dir) / name)
        for name in table_names(data_dir)
        if name not in DERIVED
    }


def _read_carried(path: Path) -> list[str]:
    """Read one carried table strictly, as a truncated one would only fail later."""
    hint = "asdkit data-validate names every such line"
    rows = [line.split() for line in read_lines(path)]
    if not rows:
        raise DataError(path, "expected lines, got an empty file", hint="delete it")
    for number, words in enumerate(rows, start=1):
        if problem := _find_problem(path.name, words):
            raise DataError(path, problem, line=number, hint=hint)
    return [" ".join(words) for words in rows]


def _find_problem(name: str, words: Sequence[str]) -> str | None:
    """Return what is wrong with a line of a carried table."""
    kind, got = kind_of(name), " ".join(words)
    if kind == "trials" and not _is_trial(words):
        return f"expected '<enroll> <test> target|nontarget', got {got!r}"
    least = 1 if kind == "whole" else 2
    if len(words) < least:
        return f"expected {least} words or more, got {got!r}"
    if name in VALUES and not VALUES[name][1](" ".join(words[1:])):
        return f"expected {VALUES[name][0]}, got {got!r}"
    return None


def _is_trial(words: Sequence[str]) -> bool:
    """Tell whether the words of a line are a trial, Kaldi's or VoxCeleb's, or score."""
    if len(words) != 3:
        return False
    if words[2] in ("target", "nontarget", "spoof") or words[0] in ("0", "1"):
        return True
    try:
        parse_number(words[2])
    except ValueError:
        return False
    return True


def first_word(line: str) -> str:
    """The key of a line, empty if the line is blank."""
    return line.split(maxsplit=1)[0] if line.strip() else ""


def restrict(
    tables: Mapping[str, Sequence[str]], before: Ids, after: Ids
) -> dict[str, list[str]]:
    """Keep in every table the lines about the remaining ids.

    A model keeps those of its utterances that are left; a trial goes if one of its
    sides goes.  Lines about ids that were never there go too, but not trials: their
    models may be enrolled from another directory.

    Args:
        tables: name -> lines, of any kind.
        before: ids before.
        after: ids to keep.

    Returns:
        name -> lines, in the same order.
    """
    kept: dict[str, list[str]] = {}
    lost = (before.utts | before.spks) - (after.utts | after.spks)
    keys = {"utt": after.utts, "spk": after.spks, "reco": after.recos}
    for name in sorted(tables, key=lambda name: kind_of(name) == "trials"):
        lines, kind = tables[name], kind_of(name)
        if kind == "models":
            kept[name] = _restrict_models(lines, after.utts)
            lost |= {*map(first_word, lines)} - {*map(first_word, kept[name])}
        elif kind == "trials":
            kept[name] = [x for x in lines if lost.isdisjoint(x.split()[:2])]
        elif name == "cmvn.scp":  # of speakers, or of utterances
            kept[name] = [x for x in lines if first_word(x) in after.utts | after.spks]
        elif kind in keys:
            kept[name] = [x for x in lines if first_word(x) in keys[kind]]
        else:
            kept[name] = list(lines)
    return kept


def _restrict_models(lines: Iterable[str], utts: frozenset[str]) -> list[str]:
    """Keep the remaining utterances of ``<model> <utt> <utt> ...``, if any."""
    words = ([word for word in line.split()] for line in lines)
    kept = ([w for i, w in enumerate(ws) if i == 0 or w in utts] for ws in words)
    return [" ".join(ws) for ws in kept if len(ws) > 1]
