"""kill -9 at any moment of a recipe, run again, and compare with the undisturbed run.

The recipe is egs/synth/v1, small, with one rank and with two.  A kill takes one stage:
it runs from the same files as the undisturbed one, is killed at a random moment, or at
the n-th change on the disk; some are killed again when they resume; at last the stage
runs to its end.  Then every file says what it would have said, and no other is there.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from torture.trees import Tree, changes, meanings, take_stamps, temporary
from torture.world import ROOT, BuildError

SIZES = (
    "--num-train-spks 10 --num-test-spks 4 --num-dev-spks 2 --num-gauss 4 "
    "--ivector-dim 4 --lda-dim 3 --num-epochs 2 --num-cm-epochs 1"
)
NUM_STAGES = 17
MARK = "ASDKIT_TORTURE"  # in the environment of all that belongs to a run
END_SEC = 90.0  # ranks notice within this time that their launcher is gone
LIMIT_SEC = 1800.0
GOOD_END = "same"
KILL_WORDS = {
    GOOD_END: "every file as in the undisturbed run",
    "difference": "a file differs, or is missing",
    "torn": "a file was there after the kill that is neither the old nor the new one",
    "leftovers": "a file is there that should not be",
    "orphans": "processes lived on",
    "failed": "the stage cannot be run again",
}
# A checkpoint lies between the old and the new: it says how far the work has come.
BETWEEN = re.compile(r"(^|/)checkpoint\.[^/]*$")


@dataclass
class Stage:
    """A stage as it is without a kill.

    Attributes:
        number: of the stage.
        num_ranks: 1 or 2.
        result: its files -> digest.
        seconds: how long it takes.
        num_events: how often the disk was seen to change.
        between: name -> digests that it had meanwhile: of a table that one program of
            the stage writes and the next one renews.
    """

    number: int
    num_ranks: int
    result: dict[str, str]
    seconds: float
    num_events: int
    between: dict[str, set[str]]

    @property
    def name(self) -> str:
        """What the user reads."""
        return f"stage {self.number} with {self.num_ranks} ranks"


class Recipe:
    """A copy of the recipe, of which stages run one by one.

    Args:
        work: a directory for it.
    """

    def __init__(self, work: Path) -> None:
        self.root = work / "egs" / "synth" / "v1"
        shutil.copytree(ROOT / "egs" / "synth" / "v1", self.root)
        shutil.copy(ROOT / "path.sh", work)
        (work / "tools").mkdir()
        for path in (ROOT / "tools").glob("*.sh"):
            shutil.copy(path, work / "tools")
        self.log = work / "log"

    def start(self, stage: int, num_ranks: int) -> Process:
        """Start one stage."""
        only = f"--stage {stage} --stop-stage {stage} --nj {num_ranks}"
        command = ["./run.sh", *SIZES.split(), *only.split()]
        return Process(command, self.root, self.log)


class Process:
    """A program and all that it starts, whatever sessions they are in."""

    def __init__(self, command: list[str], cwd: Path, log: Path) -> None:
        self.mark = f"{MARK}={uuid.uuid4().hex}"
        name, _, value = self.mark.partition("=")
        self.log = log
        with log.open("wb") as stream:
            self.popen = subprocess.Popen(
                command,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                env=os.environ | {name: value, "OMP_NUM_THREADS": "1"},
            )
        self.start = time.monotonic()

    def members(self) -> Iterator[tuple[int, list[str]]]:
        """Yield number and command line of every process that belongs to it."""
        wanted = self.mark.encode()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    words = (folder / "cmdline").read_bytes().decode().split("\0")
                    yield int(folder.name), words
            except OSError:
                continue

    def kill(self, whom: str, rng: random.Random) -> bool:
        """Kill all, one rank, or the launcher; False if there is none to kill."""
        found = list(self.members())
        ranks = [n for n, words in found if _is_rank(words)]
        others = [n for n, words in found if not _is_rank(words)]
        if whom == "rank":
            chosen = [rng.choice(ranks)] if ranks else []
        elif whom == "launcher":
            chosen = others if ranks else []
        else:
            chosen = [n for n, _ in found]
        for number in chosen:
            _kill(number)
        if whom == "all":
            self.end()
        return bool(chosen)

    def has_ended(self, limit: float) -> bool:
        """Wait until nothing of it runs."""
        stop = time.monotonic() + limit
        while time.monotonic() < stop:
            self.popen.poll()
            if not any(True for _ in self.members()):
                self.popen.wait()
                return True
            time.sleep(0.05)
        return False

    def end(self) -> None:
        """Kill whatever there is, until there is nothing."""
        while found := list(self.members()):
            for number, _ in found:
                _kill(number)
            self.popen.poll()
        self.popen.wait()

    def said(self) -> str:
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-1500:]


def _kill(number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)


def _is_rank(words: list[str]) -> bool:
    """Tell a process that works from bash and from torchrun."""
    line = " ".join(words)
    return "python" in line and "torchrun" not in line and "distributed.run" not in line


class Watcher:
    """Note what files hold while a stage runs, once they have been left alone.

    Args:
        root: below which they are.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.seen: dict[str, set[str]] = {}
        self._stamps = take_stamps(root)
        self._since = dict.fromkeys(self._stamps, -1.0)  # of these nothing is noted
        self._next = 0.0

    def look(self) -> None:
        """Look, if the last time was a while ago."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + 0.1
        stamps = take_stamps(self.root)
        for name in stamps:
            if stamps[name] != self._stamps.get(name):
                self._since[name] = now
            elif now - self._since[name] > 0.3 and self._since[name] >= 0:
                self._since[name] = -1.0
                for key, value in meanings(self.root, [name]).items():
                    self.seen.setdefault(key, set()).add(value)
        self._stamps = stamps


def run_stage(
    recipe: Recipe, stage: int, num_ranks: int, watcher: Watcher | None = None
) -> tuple[float, int]:
    """Run a stage to its end; return how long it took, and changes on the disk.

    Raises:
        BuildError: it fails.
    """
    process = recipe.start(stage, num_ranks)
    num_events = _count_events(process, recipe.root, LIMIT_SEC, None, watcher)
    if process.popen.wait() or "Traceback" in process.said():
        raise BuildError(process.said())
    return time.monotonic() - process.start, num_events


def _count_events(
    process: Process,
    root: Path,
    seconds: float,
    enough: int | None,
    watcher: Watcher | None = None,
) -> int:
    """Count how often the disk changes, until that is enough, or time is over."""
    count, last = 0, _directory_times(root)
    while process.popen.poll() is None:
        if time.monotonic() - process.start > seconds or count == enough:
            break
        time.sleep(0.002)
        if watcher is not None:
            watcher.look()
        now = _directory_times(root)
        count += now != last
        last = now
    return count


def _directory_times(root: Path) -> list[tuple[str, int]]:
    """When a name was last made, renamed or removed in each directory."""
    found = []
    for parent, _, _ in os.walk(root):
        with contextlib.suppress(FileNotFoundError):
            found.append((parent, os.stat(parent).st_mtime_ns))
    return found


def learn_stage(recipe: Recipe, tree: Tree, stage: int, num_ranks: int) -> Stage:
    """Run a stage undisturbed, and note what comes of it."""
    watcher = Watcher(tree.root)
    seconds, num_events = run_stage(recipe, stage, num_ranks, watcher)
    names = changes(tree.stamps, take_stamps(tree.root))
    result = meanings(tree.root, names)
    if left := temporary(names):
        raise BuildError(f"stage {stage} leaves {left}")
    return Stage(stage, num_ranks, result, seconds, num_events, watcher.seen)


def try_kill(
    recipe: Recipe, tree: Tree, stage: Stage, rng: random.Random
) -> tuple[str, str]:
    """Kill a stage, run it again, compare; return a word of `KILL_WORDS`, and why."""
    whoms = ["all", "rank"] if stage.num_ranks == 1 else ["all", "rank", "launcher"]
    for _ in range(1 + (rng.random() < 0.3)):
        whom = rng.choice(whoms)
        process = recipe.start(stage.number, stage.num_ranks)
        try:
            how = _wait_for_moment(process, tree.root, stage, rng)
            if not process.kill(whom, rng):
                process.kill("all", rng)
            if not process.has_ended(END_SEC):
                return "orphans", f"{whom} killed {how}: {list(process.members())}"
        finally:
            process.end()
        if torn := _find_torn(tree, stage):
            return "torn", f"{whom} killed {how}: {torn[:5]}"
    try:
        run_stage(recipe, stage.number, stage.num_ranks)
    except BuildError as error:
        return "failed", f"{whom} killed {how}: {error}"
    return _compare(tree, stage, f"{whom} killed {how}")


def _wait_for_moment(
    process: Process, root: Path, stage: Stage, rng: random.Random
) -> str:
    """Wait until it is time for the kill; say when it was."""
    if rng.random() < 0.3 or not stage.num_events:
        _count_events(process, root, rng.uniform(0, stage.seconds), -1)
    else:
        enough = rng.randint(1, stage.num_events)
        _count_events(process, root, LIMIT_SEC, enough)
    return f"after {time.monotonic() - process.start:.1f} s"


def _find_torn(tree: Tree, stage: Stage) -> list[str]:
    """Name files that are there and neither as before the stage nor as after it."""
    names = changes(tree.stamps, take_stamps(tree.root))
    whole = [name for name in names if not temporary([*Path(name).parts])]
    found = meanings(tree.root, [x for x in whole if not BETWEEN.search(x)])
    return [
        name
        for name, value in found.items()
        if value not in (stage.result.get(name), *stage.between.get(name, ()))
    ]


def _compare(tree: Tree, stage: Stage, how: str) -> tuple[str, str]:
    """Compare what a stage has made with what the undisturbed one has."""
    names = changes(tree.stamps, take_stamps(tree.root))
    found = meanings(tree.root, names)
    extra = [*temporary(names), *(found.keys() - stage.result.keys())]
    if extra:
        return "leftovers", f"{how}: {extra[:5]}"
    if wrong := [n for n in stage.result if found.get(n) != stage.result[n]]:
        return "difference", f"{how}: {wrong[:5]}"
    return GOOD_END, how


def torment_recipe(
    work: Path, num_kills: int, seed: int
) -> Iterator[tuple[str, str, str]]:
    """Yield the stage, the word and the reason of every kill."""
    rng = random.Random(f"{seed} kills")
    places = [(ranks, stage) for ranks in (1, 2) for stage in range(NUM_STAGES)]
    chosen: list[tuple[int, int]] = []
    while len(chosen) < num_kills:
        rng.shuffle(places)
        chosen += places[: num_kills - len(chosen)]
    for num_ranks in (1, 2):
        own = [stage for ranks, stage in chosen if ranks == num_ranks]
        recipe = Recipe(work / f"ranks{num_ranks}")
        for number in range(max(own, default=-1) + 1):
            copy = work / "copy"
            tree = Tree(recipe.root, copy)
            stage = learn_stage(recipe, tree, number, num_ranks)
            for _ in range(own.count(number)):
                tree.restore()
                word, reason = try_kill(recipe, tree, stage, rng)
                yield stage.name, word, reason
            if own.count(number) and word != GOOD_END:
                tree.restore()
                run_stage(recipe, number, num_ranks)
            shutil.rmtree(copy)
