"""Options, tables and profiles of the commands that use a bundle."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from asdkit.base.answers import Cell, CheckFailed, Table, number
from asdkit.base.errors import DataError
from asdkit.base.exits import printable
from asdkit.base.parsing import parsing_of
from asdkit.base.ranges import Natural

if TYPE_CHECKING:
    from asdkit.inference.bundle import Bundle
    from asdkit.inference.verdict import Verdict

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au", ".w64")
LISTS = (".txt", ".scp", ".lst")


def add_model(parser: argparse.ArgumentParser) -> None:
    """Declare the bundle."""
    text = "directory that bundle-make wrote"
    parser.add_argument("--model", required=True, metavar="DIR", help=text)


def add_channel(parser: argparse.ArgumentParser) -> None:
    """Declare the channel."""
    parser.add_argument(
        "--channel",
        **parsing_of(Natural),
        help="channel to use of files with several, counted from 0 (default: the only "
        "one, or any of several that are the same)",
    )


def add_deciding(parser: argparse.ArgumentParser) -> None:
    """Declare channel and exit code."""
    add_channel(parser)
    parser.add_argument(
        "--fail-on",
        choices=("none", "reject", "undecided"),
        default="none",
        help="exit with 1 on this decision; undecided includes reject (default: none)",
    )


def add_profiles(parser: argparse.ArgumentParser) -> None:
    """Declare the file of enrolled speakers."""
    parser.add_argument(
        "--profiles", required=True, metavar="FILE", help="SQLite file of speakers"
    )


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


def as_table(names: Sequence[str], verdicts: Sequence[Verdict]) -> Table:
    """Show decisions, with the sentence below."""
    has_spoof = any(x.spoof for x in verdicts)
    titles = ["recording", "decision", "score", "kind", "threshold", "speech s"]
    titles += ["bona fide"] if has_spoof else []
    rows: list[list[Cell | str]] = []
    notes: list[str] = []
    for name, verdict in zip(names, verdicts, strict=True):
        calibrated = verdict.score.is_calibrated
        threshold = verdict.costs.threshold if calibrated else None
        row: list[Cell | str] = [
            _as_name(name),
            verdict.decision,
            number(float(verdict.score), ".3f"),
            verdict.score.kind,
            number(threshold, ".3f"),
            number(verdict.speech_sec[-1], ".2f"),
        ]
        if has_spoof and verdict.spoof is not None:
            row.append(number(float(verdict.spoof.score), ".3f"))
        rows.append(row)
        notes += [f"Note: {_in_a_line(note)}." for note in verdict.notes]
    if len(verdicts) == 1:
        notes.insert(0, verdicts[0].sentence)
    return Table(titles, rows, notes=notes)


def fail_on(what: str, verdicts: Sequence[Verdict], table: Table) -> Table:
    """Return the answer, or raise with it if a decision is one to fail on."""
    unwanted = {
        "none": set(),
        "reject": {"reject"},
        "undecided": {"reject", "undecided"},
    }[what]
    hit = [x for x in verdicts if x.decision in unwanted]
    if hit:
        problem = f"{len(hit)} of {len(verdicts)}: {hit[0].decision}"
        raise CheckFailed(table, problem, hint=f"--fail-on {what} asks for this error")
    return table


def enroll(
    bundle: Bundle, profiles: str, name: str, audios: Sequence[str], channel: int | None
) -> str:
    """Enroll recordings of a speaker, all or none; say what was kept."""
    from asdkit.inference.profiles import Profiles

    items = []
    for audio in audios:
        voice = bundle.hear(audio, channel)
        items.append((audio, voice.speech_sec, bundle.embed_voice(voice)))
    store = Profiles(profiles, model_of(bundle))
    store.add_all(name, items)
    total = sum(1 for x in store.read() if x.name == name)
    speech = ", ".join(f"{Path(audio).name} ({sec:.1f} s)" for audio, sec, _ in items)
    return f"{profiles}: {name} has {total} enrollments; added {speech} of speech"


def identify(bundle: Bundle, profiles: str, audio: str, channel: int | None) -> Table:
    """Rank the enrolled speakers by their scores against a recording."""
    import numpy as np

    from asdkit.inference.profiles import Profiles
    from asdkit.inference.score import Score

    people = Profiles(profiles, model_of(bundle)).read()
    if not people:
        raise DataError(profiles, "nobody is enrolled", hint="asdkit enroll")
    voice = bundle.hear(audio, channel)
    test = bundle.embed_voice(voice)
    scores: dict[str, list[Score]] = {}
    for person in people:
        score = bundle.comparison.score(person.embedding[None], test)
        scores.setdefault(person.name, []).append(score)
    spoof = bundle.detect_voice(audio, channel) if bundle.has_cm else None
    verdicts = {}
    for name, several in scores.items():
        first = several[0]
        mean = float(np.mean([float(x) for x in several]))
        joint = Score(mean, first.kind, first.is_calibrated)
        verdicts[name] = bundle.decide(joint, [voice], spoof)
    ranked = sorted(verdicts, key=lambda name: -float(verdicts[name].score))
    rows: list[list[Cell | str]] = [
        [
            _as_name(name),
            number(float(verdicts[name].score), ".3f"),
            verdicts[name].decision,
            number(len(scores[name])),
        ]
        for name in ranked
    ]
    best = verdicts[ranked[0]]
    if best.decision == "accept":
        sentence = f"This is probably {_in_a_line(ranked[0])}."
    elif best.decision == "undecided":
        most = _in_a_line(ranked[0])
        sentence = f"{most} is most alike; the scores are not calibrated."
    elif spoof is not None and spoof.decision == "reject":
        sentence = "Unknown: the recording is probably spoofed."
    else:
        sentence = f"Unknown: it is probably none of the {len(ranked)} enrolled."
    costs = f"; {best.costs}" if best.score.is_calibrated else ""
    notes = [sentence, f"Score: {best.score.kind}{costs}."]
    if spoof is not None and spoof.decision == "undecided":
        what = "the countermeasure is not calibrated"
        notes.append(f"Whether the recording is spoofed is not decided: {what}.")
    notes += [f"Note: {_in_a_line(note)}." for note in best.notes]
    return Table(["speaker", "score", "decision", "enrollments"], rows, notes=notes)


def list_profiles(bundle: Bundle, profiles: str) -> Table:
    """List the enrollments of a model."""
    from asdkit.inference.profiles import Profiles

    rows: list[list[Cell | str]] = [
        [_as_name(x.name), _as_name(x.source), number(x.speech_sec, ".2f"), x.added]
        for x in Profiles(profiles, model_of(bundle)).read()
    ]
    return Table(["speaker", "recording", "speech s", "added"], rows, num_names=2)


def model_of(bundle: Bundle) -> str:
    """Checksum of the network whose embeddings are kept.

    Raises:
        AsdkitError: the bundle has a countermeasure only.
    """
    digest: str | None = bundle.about["files"].get("speaker.onnx")
    if digest is None:
        problem = "it has no network of speakers to enroll with"
        raise DataError(bundle.path, problem, hint="asdkit bundle-make of one")
    return digest


def _in_a_line(text: str) -> str:
    """Escape what would break a line or control a terminal, e.g. in a file's name."""
    return printable(text).replace("\n", r"\n")


def _as_name(name: str) -> Cell:
    """Show a name in a table; JSON has it as it is."""
    return Cell(_in_a_line(name), name)
