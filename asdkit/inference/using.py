"""Files that the commands of a bundle's users take, and tables that they print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asdkit.base.answers import Cell, CheckFailed, Table, number
from asdkit.base.errors import DataError
from asdkit.base.exits import one_line

if TYPE_CHECKING:
    from asdkit.inference.bundle import Bundle
    from asdkit.inference.people import Enrolled, Ranking
    from asdkit.inference.profiles import Enrollment
    from asdkit.inference.verdict import Verdict
    from asdkit.inference.voices import Voice

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au", ".w64")
LISTS = (".txt", ".scp", ".lst")


def find_audio(paths: Sequence[str]) -> list[str]:
    """List the sound files that arguments name.

    Raises:
        DataError: a list is missing, or a directory or list has none.
    """
    from asdkit.io.tables import read_lines

    found: list[str] = []
    for path in map(Path, paths):
        if path.is_dir():
            everything = sorted(path.rglob("*"))
            named = [x for x in everything if x.suffix.lower() in SUFFIXES]
            inside = [x for x in named if not x.is_dir()]
            if not inside:
                expected = f"expected sound files in it ({' '.join(SUFFIXES)})"
                raise DataError(path, f"{expected}, got none")
            found += map(str, inside)
        elif path.suffix in LISTS:
            if not path.is_file():
                raise DataError(path, "no such list")
            listed = [line.split()[-1] for line in read_lines(path) if line.split()]
            if not listed:
                raise DataError(path, "expected a sound file per line, got none")
            found += listed
        else:
            found.append(str(path))
    return found


def detect_each(
    bundle: Bundle,
    files: Sequence[str],
    channel: int | None,
    draw: Callable[[str, Voice, Verdict], None] | None = None,
) -> list[Verdict | DataError]:
    """Decide about recordings; one that cannot be judged does not end the others.

    Args:
        bundle: the judge.
        files: N recordings, each of which is read once.
        channel: channel to use; None: the only one.
        draw: gets every recording that was judged; None: nothing does.

    Raises:
        AsdkitError: the bundle has no countermeasure.
    """
    _ = bundle.cm  # a bundle without one has no answer to any
    found: list[Verdict | DataError] = []
    for file in files:
        try:
            voice = bundle.hear_cm(file, channel)
            verdict = bundle.judge(voice)
        except DataError as error:
            found.append(error)
        except OSError as error:  # e.g. a name that is too long
            found.append(DataError(file, error.strerror or f"{error}"))
        else:
            found.append(verdict)
            if draw is not None:
                draw(file, voice, verdict)
    return found


def as_table(names: Sequence[str], answers: Sequence[Verdict | DataError]) -> Table:
    """Show decisions, with the sentence below; and why there is none."""
    verdicts = [x for x in answers if not isinstance(x, DataError)]
    has_spoof = any(x.spoof for x in verdicts)
    has_failed = len(verdicts) < len(answers)
    titles = ["recording", "decision", "score", "kind", "threshold", "speech s"]
    titles += ["bona fide"] * has_spoof + ["problem"] * has_failed
    rows: list[list[Cell | str]] = []
    notes: list[str] = []
    for name, answer in zip(names, answers, strict=True):
        row: list[Cell | str] = [_as_name(name)]
        if isinstance(answer, DataError):
            row += ["failed", *[number(None)] * (len(titles) - 3)]
            row.append(Cell(one_line(answer.problem), answer.problem))
            rows.append(row)
            continue
        threshold = answer.costs.threshold if answer.score.is_calibrated else None
        row += [
            answer.decision,
            number(float(answer.score), ".3f"),
            answer.score.kind,
            number(threshold, ".3f"),
            number(answer.speech_sec[-1], ".2f"),
        ]
        if has_spoof:
            spoof = None if answer.spoof is None else float(answer.spoof.score)
            row.append(number(spoof, ".3f"))
        rows.append([*row, *[number(None)] * has_failed])
        notes += [f"Note: {one_line(note)}." for note in answer.notes]
    if len(answers) == len(verdicts) == 1:
        notes.insert(0, verdicts[0].sentence)
    return Table(titles, rows, notes=notes)


def fail_on(what: str, answers: Sequence[Verdict | DataError], table: Table) -> Table:
    """Return the table, or raise with it if an answer is one to fail on, or missing.

    Raises:
        DataError: there is one recording only, and no answer.
        CheckFailed: one of several has no answer, or a decision is an unwanted one.
    """
    unwanted = {
        "none": set(),
        "reject": {"reject"},
        "undecided": {"reject", "undecided"},
    }[what]
    failed = [x for x in answers if isinstance(x, DataError)]
    if failed and len(answers) == 1:
        raise failed[0]
    verdicts = [x for x in answers if not isinstance(x, DataError)]
    hit = [x.decision for x in verdicts if x.decision in unwanted]
    problems = []
    if failed:
        problems.append(f"{len(failed)} of {len(answers)} recordings have no answer")
    if hit:
        problems.append(f"{len(hit)} of {len(answers)}: {hit[0]}")
    if problems:
        hint = f"--fail-on {what} asks for this error"
        hint = "the last column says why" if failed else hint
        raise CheckFailed(table, "; ".join(problems), hint=hint)
    return table


def enrolled_text(profiles: str, done: Enrolled) -> str:
    """Say what was enrolled."""
    speech = ", ".join(f"{name} ({sec:.1f} s)" for name, sec in done.added)
    count = f"{done.name} has {done.total} enrollments"
    return one_line(f"{profiles}: {count}; added {speech} of speech")


def ranking_table(ranking: Ranking) -> Table:
    """Show the enrolled speakers by score, and a sentence."""
    rows: list[list[Cell | str]] = [
        [
            _as_name(name),
            number(float(verdict.score), ".3f"),
            verdict.decision,
            number(ranking.counts[name]),
        ]
        for name, verdict in ranking.verdicts.items()
    ]
    best = ranking.verdicts[ranking.best]
    costs = f"; {best.costs}" if best.score.is_calibrated else ""
    notes = [ranking.sentence, f"Score: {best.score.kind}{costs}."]
    if best.spoof is not None and best.spoof.decision == "undecided":
        what = "the countermeasure is not calibrated"
        notes.append(f"Whether the recording is spoofed is not decided: {what}.")
    notes += [f"Note: {one_line(note)}." for note in best.notes]
    return Table(["speaker", "score", "decision", "enrollments"], rows, notes=notes)


def profile_table(people: Sequence[Enrollment]) -> Table:
    """List enrollments."""
    rows: list[list[Cell | str]] = [
        [_as_name(x.name), _as_name(x.source), number(x.speech_sec, ".2f"), x.added]
        for x in people
    ]
    return Table(["speaker", "recording", "speech s", "added"], rows, num_names=2)


def _as_name(name: str) -> Cell:
    """Show a name in a table; JSON has it as it is."""
    return Cell(one_line(name), name)
