"""What a program made of bad input: eleven words, of which six name faults."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from torture.probes import LOG, Probe, messages, result_of
from torture.runs import Run
from torture.trees import (
    Stamp,
    Tree,
    changes,
    find_nonfinite,
    take_stamps,
    temporary,
)

GOOD = {
    "same result": "exit 0, and nothing differs",
    "warned": "exit 0, another result, and a warning or a count of what was left out",
    "refused": "exit 1 or 2, one line, nothing written",
    "any result": "exit 0, another result, as was to be expected",
}
BAD = {
    "silent": "exit 0, another result, and no word",
    "traceback": "a traceback, or ended by a signal",
    "unclear": "refused, but not in one clear line; or noise on the terminal",
    "hung": "not ready in time",
    "leftovers": "refused, but something was written; or temporary files",
    "let in": "a command ran, or something was written elsewhere",
}
CANARY = "CANARY"  # a file of this name is there if a hostile input was let in
COUNTS = re.compile(
    r"^WARNING|without|skipped|missing|left out|no longer|not in|lacks?\b|dropped"
    r"|have no|of \d[\d,]* |unknown|resampled|clipped|rescaled|there are|removed"
)
# libmpg123 writes to stderr itself, and libsndfile offers no way to silence it.
DECODER = re.compile(
    r"(Warning: (Xing|Encountered|Real)|Note: (Illegal|Trying|Hit)|\s*$)"
)
LONGEST = 1200  # characters of an error that can still be read


@dataclass
class Verdict:
    """What happened, in one word of `GOOD` or `BAD`, and the reason.

    Attributes:
        word: the word.
        reason: what to look at.
        elsewhere: the error names another file than the one that is damaged.
    """

    word: str
    reason: str = ""
    elsewhere: bool = False


def judge(
    probe: Probe,
    done: Run,
    tree: Tree,
    before: dict[str, Stamp],
    spoilt: list[str],
    is_open: bool = False,
) -> Verdict:
    """Judge a run on spoilt input.

    Args:
        probe: the command, and its result where nothing is spoilt.
        done: how it ended.
        tree: the world, as the run has left it.
        before: stamps of the world, already spoilt.
        spoilt: names of the files that are spoilt.
        is_open: another result is no fault: an option was changed.
    """
    after = take_stamps(tree.root)
    changed = changes(before, after)
    escaped = [x.name for x in tree.root.parent.iterdir() if x.name not in NEIGHBORS]
    canaries = [name for name in changed if CANARY in name]
    if escaped or canaries:
        return Verdict("let in", f"there is {[*escaped, *canaries]}")
    if done.hung:
        return Verdict("hung", done.hung)
    if "Traceback (most recent" in done.stderr or done.code not in (0, 1, 2, 3):
        return Verdict("traceback", f"exit {done.code}: {last_lines(done.stderr)}")
    if problem := _find_noise(done, probe.program in LISTING):
        return Verdict("unclear", problem)
    if left := temporary(changed):
        return Verdict("leftovers", f"temporary: {left}")
    if done.orphans:
        return Verdict("leftovers", "processes")
    if done.code:
        if changed and probe.program not in RESUMING:
            return Verdict("leftovers", f"written in vain: {changed[:5]}")
        names = {part for name in spoilt for part in name.split("/")}
        names |= {Path(name).stem for name in spoilt} - {""}
        error = next((x for x in done.stderr.splitlines() if ": error: " in x), "")
        is_named = not names or not names.isdisjoint(re.split(r"[\s/:,'\"]+", error))
        return Verdict("refused", error, not is_named)
    found = result_of(done, tree, before)
    if found == probe.result:
        return Verdict("same result")
    return _judge_result(probe, done, tree, found, is_open)


def _judge_result(
    probe: Probe, done: Run, tree: Tree, found: dict[str, str], is_open: bool
) -> Verdict:
    """Judge another result than that of what is not spoilt."""
    new = [line for line in messages(done.stderr) if line not in probe.said]
    if said := [line for line in new if COUNTS.search(line)]:
        return Verdict("warned", said[0])
    names = [
        n for n in {**found, **probe.result} if found.get(n) != probe.result.get(n)
    ]
    for name in names:
        if problem := find_nonfinite(tree.root / name):
            return Verdict("silent", f"{name} holds {problem}")
    return Verdict("any result" if is_open else "silent", f"{names[:4]} differ")


NEIGHBORS = {"world", "pristine", "logs"}
# What these have made when they fail is complete; run again, they take it up.
RESUMING = {
    *("codec-apply", "noise-add", "room-apply", "spoof-simulate", "spoof-splice"),
    *("cm-train", "ivector-train", "nnet-train", "speakers-draw"),
}
LISTING = {"data-validate", "score-check"}  # an error has a line for every problem


def _find_noise(done: Run, is_list: bool) -> str:
    """Say what is on the terminal that should not be; empty if all is well."""
    errors, hints = 0, 0
    command = shlex.join(["asdkit", *done.argv])
    for line in done.stderr.replace(command, "").splitlines():
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f]|\ufffd.*\ufffd.*\ufffd", line):
            return f"control characters: {line[:200]!r}"
        if re.match(r"asdkit \S+: error: ", line):
            errors += 1
        elif line.startswith("  hint: "):
            hints += 1
        elif not (LOG.match(line) or DECODER.match(line) or (is_list and errors)):
            return f"neither message nor error: {line[:200]!r}"
        if not LOG.match(line) and len(line) > LONGEST:
            return f"an error of {len(line)} characters: {line[:200]!r}"
    if done.code and errors != 1:
        return f"exit {done.code} with {errors} errors: {last_lines(done.stderr)}"
    if not done.code and errors:
        return f"exit 0 with an error: {last_lines(done.stderr)}"
    return ""


def judge_resumed(probe: Probe, done: Run, tree: Tree) -> Verdict | None:
    """Judge a run that took up what a refused one has left; None if all is well."""
    found = result_of(done, tree, tree.stamps)
    if not done.code and found == probe.result:
        return None
    names = [
        n for n in {**found, **probe.result} if found.get(n) != probe.result.get(n)
    ]
    reason = (
        f"exit {done.code}: {last_lines(done.stderr)}" if done.code else f"{names[:4]}"
    )
    return Verdict("leftovers", f"run again on good input, it is another: {reason}")


def last_lines(text: str) -> str:
    """The end of what a program said."""
    return " | ".join(text.splitlines()[-2:])[-300:]
