"""Lines of wav.scp and feats.scp that lead somewhere else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from torture.hostile import TOUCH

# What a line of wav.scp or feats.scp may lead to.
LOCATIONS = {
    "a command": f"{TOUCH} |",
    "a command behind blanks": f" {TOUCH} | ",
    "a command to write to": f"| {TOUCH}",
    "a command in a command": f"$({TOUCH})",
    "a command in backquotes": f"`{TOUCH}`",
    "two commands": f"x; {TOUCH}",
    "an address": "http://127.0.0.1:9/x.wav",
    "zeros without end": "/dev/zero",
    "zeros at an offset": "/dev/zero:5",
    "standard input": "-",
    "a directory": ".",
    "a named pipe": "pipe",
    "a named pipe at an offset": "pipe:5",
    "an offset of 10^18": "exp/mfcc/feats.ark:1000000000000000000",
    "an offset of 5000 digits": f"exp/mfcc/feats.ark:{'9' * 5000}",
    "an offset below 0": "exp/mfcc/feats.ark:-5",
    "an offset amidst numbers": "exp/mfcc/feats.ark:101",
    "another entry's offset": "exp/mfcc/feats.ark:14",
    "a range of 10^18": "exp/mfcc/feats.ark:14[0:1000000000000000000]",
    "a range that ends first": "exp/mfcc/feats.ark:14[5:2]",
    "a range of nothing": "exp/mfcc/feats.ark:14[]",
    "half a range": "exp/mfcc/feats.ark:14[0:",
    "this table itself": "data/feats.scp",
    "a long path": "x" * 5000,
    "a model": "exp/ubm/ubm.npz",
}
TABLES = ("kaldi/wav/wav.scp", "data/feats.scp", "exp/ivectors/ivector.scp")


def locations() -> Iterator[tuple[str, str, Callable[[Path], None]]]:
    """Yield names and what spoils a line of a table in the world, and which table."""

    def point(table: str, value: str) -> Callable[[Path], None]:
        def spoil(root: Path) -> None:
            path = root / table
            lines = path.read_text().splitlines()
            lines[2] = f"{lines[2].split()[0]} {value}"
            path.write_text("".join(f"{line}\n" for line in lines))
            (path.parent / "origins.json").unlink(missing_ok=True)
            os.mkfifo(root / "pipe")

        return spoil

    for table in TABLES:
        for name, value in LOCATIONS.items():
            yield f"{table}: {name}", table, point(table, value)
