"""Origins of derived tables, kept in ``origins.json`` beside them.

Features, VAD decisions and vectors are of some audio; trials are of some utterances and
speakers.  Their writers note a digest of what that was, aspect by aspect:

``manifests``
    what the two manifests say of the audio: files, rates, lengths, and where in them
    the utterances are; not who speaks, nor what is said.
``sizes``
    the size of every file.  Times are not compared: they survive neither cp, rsync nor
    NFS.  A file of the same size counts as the same.
``utt2spk``
    the table of that name.

Readers compare what can be compared now: audio that has been removed, or a directory
that has been moved, proves nothing.  A table without a record, or that has changed
since, is of unknown origin: Kaldi's, or of a version that noted nothing.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import logging
import os
import re
import zlib
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from asdkit.base.distributed import is_main
from asdkit.base.errors import DataError
from asdkit.base.inputs import program_cache
from asdkit.io.files import write_atomic
from asdkit.io.paths import require_file
from asdkit.io.tables import PathName

logger = logging.getLogger(__name__)

ORIGINS = "origins.json"
RECORDINGS = "recordings.jsonl.gz"
SUPERVISIONS = "supervisions.jsonl.gz"
OF_AUDIO = ("manifests", "sizes")
OF_UTTERANCES = ("utt2spk",)
NUM_THREADS = 16  # most of the time goes into waiting for the disk
PIECE = 500  # files that a thread asks for at a time
# How lhotse writes them; other ways are read as JSON, which takes longer.
SOURCE = re.compile(rb'"type": "file", "channels": [^"]*"source": "((?:[^"\\]|\\.)*)"')
PLACE = re.compile(rb'^\{"id": .*?"channel": (?:\d+|\[[^]]*\])', re.M)
# Table -> how to make it again; vectors are extracted again.
CURES = {
    "feats.scp": "asdkit feats-compute computes it again",
    "vad.scp": "asdkit vad-compute computes it again, or remove it",
}
CURE = "make it again with the program that made it"
OVERRULE = f"if it is right, delete its entry in {ORIGINS}"
PROBLEMS = {
    "manifests": "it is of other audio than the manifests of {} list now",
    "sizes": "the audio of {} has changed since it was made",
    "utt2spk": "it is of other utterances or speakers than {}/utt2spk has now",
}


class Origin(NamedTuple):
    """The origin of a derived table.

    Attributes:
        data: the data directory.
        of: aspect -> digest.
        archives: directory of an archive in the table -> aspect -> digest, as of the
            table of the same name there; it reveals that an archive was overwritten.
    """

    data: str
    of: dict[str, str]
    archives: dict[str, dict[str, str]]


def describe(data_dir: PathName, aspects: Collection[str] = OF_AUDIO) -> dict[str, str]:
    """Digest the present state of a data directory.

    Within one program, it is looked at once.

    Args:
        data_dir: with manifests, or utt2spk.
        aspects: aspects to digest; ``sizes`` are left out if audio is missing, and
            everything about a damaged manifest.

    Returns:
        aspect -> digest, of those that can be told.
    """
    cache = program_cache()
    found = {}
    for aspect in aspects:
        key = ("origins", os.path.realpath(data_dir), aspect)
        if key not in cache and aspect in DESCRIBE:
            cache[key] = None
            with contextlib.suppress(DataError):  # whoever reads it tells
                cache[key] = DESCRIBE[aspect](Path(data_dir))
        if cache.get(key) is not None:
            found[aspect] = cache[key]
    return found


def forget(data_dir: PathName) -> None:
    """Forget the digest of a data directory that this program changes."""
    cache = program_cache()
    for aspect in DESCRIBE:
        cache.pop(("origins", os.path.realpath(data_dir), aspect), None)


def check_origin(path: PathName) -> Origin | None:
    """Compare a table with its recorded origin.

    Args:
        path: the table.

    Returns:
        its origin; None if unknown.

    Raises:
        DataError: it was derived from something else than what is there now.
    """
    path = Path(path)
    origin = read_origin(path)
    if origin is None:
        return None
    problem = differ(origin.of, describe(origin.data, origin.of), origin.data)
    for directory, of in origin.archives.items():
        table = Path(directory) / path.name
        theirs = read_origin(table)
        if theirs is not None and differ(of, theirs.of, ""):
            problem = f"the archive that it lists, of {table}, is of other audio now"
    if problem:
        cure = CURES.get(path.name, CURE)
        raise DataError(path, problem, hint=f"{cure}; {OVERRULE}")
    return origin


def require_origin(path: PathName) -> None:
    """Check a table on rank 0, for all; warn if its origin is unknown.

    Raises:
        DataError: it was derived from something else than what is there now.
    """
    if is_main() and check_origin(path) is None and Path(path).exists():
        tell_unknown(Path(path).parent, [Path(path).name])


def tell_unknown(directory: PathName, names: Collection[str]) -> None:
    """Warn once per directory that its tables are compared with nothing."""
    told = program_cache().setdefault("origins told", set())
    if names and str(directory) not in told:
        told.add(str(directory))
        logger.warning(
            "origins: %s: there is no record of what %s %s derived from (Kaldi or an "
            "earlier version wrote it), so that it is not compared with the audio",
            directory,
            " and ".join(names),
            "was" if len(names) == 1 else "were",
        )


def is_made_of(path: PathName, origin: Origin) -> bool:
    """Tell whether a file exists and was made from what it would be made from now.

    One of unknown origin counts as such, with a warning.
    """
    if not Path(path).exists():
        return False
    noted = read_origin(path)
    if noted is None:
        tell_unknown(Path(path).parent, [Path(path).name])
        return True
    return noted.of == origin.of


def read_origin(path: PathName) -> Origin | None:
    """Read the recorded origin of a table; None if there is none, or the table changed.

    Raises:
        DataError: what was noted is damaged.
    """
    path = Path(path)
    entry = _read(path.parent).get(path.name)
    if entry is None or not path.exists() or entry["content"] != digest_file(path):
        return None
    data = os.path.join(path.parent, ".") if entry["data"] == "." else entry["data"]
    return Origin(os.path.normpath(data), entry["of"], entry.get("archives", {}))


def note_origin(path: PathName, origin: Origin | None) -> None:
    """Record what one table was derived from; None if unknown."""
    note_origins(Path(path).parent, {Path(path).name: origin})


def note_origins(
    directory: PathName,
    origins: Mapping[str, Origin | None],
    staged: PathName | None = None,
) -> None:
    """Record what tables were derived from, or that it is unknown.

    Args:
        directory: directory of the tables.
        origins: table -> its origin; None if unknown.
        staged: temporary directory of the record and of new tables, before they move
            together; None if they are in place.
    """
    try:
        before = _read(Path(directory))
    except DataError as error:
        logger.warning("origins: %s; it is rewritten", error)
        before = {}
    after = dict(before)
    for name, origin in origins.items():
        after.pop(name, None)
        if origin is not None:
            new, old = Path(staged or directory) / name, Path(directory) / name
            own = os.path.realpath(origin.data) == os.path.realpath(directory)
            after[name] = {
                "content": digest_file(new if new.exists() else old),
                "data": "." if own else origin.data,
                "of": origin.of,
                **({"archives": origin.archives} if origin.archives else {}),
            }
    if after != before:
        with write_atomic(Path(staged or directory) / ORIGINS) as stream:
            json.dump({"tables": after}, stream, indent=1, sort_keys=True)
            stream.write("\n")


def same_content(directory: PathName, other: PathName, name: str) -> bool:
    """Tell whether two directories have the same file of a name."""
    first, second = (digest_file(Path(folder) / name) for folder in (directory, other))
    return first == second


def digest_file(path: PathName) -> str:
    """Digest the content of a file."""
    digest = _new()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _read(directory: Path) -> dict[str, dict[str, Any]]:
    """Read the entries of a directory: table -> entry."""
    path = directory / ORIGINS
    try:
        entries = json.loads(path.read_text())["tables"]
        for entry in entries.values():
            entry["content"], entry["data"], dict(entry["of"])
        return dict(entries)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"not a note of origins: {type(error).__name__}: {error}"
        raise DataError(path, problem, hint="remove it") from None


def differ(
    then: Mapping[str, str], now: Mapping[str, str], data: PathName
) -> str | None:
    """Name the aspect that has changed; None if none can be compared."""
    for aspect, digest in then.items():
        if now.get(aspect, digest) != digest:
            return PROBLEMS[aspect].format(data)
    return None


def _new() -> hashlib.blake2b:
    """Start a digest."""
    return hashlib.blake2b(digest_size=16)


def _digest_manifests(data_dir: Path) -> str | None:
    """Digest what the manifests say of the audio."""
    recordings, supervisions = (
        _unzip(data_dir / name) for name in (RECORDINGS, SUPERVISIONS)
    )
    if recordings is None or supervisions is None:
        return None
    digest = _new()
    digest.update(recordings)
    places = PLACE.findall(supervisions)
    if len(places) == supervisions.count(b"\n"):
        supervisions = b"\n".join(places)
    digest.update(b"\n" + supervisions)
    return digest.hexdigest()


def _digest_sizes(data_dir: Path) -> str | None:
    """Digest the sizes of the files of the recordings, in the manifest's order."""
    recordings = _unzip(data_dir / RECORDINGS)
    if recordings is None:
        return None
    sizes = _sizes_of(_sources_of(data_dir / RECORDINGS, recordings))
    if None in sizes:
        return None
    digest = _new()
    digest.update(" ".join(map(str, sizes)).encode())
    return digest.hexdigest()


