"""Manifests that come from others: commands, addresses, ids that lead elsewhere, sizes.

Every item of the corpus is a name and a function that spoils ``recordings.jsonl.gz`` or
``supervisions.jsonl.gz`` of a directory.  What tries to run a command or to write
elsewhere makes a file named CANARY if it is let in.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from torture.verdicts import CANARY
from torture.world import edit_manifest

RECORDINGS, SUPERVISIONS = "recordings.jsonl.gz", "supervisions.jsonl.gz"
TOUCH = f"touch {CANARY}"
Item = dict[str, Any]
Spoil = Callable[[Path], None]
DELETE = object()

OPEN = (
    *("id:", "speaker:", "recording_id:", "custom:"),
    *("supervision's start: 0", "supervision's start: -1", "supervision's duration: 0"),
)

SOURCES = {
    "command": {"type": "command", "source": TOUCH},
    "url": {"type": "url", "source": "http://127.0.0.1:9/x.wav"},
    "s3": {"type": "url", "source": "s3://bucket/x.wav"},
    "memory": {"type": "memory", "source": "UklGRg=="},
    "shar": {"type": "shar", "source": ""},
    "unknown type": {"type": "zzz"},
    "type is a list": {"type": ["file"]},
    "no type": {"type": None},
    "pipe as a file": {"source": f"{TOUCH} |"},
    "pipe before a file": {"source": f"| {TOUCH}"},
    "command in a .sph name": {"source": f"$({TOUCH}).sph"},
    "quote in a .sph name": {"source": f"x';{TOUCH};'.sph"},
    "address as a file": {"source": "https://127.0.0.1:9/x.flac"},
    "zeros without end": {"source": "/dev/zero"},
    "standard input": {"source": "-"},
    "a directory": {"source": "."},
    "nothing": {"source": ""},
    "a number": {"source": 7},
    "NUL in a path": {"source": "wav/x\0.flac"},
    "a long path": {"source": "x" * 5000},
    "a long way round": {"source": "./" * 3000 + "x"},
    "a surrogate in a path": {"source": "wav/\ud800.flac"},
    "this file itself": {"source": f"data/{RECORDINGS}"},
    "no channels": {"channels": []},
    "channel 7": {"channels": [7]},
    "channel -1": {"channels": [-1]},
    "channel as text": {"channels": ["0"]},
    "channel twice": {"channels": [0, 0]},
    "channels null": {"channels": None},
    "10^9 as channel": {"channels": [10**9]},
}
IDS = {
    "up and out": f"../../../{CANARY}",
    "up": f"../{CANARY}",
    "absolute": "/etc/passwd",
    "a slash": "a/b",
    "dot": ".",
    "dots": "..",
    "empty": "",
    "a blank": "a b",
    "a newline": "a\nb",
    "a tab": "a\tb",
    "NUL": "a\0b",
    "escape": "a\x1b[31mb",
    "300 characters": "a" * 300,
    "a surrogate": "a\ud800",
    "right to left": "a\u202eb",
    "a no-break space": "a\u00a0b",
    "a line separator": "a\u2028b",
    "not normalized": "e\u0301",
    "a minus": "-rf",
    "a format": "%s%n{0}",
    "a number": 7,
    "null": None,
    "true": True,
    "a list": ["a"],
    "an object": {"a": "b"},
}
NUMBERS = {
    "0": 0,
    "-1": -1,
    "10^15": 10**15,
    "10^18": 10**18,
    "1e300": 1e300,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "1.5": 1.5,
    "text": "16000",
    "null": None,
    "true": True,
    "a list": [16000],
    "missing": DELETE,
}
NESTED_RIR = {
    "id": "rir",
    "sources": [{"type": "command", "channels": [0], "source": TOUCH}],
    "sampling_rate": 16000,
    "num_samples": 1600,
    "duration": 0.1,
    "channel_ids": [0],
}
TRANSFORMS = {
    "a command in a room": [
        {"name": "ReverbWithImpulseResponse", "kwargs": {"rir": NESTED_RIR}}
    ],
    "a command in a mix": [{"name": "Mix", "kwargs": {"reference": NESTED_RIR}}],
    "a volume": [{"name": "Volume", "kwargs": {"factor": 1e30}}],
    "speed 0": [{"name": "Speed", "kwargs": {"factor": 0}}],
    "speed 10^-9": [{"name": "Speed", "kwargs": {"factor": 1e-9}}],
    "speed 10^9": [{"name": "Speed", "kwargs": {"factor": 1e9}}],
    "speed NaN": [{"name": "Speed", "kwargs": {"factor": float("nan")}}],
    "speed without a factor": [{"name": "Speed", "kwargs": {}}],
    "speed of something": [{"name": "Speed", "kwargs": {"zzz": 1.0}}],
    "a rate of 10^12": [
        {
            "name": "Resample",
            "kwargs": {"source_sampling_rate": 16000, "target_sampling_rate": 10**12},
        }
    ],
    "unknown": [{"name": "os.system", "kwargs": {"command": TOUCH}}],
    "text": "Speed",
    "a text in a list": ["Speed"],
    "an object": {"name": "Speed"},
    "ten thousand": [{"name": "Speed", "kwargs": {"factor": 1.1}}] * 10000,
}
FEATURES = {
    "type": "x",
    "num_frames": 98,
    "num_features": 20,
    "frame_shift": 0.01,
    "sampling_rate": 16000,
    "start": 0,
    "duration": 1.0,
    "storage_type": "numpy_files",
    "storage_path": "../",
    "storage_key": f"{CANARY}.npy",
    "channels": 0,
}
CUSTOMS = {
    "a recording with a command": {"x": NESTED_RIR},
    "features elsewhere": {"x": FEATURES},
    "an array by address": {
        "x": {
            "array": {
                "storage_type": "numpy_files",
                "storage_path": "http://127.0.0.1:9/",
                "storage_key": "x.npy",
                "shape": [10**9],
            },
            "temporal_dim": 0,
            "frame_shift": 0.01,
            "start": 0,
        }
    },
    "text": "zzz",
    "a list": [1],
    "attack as a list": {"attack": ["x"]},
    "segments of nothing": {"spoofed": [[0, 1], [5, -3]]},
    "segments that are text": {"attack": "A01", "spoofed": "zzz"},
    "a segment without an end": {"attack": "A01", "spoofed": [[0]]},
    "segments of text": {"attack": "A01", "spoofed": [["0", "1"]]},
    "a segment that is no number": {"attack": "A01", "spoofed": [[float("nan"), 1]]},
}


def _set(value: Any, *path: str | int) -> Callable[[list[Item]], None]:
    """Make a function that sets something in the third item of a manifest."""

    def change(items: list[Item]) -> None:
        at: Any = items[2]
        for step in path[:-1]:
            at = at[step]
        if value is DELETE:
            del at[path[-1]]
        else:
            at[path[-1]] = value

    return change


def _in_recordings(change: Callable[[list[Item]], object]) -> Spoil:
    return lambda folder: edit_manifest(folder / RECORDINGS, change)


def _in_supervisions(change: Callable[[list[Item]], object]) -> Spoil:
    return lambda folder: edit_manifest(folder / SUPERVISIONS, change)


def _in_both(value: Any) -> Spoil:
    """Give the third recording and what refers to it another id."""

    def spoil(folder: Path) -> None:
        before: list[Any] = []

        def rename(items: list[Item]) -> None:
            before.append(items[2]["id"])
            items[2]["id"] = value

        def refer(items: list[Item]) -> None:
            for item in items:
                if item["recording_id"] == before[0]:
                    item["recording_id"] = item["id"] = value

        edit_manifest(folder / RECORDINGS, rename)
        edit_manifest(folder / SUPERVISIONS, refer)

    return spoil


def _set_source(fields: Item) -> Callable[[list[Item]], None]:
    def change(items: list[Item]) -> None:
        items[2]["sources"][0].update(fields)

    return change


def _write(name: str, text: bytes | Callable[[bytes], bytes]) -> Spoil:
    """Write what is in the file anew, compressed."""

    def spoil(folder: Path) -> None:
        path = folder / name
        new = (
            text
            if isinstance(text, bytes)
            else text(gzip.decompress(path.read_bytes()))
        )
        path.write_bytes(gzip.compress(new, mtime=0))

    return spoil


def _bomb(name: str) -> Spoil:
    """Ten gigabytes of one line, in ten megabytes."""

    def spoil(folder: Path) -> None:
        member = gzip.compress(b" " * (64 << 20), 9, mtime=0)
        with (folder / name).open("wb") as stream:
            for _ in range(160):
                stream.write(member)

    return spoil


def _pipe(name: str) -> Spoil:
    """A named pipe in place of a file; nobody writes into it."""

    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return spoil


def _audio_pipe(folder: Path) -> None:
    """A named pipe in place of a sound file."""
    os.mkfifo(folder.parent / "pipe.wav")
    edit_manifest(folder / RECORDINGS, _set_source({"source": "pipe.wav"}))


def _directory(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return spoil


def _loop(name: str) -> Spoil:
    """A link to itself."""

    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(name)

    return spoil


def _plain(name: str) -> Spoil:
    """Not compressed, under the name of what is."""

    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(gzip.decompress((folder / name).read_bytes()))

    return spoil


def is_open(name: str) -> bool:
    """Tell whether a program may take a hostile manifest, with another result.

    So it is with other ids and other words, with times that programs carry along, and
    where tables are gone, too.
    """
    return name.startswith(OPEN) or name.endswith("(bare)")


def corpus() -> Iterator[tuple[str, Spoil]]:
    """Yield every hostile manifest: its name, and what spoils a directory with it."""
    for name, source in SOURCES.items():
        yield f"source: {name}", _in_recordings(_set_source(source))
    for name, value in IDS.items():
        yield f"id: {name}", _in_both(value)
        yield f"speaker: {name}", _in_supervisions(_set(value, "speaker"))
        yield f"recording_id: {name}", _in_supervisions(_set(value, "recording_id"))
    for name, value in NUMBERS.items():
        for key in ("sampling_rate", "num_samples", "duration"):
            yield f"{key}: {name}", _in_recordings(_set(value, key))
        for key in ("start", "duration", "channel"):
            yield f"supervision's {key}: {name}", _in_supervisions(_set(value, key))
    for name, value in {"none": [], "7": [7], "text": "0", "null": None}.items():
        yield f"channel_ids: {name}", _in_recordings(_set(value, "channel_ids"))
    for name, transforms in TRANSFORMS.items():
        change = _set(transforms, "transforms")
        yield f"transform: {name}", _in_recordings(change)
    for name, custom in CUSTOMS.items():
        yield f"custom: {name}", _in_supervisions(_set(custom, "custom"))
    for value in ("x", [], None, {}):
        yield f"sources: {value!r}", _in_recordings(_set(value, "sources"))
    yield "audio: a named pipe", _audio_pipe
    for name in (RECORDINGS, SUPERVISIONS):
        yield from _files(name)


def _files(name: str) -> Iterator[tuple[str, Spoil]]:
    """Yield what may stand in place of a whole file."""
    noun = name.partition(".")[0]
    texts: dict[str, bytes | Callable[[bytes], bytes]] = {
        "deep": b"[" * 100_000 + b"\n",
        "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"\n",
        "a deep field": lambda x: x.replace(b'"id"', b'"z":' + b"[" * 900 + b"]" * 900
                                            + b',"id"', 1),
        "a number of 10^4 digits": lambda x: x.replace(b'"id"', b'"z":' + b"9" * 10000
                                                       + b',"id"', 1),
        "a key twice": lambda x: x.replace(b'"id"', b'"id":"zzz","id"', 1),
        "UTF-16": lambda x: x.decode().encode("utf-16"),
        "a byte-order mark": lambda x: b"\xef\xbb\xbf" + x,
        "Latin-1": lambda x: x.replace(b'"id"', b'"\xe9":1,"id"', 1),
        "compressed twice": lambda x: gzip.compress(x, mtime=0),
        "a list of all": lambda x: b"[" + x.strip().replace(b"\n", b",") + b"]\n",
        "scalars": b'1\n"a"\nnull\ntrue\n',
        "two in a line": lambda x: x.replace(b"\n", b"", 1),
        "blank lines": lambda x: x.replace(b"\n", b"\n\n \n"),
        "NUL behind the end": lambda x: x + b"\0" * 512,
        "every line twice": lambda x: x + x,
        "a line of 50 MB": lambda x: x + b'{"id": "' + b"x" * 50_000_000 + b'"}\n',
        "of a cut": lambda x: x.replace(b'"id"', b'"type":"MonoCut","id"', 1),
        "no objects": b"zzz\n",
        "empty objects": b"{}\n{}\n",
        "nothing": b"",
    }  # fmt: skip
    for what, text in texts.items():
        yield f"{noun}: {what}", _write(name, text)
    for what, make in {
        "a bomb": _bomb,
        "a named pipe": _pipe,
        "a directory": _directory,
        "a link to itself": _loop,
        "not compressed": _plain,
    }.items():
        yield f"{noun}: {what}", make(name)
