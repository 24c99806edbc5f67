"""A folder of anybody's recordings, with the speaker in the path.

Folders may be nested, names may hold blanks, files may be of any rate, format and
number of channels that libsndfile reads.  Nothing is copied unless asked for, and
nothing is left out without being counted.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from asdkit.base.answers import Table, number
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.names import place_files
from asdkit.base.ranges import FolderPath, Natural
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.data.subset import write_subset
from asdkit.io.tables import PathName

if TYPE_CHECKING:
    from asdkit.io.headers import Header

logger = logging.getLogger(__name__)
SUFFIXES = frozenset(
    (
        *(".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".aifc"),
        *(".au", ".snd", ".sph", ".w64", ".caf", ".rf64", ".m4a", ".mp4", ".aac"),
        *(".wma", ".webm", ".amr", ".3gp"),  # not libsndfile's, but audio
    )
)
FOREIGN = "m4a, aac, wma and webm: convert them with ffmpeg -i IN OUT.flac"
SHORTEST = 0.1  # seconds; less is no word
SHOWN = 3  # names in a row of the table
BLOCK = 1 << 20  # bytes to read at a time
TEST_SHARE = 1 / 3  # of the speakers, where the split is chosen here


class Found(NamedTuple):
    """An audio file and its speaker.

    Attributes:
        path: of the file.
        spk: name of the speaker, as in the path.
        rest: the part of the path that names the recording.
    """

    path: str
    spk: str
    rest: str


class Survey:
    """Files that are not used, by reason, with a few names of each."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = defaultdict(list)

    def leave_out(self, reason: str, names: Iterable[str]) -> None:
        """Note files, or speakers."""
        self.names[reason].extend(names)

    def rows(self) -> Iterator[tuple[str, int, str]]:
        """Yield reasons, numbers and a few names."""
        for reason, names in self.names.items():
            if names:
                dots = ", ..." if len(names) > SHOWN else ""
                yield reason, len(names), ", ".join(names[:SHOWN]) + dots


def prepare_recordings(
    root: PathName,
    data_dir: PathName,
    speaker_from: str = "folder",
    split: str | None = None,
    copy_to: FolderPath | None = None,
    seed: Natural = 0,
) -> Table:
    """Make a data directory of a folder of recordings.

    Args:
        root: the folder.
        data_dir: data directory to write, atomically; with ``split``, its name and
            ``_train`` or ``_test`` are those of the parts.
        speaker_from: place of the speaker in a path below the folder: "folder", the
            first folder; "parent", the last one; or a regular expression whose first
            group is the speaker, e.g. '([a-z]+)_[0-9]+'.
        split: numbers of training and of test speakers, e.g. 20:10, drawn at random; or
            auto, two thirds and the rest; None: no split.
        copy_to: folder to write copies into, one channel, FLAC of 16 bits; None: audio
            stays where it is.
        seed: random seed of the split.

    Returns:
        a table of what was used and what was left out.

    Raises:
        AsdkitError: the expression or the split is malformed.
        DataError: there is no audio, more is left out than kept, two speakers would
            have one id, or there are too few speakers for the split.
    """
    from asdkit.io.headers import read_headers, tell_channels  # imports soundfile

    survey = Survey()
    found = list(_find(root, _speaker_of(speaker_from), survey))
    found = _without_copies(found, survey)
    headers, errors = read_headers({x.path: (x.path, False) for x in found}, True)
    survey.leave_out("unreadable", errors)
    seconds = {path: x.num_samples / x.sampling_rate for path, x in headers.items()}
    short = [path for path, sec in seconds.items() if sec < SHORTEST]
    survey.leave_out(f"shorter than {SHORTEST:g} s", short)
    bad = {*errors, *short}
    kept = [x for x in found if x.path not in bad]
    _require_most(root, kept, survey, errors)
    named = _name(root, kept)
    of_utt = {utt: headers[x.path] for utt, x in named.items()}
    tell_channels(of_utt, ((utt, 0) for utt in named))
    spk_of = {x.spk: _clean(x.spk) for x in kept}
    empty = sorted({x.spk for x in found} - spk_of.keys())
    survey.leave_out("speakers without a usable recording", empty)
    sources = {utt: x.path for utt, x in named.items()}
    if copy_to is not None:
        sources = _copy(sources, {u: spk_of[x.spk] for u, x in named.items()}, copy_to)
    utterances = [
        Utterance(
            utt=utt,
            spk=spk_of[x.spk],
            source=sources[utt],
            is_command=False,
            start=0.0,
            duration=seconds[x.path],
            channel=0,
            sampling_rate=of_utt[utt].sampling_rate,
        )
        for utt, x in named.items()
    ]
    parts = _split(root, sorted(set(spk_of.values())), split, seed)
    write_utterances(data_dir, utterances)
    for part, spks in parts.items():
        utts = sorted(x.utt for x in utterances if x.spk in spks)
        write_subset(data_dir, f"{data_dir}_{part}", utts)
    return _table(utterances, list(of_utt.values()), parts, survey)