def _digest_utt2spk(data_dir: Path) -> str | None:
    """Digest who says what."""
    path = data_dir / "utt2spk"
    require_file(path)
    return digest_file(path) if path.exists() else None


DESCRIBE = {
    "manifests": _digest_manifests,
    "sizes": _digest_sizes,
    "utt2spk": _digest_utt2spk,
}


def _unzip(path: Path) -> bytes | None:
    """Read a manifest; None if there is none."""
    require_file(path)
    try:
        with gzip.open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(path, f"cannot decompress it: {error}") from None


def _sources_of(path: Path, recordings: bytes) -> list[str]:
    """List the sound files of a manifest's recordings."""
    found = SOURCE.findall(recordings)
    try:
        if len(found) == recordings.count(b"\n"):
            return [
                json.loads(b'"%s"' % name) if b"\\" in name else name.decode()
                for name in found
            ]
        items = [json.loads(line) for line in recordings.splitlines()]
        sources = [source for item in items for source in item["sources"]]
        return [x["source"] for x in sources if x["type"] == "file"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        problem = f"not a manifest of recordings: {type(error).__name__}: {error}"
        raise DataError(path, problem) from None


def _sizes_of(paths: list[str]) -> list[int | None]:
    """Look up the sizes of files; None for one that is not there."""
    pieces = [paths[start : start + PIECE] for start in range(0, len(paths), PIECE)]
    with ThreadPoolExecutor(NUM_THREADS) as pool:
        return [size for answer in pool.map(_sizes, pieces) for size in answer]


def _sizes(paths: Iterable[str]) -> list[int | None]:
    """Look up the sizes of some files."""
    sizes: list[int | None] = []
    for path in paths:
        try:
            sizes.append(os.stat(path).st_size)
        except (OSError, ValueError):
            sizes.append(None)
    return sizes
