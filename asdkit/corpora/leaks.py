"""Single numbers of the files that give the spoofs of a corpus away."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, NamedTuple

import numpy as np

from asdkit.base.answers import Cell, Table
from asdkit.base.errors import DataError
from asdkit.base.inputs import NUM_THREADS
from asdkit.base.progress import watch
from asdkit.base.ranges import Range
from asdkit.data.manifests import Utterance, read_utterances
from asdkit.features.measurements import DISCRETE, measure
from asdkit.io.audio import open_audio, read_samples
from asdkit.io.protocols import BONAFIDE
from asdkit.io.tables import PathName
from asdkit.metrics.single_number import (
    chance_of,
    eer_at_random,
    eer_either_way,
    folds_of,
    log_odds,
)

logger = logging.getLogger(__name__)
POOLED = "pooled"
SIGNIFICANCE = 0.05  # of all numbers and attacks together


class Leak(NamedTuple):
    """A number that tells an attack from bona fide speech.

    Attributes:
        eer: a fraction in [0, 0.5].
        number: its name.
        attack: id of the attack, or `POOLED`.
        num_spoofs: number of files of the attack.
        chance: bound of the probability to find such a leak anywhere where there is
            none.
    """

    eer: float
    number: str
    attack: str
    num_spoofs: int
    chance: float


class Findings(NamedTuple):
    """The equal error rates of all numbers.

    Attributes:
        numbers: names, the one that separates best first.
        attacks: ids, before them `POOLED` if there are several.
        eers: (numbers, attacks) fractions.
        num_bonafide: number of bona fide files.
        num_spoofs: number of files of every attack.
        leaks: rates too low for chance, the lowest first.
    """

    numbers: list[str]
    attacks: list[str]
    eers: np.ndarray
    num_bonafide: int
    num_spoofs: list[int]
    leaks: list[Leak]


def check_leaks(
    data_dir: PathName,
    min_eer: Annotated[float, Range(least=0, most=50)] = 30.0,
    allow_pipes: bool = False,
) -> tuple[Table, str]:
    """Classify a corpus by single numbers that have nothing to do with speech.

    Args:
        data_dir: with audio, bona fide and spoofed.
        min_eer: equal error rate in percent below which a number is a leak, unless it
            can be chance.
        allow_pipes: run recordings that are shell commands (wav.scp lines ending in a
            pipe).

    Returns:
        a table of equal error rates, and one sentence on the worst leak, empty if
        there is none.

    Raises:
        DataError: audio is missing or damaged, or a class is missing.
    """
    utterances = read_utterances(data_dir)
    attacks = [(x.custom or {}).get("attack", BONAFIDE) for x in utterances]
    is_bonafide = np.array([attack == BONAFIDE for attack in attacks])
    if is_bonafide.all() or not is_bonafide.any():
        missing = "spoofed" if is_bonafide.all() else "bona fide"
        raise DataError(
            data_dir,
            f"expected bona fide and spoofed utterances, got none that are {missing}",
            hint="utt2attack, written by spoof-prepare and spoof-simulate, tells",
        )
    numbers = measure_all(utterances, allow_pipes)
    spks = np.array([x.spk for x in utterances])
    findings = find_leaks(numbers, np.array(attacks), spks, min_eer / 100)
    logger.info(
        "leak-check: %s: %d bona fide utterances, %d spoofed, %d numbers",
        *(data_dir, findings.num_bonafide, findings.num_spoofs[0], len(numbers)),
    )
    return _table(findings, min_eer), _sentence(findings, min_eer)


def measure_all(
    utterances: Sequence[Utterance], allow_pipes: bool = False
) -> dict[str, np.ndarray]:
    """Read and measure utterances in threads: name of the number -> (U,).

    Raises:
        DataError: audio is missing or damaged.
    """

    def read(x: Utterance) -> dict[str, float]:
        with open_audio(x.source, x.is_command, allow_pipes) as file:
            samples = read_samples(file, x.source, x.start, x.duration, x.channel)
            return measure(samples, file.samplerate)

    with ThreadPoolExecutor(NUM_THREADS) as pool:
        try:
            answers = watch(pool.map(read, utterances), len(utterances), "leak-check")
            rows = list(answers)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def find_leaks(
    numbers: Mapping[str, np.ndarray],
    attacks: np.ndarray,
    spks: np.ndarray,
    min_eer: float = 0.3,
) -> Findings:
    """Find the numbers that tell attacks from bona fide speech.

    A rate below ``min_eer`` is a leak where the bound of `chance_of`, times the number
    of rates looked at, is below 0.05.  It counts files; but of an attack whose speakers
    are mostly not those of the bona fide files it counts speakers, since what is found
    may be theirs.

    Args:
        numbers: name -> (U,); what has NaN is left out.
        attacks: (U,) ids, "bonafide" where there is none.
        spks: (U,) speakers, left out together where values are counted.
        min_eer: fraction.
    """
    is_bonafide = attacks == BONAFIDE
    names = np.unique(attacks[~is_bonafide]).tolist()
    if len(names) > 1:
        names = [POOLED, *names]
    rows = [~is_bonafide if name == POOLED else attacks == name for name in names]
    num_bonafide = int(is_bonafide.sum())
    num_spoofs = [int(row.sum()) for row in rows]
    known = [name for name, x in numbers.items() if np.isfinite(x).all()]
    eers = np.empty((len(known), len(rows)))
    folds = folds_of(spks)
    counted = [_independent(spks[is_bonafide], spks[row]) for row in rows]
    for i, name in enumerate(known):
        x = numbers[name]
        for j, row in enumerate(rows):
            if name in DISCRETE:
                used = row | is_bonafide
                key = is_bonafide[used]
                scores = log_odds(x[used], key, folds[used])
                eers[i, j] = min(0.5, eer_at_random(scores[key], scores[~key]))
            else:
                eers[i, j] = eer_either_way(x[is_bonafide], x[row])
    leaks = []
    for i, j in np.argwhere(eers < min_eer).tolist():
        chance = eers.size * chance_of(eers[i, j], *counted[j])
        if chance < SIGNIFICANCE:
            leaks.append(Leak(eers[i, j], known[i], names[j], num_spoofs[j], chance))
    order = np.lexsort((eers.mean(axis=1), eers.min(axis=1)))
    leaks.sort(key=lambda leak: (leak.eer, leak.chance))
    ordered = [known[i] for i in order]
    return Findings(ordered, names, eers[order], num_bonafide, num_spoofs, leaks)


def _independent(bonafide: np.ndarray, spoof: np.ndarray) -> tuple[int, int]:
    """Count what is independent, given the files' speakers: files, or only speakers."""
    if np.isin(spoof, bonafide).mean() < 0.5:
        return len(np.unique(bonafide)), len(np.unique(spoof))
    return len(bonafide), len(spoof)