def _find(root: PathName, rule: re.Pattern[str], survey: Survey) -> Iterator[Found]:
    """Yield the audio files below a folder, in alphabetical order.

    Raises:
        DataError: there is no such folder, or no audio in it.
    """
    if not Path(root).is_dir():
        raise DataError(root, "expected a folder of recordings, got none")
    num_audio, others = 0, Counter[str]()
    nameless = []
    for folder, inner, files in os.walk(root, followlinks=True):
        inner[:] = sorted(
            name
            for name in inner
            if not (name.startswith(".") or _leads_back(folder, name))
        )
        for name in sorted(files):
            suffix = Path(name).suffix.lower()
            if name.startswith(".") or suffix not in SUFFIXES:
                others[suffix or name] += 1
                continue
            num_audio += 1
            path = os.path.join(folder, name)
            below = os.path.relpath(path, root).replace(os.sep, "/")
            match = rule.search(below)
            if match is None or not match[1].strip() or not below.isprintable():
                nameless.append(below)
                continue
            rest = below[match.end(1) :] if below.startswith(match[1]) else below
            yield Found(path, match[1], rest.lstrip("/"))
    survey.leave_out("no speaker in the path", nameless)
    survey.leave_out("no audio", [f"{n} {x}" for x, n in others.most_common()])
    if not num_audio:
        kinds = ", ".join(f"{x} ({n})" for x, n in others.most_common(5)) or "nothing"
        raise DataError(root, f"expected audio files below it, got {kinds}")


def _leads_back(folder: str, name: str) -> bool:
    """Tell a link to a folder that it is in, where walking would never end."""
    here, there = (os.path.realpath(x) for x in (folder, os.path.join(folder, name)))
    return os.path.commonpath([here, there]) == there


def _speaker_of(text: str) -> re.Pattern[str]:
    """Compile the rule that finds the speaker in a path.

    Raises:
        AsdkitError: it is no regular expression with a group.
    """
    known = {"folder": r"^([^/]+)/", "parent": r"([^/]+)/[^/]+$"}
    try:
        rule = re.compile(known.get(text, text))
    except re.error as error:
        problem = f"--speaker-from: {text!r} is no regular expression: {error}"
        raise AsdkitError(problem) from None
    if not rule.groups:
        hint = "put the speaker in parentheses, e.g. '([a-z]+)_[0-9]+'"
        problem = f"--speaker-from: expected folder, parent or a group; got {text!r}"
        raise AsdkitError(problem, hint=hint)
    return rule


def _without_copies(found: Sequence[Found], survey: Survey) -> list[Found]:
    """Leave out files with the same bytes as another, all if speakers differ."""
    by_size: dict[int, list[Found]] = defaultdict(list)
    for x in found:
        by_size[os.path.getsize(x.path)].append(x)
    by_content: dict[tuple[int, str], list[Found]] = defaultdict(list)
    for size, same in by_size.items():
        for x in same:
            by_content[size, _digest(x.path) if len(same) > 1 else ""].append(x)
    dropped: set[str] = set()
    for (size, _), same in by_content.items():
        if len({x.spk for x in same}) > 1 and size:
            paths = [x.path for x in same]
            survey.leave_out("the same file under several speakers", paths)
            dropped.update(paths)
        elif len(same) > 1 and size:
            copies = [x.path for x in sorted(same, key=lambda x: len(x.path))[1:]]
            survey.leave_out("copies of another file", copies)
            dropped.update(copies)
    return [x for x in found if x.path not in dropped]


