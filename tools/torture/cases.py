"""The cases: which command runs on what, numbered so that each can be run again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from torture.absurd import values_of
from torture.hostile import RECORDINGS, SUPERVISIONS, corpus, is_open
from torture.locations import locations
from torture.mutations import MUTATIONS, OPEN, kind_of
from torture.probes import Probe

# How often a kind comes among twenty cases.
SHARES = {"hostile": 5, "options": 3, "locations": 1}
KINDS = [*MUTATIONS, *SHARES]
BESIDE = ("origins.json", "wav.scp", "segments")


@dataclass
class Case:
    """One bad input to one command.

    Attributes:
        number: of the case; with the seed it says everything.
        kind: one of `KINDS`.
        name: what is bad.
        probe: the command, and what comes of it if nothing is bad.
        argv: its words.
        spoil: makes the bad input in the world; returns what is spoilt.
        is_open: another result, without a word, is no fault.
    """

    number: int
    kind: str
    name: str
    probe: Probe
    argv: list[str]
    spoil: Callable[[Path], list[str]]
    is_open: bool = False


class Cases:
    """All cases of a seed, drawn one after the other.

    Kinds take turns; within a kind everything comes once before anything comes twice.

    Args:
        probes: the commands, with what they read.
        root: the world.
        seed: of the order, and of what is random in each.
    """

    def __init__(self, probes: list[Probe], root: Path, seed: int) -> None:
        self.seed = seed
        self.probes = probes
        self.files = _sort_files(probes, root)
        kinds = [kind for kind in MUTATIONS if kind in self.files]
        rest = max(1, 12 // len(kinds))
        turns = [kind for kind in kinds for _ in range(rest)]
        for kind, share in SHARES.items():
            turns += [kind] * round(share * len(turns) / 12)
        random.Random(seed).shuffle(turns)
        self.turns = turns
        self.drawers = {kind: self._draw_all(kind) for kind in [*kinds, *SHARES]}

    def __iter__(self) -> Iterator[Case]:
        """Yield cases without end."""
        number = 0
        while True:
            kind = self.turns[number % len(self.turns)]
            name, probe, argv, spoil = next(self.drawers[kind])
            may_differ = kind == "options" or name.partition(" ")[0] in OPEN
            may_differ |= kind == "hostile" and is_open(name)
            # A larger file is another one, whatever decodes of it; and who only carries
            # a number along cannot know it.
            may_differ |= name.startswith("append ") and kind in ("flac", "mp3", "wav")
            carries = probe.program.startswith(("data-", "kaldi-"))
            may_differ |= name.startswith("wrong_number ") and carries
            yield Case(number, kind, name, probe, argv, spoil, may_differ)
            number += 1

    def _draw_all(self, kind: str) -> Iterator[tuple]:
        """Yield (name, probe, argv, spoil) of one kind, without end."""
        rng = random.Random(f"{self.seed} {kind}")
        if kind == "hostile":
            choices = self._hostile(rng)
        elif kind == "locations":
            choices = self._locations(rng)
        elif kind == "options":
            choices = self._options(rng)
        else:
            choices = self._damages(kind, rng)
        yield from choices

    def _hostile(self, rng: random.Random) -> Iterator[tuple]:
        """Every hostile manifest, each for a program that comes next."""
        probes = [x for x in self.probes if _folder(x)]
        while True:
            items = list(corpus())
            rng.shuffle(items)
            rng.shuffle(probes)
            for number, (name, spoil) in enumerate(items):
                probe = probes[number % len(probes)]
                is_bare = rng.random() < 0.5
                name = f"{name} (bare)" if is_bare else name
                yield name, probe, probe.argv, _hostile_spoil(probe, spoil, is_bare)

    def _locations(self, rng: random.Random) -> Iterator[tuple]:
        """Tables with lines that lead elsewhere, each for a program that reads it."""
        while True:
            items = list(locations())
            rng.shuffle(items)
            for name, table, spoil in items:
                probe = rng.choice([x for x in self.probes if table in x.reads])
                yield name, probe, probe.argv, _location_spoil(table, spoil)

    def _options(self, rng: random.Random) -> Iterator[tuple]:
        """Options of all programs, in any order."""
        probe_of = {probe.program: probe for probe in reversed(self.probes)}
        choices = [
            (f"{flag}={value}", probe)
            for program, probe in sorted(probe_of.items())
            for flag, value in values_of(program)
        ]
        while True:
            rng.shuffle(choices)
            for option, probe in choices:
                argv = [probe.program, option, *probe.argv[1:]]
                yield option[:80], probe, argv, lambda root: []

    def _damages(self, kind: str, rng: random.Random) -> Iterator[tuple]:
        """Files of a kind: one after the other, a program that reads it, a damage."""
        mutations = list(MUTATIONS[kind])
        groups = self.files[kind]
        while True:
            rng.shuffle(mutations)
            for mutation in mutations:
                probe, names = rng.choice(groups)
                name = rng.choice(names)
                noise = random.Random(rng.random())
                spoil = _damage(name, mutation, noise)
                yield f"{mutation.__name__} {name}", probe, probe.argv, spoil


def _sort_files(
    probes: list[Probe], root: Path
) -> dict[str, list[tuple[Probe, list[str]]]]:
    """Sort what each probe reads by kind: kind -> (probe, files)."""
    found: dict[str, list[tuple[Probe, list[str]]]] = {}
    for probe in probes:
        own: dict[str, list[str]] = {}
        for name in probe.reads:
            kind = kind_of(name, (root / name).read_bytes())
            if kind is not None:
                own.setdefault(kind, []).append(name)
        for kind, names in own.items():
            found.setdefault(kind, []).append((probe, names))
    return found


def _folder(probe: Probe) -> str | None:
    """The first data directory whose manifests a probe reads."""
    for name in probe.reads:
        folder, _, last = name.rpartition("/")
        if last in (RECORDINGS, SUPERVISIONS) and folder:
            return folder
    return None


def _hostile_spoil(
    probe: Probe, spoil: Callable[[Path], None], is_bare: bool
) -> Callable:
    """Spoil manifests; bare ones have no tables beside them that would contradict."""
    folder = _folder(probe)
    assert folder is not None

    def make(root: Path) -> list[str]:
        spoil(root / folder)
        for name in BESIDE if is_bare else ():
            (root / folder / name).unlink(missing_ok=True)
        return [f"{folder}/{RECORDINGS}", f"{folder}/{SUPERVISIONS}"]

    return make


def _location_spoil(table: str, spoil: Callable[[Path], None]) -> Callable:
    def make(root: Path) -> list[str]:
        spoil(root)
        return [table]

    return make


def _damage(name: str, mutation: Callable, rng: random.Random) -> Callable:
    def make(root: Path) -> list[str]:
        path = root / name
        changed = mutation(path.read_bytes(), rng)
        if changed is None:
            return []
        path.write_bytes(changed)
        return [name]

    return make