def _table(findings: Findings, min_eer: float) -> Table:
    """Set the rates as a table; leaks have a star."""
    leaks = {(leak.number, leak.attack) for leak in findings.leaks}
    rows: list[list[Cell | str]] = []
    for name, eers in zip(findings.numbers, findings.eers, strict=True):
        row: list[Cell | str] = [name]
        for attack, eer in zip(findings.attacks, eers, strict=True):
            mark = "*" if (name, attack) in leaks else " "
            row.append(Cell(f"{100 * eer:.1f}{mark}", 100 * float(eer)))
        rows.append(row)
    counts = dict(zip(findings.attacks, findings.num_spoofs, strict=True))
    files = ", ".join(f"{count} {attack}" for attack, count in counts.items())
    luck = int((100 * findings.eers < min_eer).sum()) - len(leaks)
    text = f"* leak: below {min_eer:g} %, and not by chance: {len(leaks)} of "
    text += f"{findings.eers.size} figures."
    if luck:
        text += f"  Below {min_eer:g} %, but perhaps by chance, with so few files or "
        text += f"speakers: {luck}."
    notes = ["", f"files: {findings.num_bonafide} bona fide, {files}", text]
    title = "EER % of one number alone; 50 is chance"
    return Table(["number", *findings.attacks], rows, notes=notes, title=title)


def _sentence(findings: Findings, min_eer: float) -> str:
    """Name the worst leak; empty if there is none."""
    if not findings.leaks:
        return ""
    worst = findings.leaks[0]
    what = "all spoofs" if worst.attack == POOLED else worst.attack
    return (
        f"expected at least {min_eer:g} % EER, got {100 * worst.eer:.1f} %: the "
        f"{worst.number} alone tells {what} from bona fide speech "
        f"({worst.num_spoofs} and {findings.num_bonafide} files); "
        f"leaks in all: {len(findings.leaks)}"
    )