def _digest(path: str) -> str:
    """Return the SHA-256 of a file; that of nothing if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
    except OSError:
        return path  # it is like no other, and unreadable later
    return digest.hexdigest()


def _require_most(
    root: PathName,
    kept: Sequence[Found],
    survey: Survey,
    errors: Mapping[str, DataError],
) -> None:
    """Raise if more recordings are left out than kept."""
    counts = {why: n for why, n, _ in survey.rows() if why != "no audio"}
    if sum(counts.values()) > len(kept) or not kept:
        said = ", ".join(f"{n} {why}" for why, n in counts.items())
        problem = f"only {len(kept)} recordings can be used: {said}"
        hint = "--speaker-from says where in a path the speaker is"
        if errors:
            hint = f"e.g. {next(iter(errors.values()))}; {FOREIGN}"
        raise DataError(root, problem, hint=hint)


def _name(root: PathName, kept: Sequence[Found]) -> dict[str, Found]:
    """Give every recording an id that begins with its speaker's, sorted.

    Raises:
        DataError: two speakers would have the same id.
    """
    speakers: dict[str, str] = {}
    named: dict[str, Found] = {}
    for x in kept:
        spk = _clean(x.spk)
        if speakers.setdefault(spk, x.spk) != x.spk:
            problem = f"{speakers[spk]!r} and {x.spk!r} would both be called {spk!r}"
            raise DataError(root, problem, hint="rename one of the two")
        stem = _clean(x.rest.rpartition(".")[0].replace("/", "-")).strip("-_")
        utt, again = f"{spk}-{stem}", 2
        while utt in named:  # a.wav and a.mp3, or "a b" and "a_b"
            utt, again = f"{spk}-{stem}-{again}", again + 1
        named[utt] = x
    return dict(sorted(named.items()))


def _clean(name: str) -> str:
    """Make a word of a name: no blanks, no slash, no two dots."""
    return re.sub(r"\.\.+", ".", re.sub(r"[\s/]+", "_", name.strip()))


def _copy(
    sources: Mapping[str, str], spk_of: Mapping[str, str], folder: PathName
) -> dict[str, str]:
    """Write the first channel of every recording as FLAC; utterance id -> path."""
    from asdkit.io.audio import read_audio, write_flac

    names = {utt: (spk_of[utt], utt) for utt in sources}
    paths = place_files(Path(folder), names, ".flac", "--copy-to")
    for utt, source in sources.items():
        write_flac(paths[utt], *read_audio(source))
    return paths


def _split(
    root: PathName, spks: Sequence[str], split: str | None, seed: int
) -> dict[str, set[str]]:
    """Draw the speakers of the parts: "train" and "test" -> speakers.

    Raises:
        AsdkitError: the split is malformed.
        DataError: there are not so many speakers.
    """
    if split is None:
        return {}
    if split == "auto":
        num_test = max(1, round(len(spks) * TEST_SHARE))
        split = f"{len(spks) - num_test}:{num_test}"
    if not re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", split):
        hint = "numbers of training and test speakers, or auto"
        problem = f"--split: expected e.g. 20:10, got {split!r}"
        if split.startswith("0:"):
            problem = f"--split: one of {len(spks)} speakers cannot be both"
        raise AsdkitError(problem, hint=hint)
    num_train, num_test = map(int, split.split(":"))
    if num_train + num_test > len(spks):
        problem = f"expected {num_train} + {num_test} speakers, got {len(spks)}"
        raise DataError(root, problem, hint="choose a smaller --split")
    drawn = [spks[i] for i in np.random.default_rng(seed).permutation(len(spks))]
    return {
        "train": set(drawn[:num_train]),
        "test": set(drawn[num_train : num_train + num_test]),
    }


def _table(
    utterances: Sequence[Utterance],
    headers: Sequence[Header],
    parts: Mapping[str, set[str]],
    survey: Survey,
) -> Table:
    """Say in numbers what was used and what was left out."""
    of_spk = Counter(x.spk for x in utterances)
    minutes = sum(x.duration for x in utterances) / 60
    rates = Counter(x.sampling_rate for x in headers)
    wide = sum(x.num_channels > 1 for x in headers)
    span = " to ".join(map(str, sorted({min(of_spk.values()), max(of_spk.values())})))
    rows: list[tuple[str, str, int]] = [
        ("recordings", f"{minutes:.1f} minutes", len(utterances)),
        ("speakers", f"{span} recordings each", len(of_spk)),
    ]
    for part, spks in parts.items():
        rows.append((f"speakers in {part}", ", ".join(sorted(spks)[:SHOWN]), len(spks)))
    for rate, n in rates.most_common():
        rows.append((f"at {rate} Hz", "", n))
    if wide:
        rows.append(("with several channels", "the first is used", wide))
    rows += [(why, names, n) for why, n, names in survey.rows()]
    return Table(
        ["what", "remarks", "number"],
        [[what, remark, number(n)] for what, remark, n in rows],
        num_names=2,
    )
