"""Directory trees: what changed in one, what its files say, and as it was before.

Files are compared by what they mean: not by the time, host and commit that they note,
nor by how long anything took.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

Stamp = tuple[int, int, int, int]
NO_NUMBER = re.compile(rb"(?<![^\s,:\[])-?(nan|inf|NaN|Infinity)(?![^\s,\]}])")
TIMINGS = {"utts/s", "waiting %"}
# What a run has cost, and sizes and times of what it has read.
NOTES = {"costs.jsonl", "origins.json", "spoof.json"}
TEMPORARY = re.compile(r"^\.|\.tmp$|\.lock$")


class Tree:
    """A directory that is worked in, and a copy of it as it was.

    Args:
        root: the directory.
        copy: where to keep what it holds now.
    """

    def __init__(self, root: Path, copy: Path) -> None:
        self.root = root
        self.copy = copy
        shutil.copytree(root, copy, symlinks=True)
        self.stamps = take_stamps(root)

    def repair(self, names: list[str]) -> None:
        """Copy some files back, whatever stands there now."""
        for name in names:
            self._renew(name)

    def restore(self) -> None:
        """Make the directory what it was; only what differs is touched."""
        now = take_stamps(self.root)
        for name in sorted(now.keys() - self.stamps.keys(), reverse=True):
            remove(self.root / name)
        for name in sorted(self.stamps):
            if now.get(name) != self.stamps[name]:
                self._renew(name)

    def _renew(self, name: str) -> None:
        """Copy one file or directory back."""
        source, target = self.copy / name, self.root / name
        if source.is_dir() and not source.is_symlink():
            if not target.is_dir() or target.is_symlink():
                remove(target)
                target.mkdir()
            return
        remove(target)
        shutil.copy2(source, target, follow_symlinks=False)
        self.stamps[name] = take_stamp(target)


def take_stamp(path: Path) -> Stamp:
    """Describe a file so that a write into it shows; a directory by its being one."""
    found = path.lstat()
    if stat.S_ISDIR(found.st_mode):
        return (stat.S_IFDIR, 0, 0, 0)
    return (found.st_mode, found.st_size, found.st_mtime_ns, found.st_ino)


def take_stamps(root: Path) -> dict[str, Stamp]:
    """Describe everything below a directory: relative name -> stamp."""
    stamps = {}
    for parent, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(parent, name)
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                stamps[str(path.relative_to(root))] = take_stamp(path)
    return stamps


def changes(before: dict[str, Stamp], after: dict[str, Stamp]) -> list[str]:
    """Name what is new, gone, or was written."""
    names = before.keys() | after.keys()
    return sorted(name for name in names if before.get(name) != after.get(name))


def remove(path: Path) -> None:
    """Remove a file or directory, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def meaning(path: Path) -> str | None:
    """Digest what a file says; None for what says nothing by itself."""
    if path.name in NOTES or not path.is_file():
        return None
    if path.name.startswith("events.out.tfevents"):
        return None  # TensorBoard's, with the time
    content = path.read_bytes()
    if content[:4] == b"PK\3\4":
        with contextlib.suppress(Exception):  # damaged: then its bytes are all there is
            return digest(*_parts(_read_model(path)))
    if content[:2] == b"\x1f\x8b":
        with contextlib.suppress(OSError, EOFError, zlib.error):
            content = gzip.decompress(content)
    if path.suffix == ".json":
        with contextlib.suppress(ValueError):
            return digest(*_parts(_without_provenance(json.loads(content))))
    return digest(content)


def _read_model(path: Path) -> Any:
    """Read what a model file holds, without what it notes of the run that wrote it."""
    with zipfile.ZipFile(path) as archive:
        is_numpy = "asdkit.npy" in archive.namelist()
    if is_numpy:
        content = dict(np.load(path, allow_pickle=False))
        header = json.loads(str(content.pop("asdkit")))
    else:
        content = torch.load(path, weights_only=True)
        header = json.loads(content.pop("header"))
    return [_without_provenance(header), content]


def _without_provenance(header: Any) -> Any:
    return {name: header[name] for name in header if name != "provenance"}


def _parts(value: Any) -> Iterator[bytes]:
    """Flatten nested containers, tensors and arrays; without how long anything took."""
    if isinstance(value, Mapping):
        for name in sorted(value.keys() - TIMINGS, key=str):
            yield repr(name).encode()
            yield from _parts(value[name])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, torch.Tensor):
        yield from _parts(value.numpy())
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape}".encode()
        yield value.tobytes()
    else:
        yield repr(value).encode()


def find_nonfinite(path: Path) -> str:
    """Say what of a model or a text is no number; empty if all is well."""
    content = path.read_bytes() if path.is_file() else b""
    if content[:4] == b"PK\3\4":
        with contextlib.suppress(Exception):
            return next((x for x in _arrays(_read_model(path)) if x), "")
    if b"\0" not in content[:1000] and (found := NO_NUMBER.search(content)):
        return found[0].decode()
    return ""


def _arrays(value: Any) -> Iterator[str]:
    """Yield for every array or tensor what of it is no number."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _arrays(item)
    elif isinstance(value, np.ndarray | torch.Tensor):
        array = np.asarray(value)
        is_number = array.dtype.kind in "fc"
        yield "NaN or infinity" if is_number and not np.isfinite(array).all() else ""


def digest(*parts: bytes) -> str:
    """Hash some bytes, and where they part."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()


def meanings(root: Path, names: list[str]) -> dict[str, str]:
    """Digest some files of a tree, without those that say nothing."""
    found = {name: meaning(root / name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def temporary(names: list[str]) -> list[str]:
    """Pick the names of temporary files and locks."""
    return [name for name in names if TEMPORARY.search(Path(name).name)]
