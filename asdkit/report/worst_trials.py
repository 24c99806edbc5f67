"""The trials that the best system gets most wrong, to look at and to listen to."""

from __future__ import annotations

import base64
import io
import logging
import os
from typing import NamedTuple

import numpy as np

from asdkit.base.answers import Cell, number
from asdkit.base.errors import AsdkitError
from asdkit.data.manifests import Utterance, read_utterances
from asdkit.io.audio import open_audio, read_samples
from asdkit.report.evaluations import Evaluated
from asdkit.report.markup import Content, Markup, data_table, element, scroll_box

logger = logging.getLogger(__name__)
NUM_WORST = 10  # of each kind of error
LONGEST_SEC = 8.0  # of a recording that is embedded


class Wrong(NamedTuple):
    """A trial on the wrong side.

    Attributes:
        row: number of the trial.
        sort: its class.
        score: its score.
        beyond: share of the other classes that beats it: scores higher than this
            target, or lower than this nontarget.
    """

    row: int
    sort: str
    score: float
    beyond: float


def find_worst(found: Evaluated, number_each: int = NUM_WORST) -> list[Wrong]:
    """Find the misses and false alarms of the best system that are farthest off."""
    scores = found.systems[0].scores
    is_positive = found.classes[0]
    sort_of = np.empty(len(scores), dtype=np.int64)
    for k, rows in enumerate(found.classes):
        sort_of[rows] = k
    worst = []
    for positive in (True, False):
        rows = np.flatnonzero(is_positive == positive)
        others = np.sort(scores[is_positive != positive])
        order = np.argsort(scores[rows] if positive else -scores[rows], kind="stable")
        for row in rows[order[:number_each]].tolist():
            below = np.searchsorted(others, scores[row]) / len(others)
            share = float(1 - below if positive else below)
            worst.append(
                Wrong(row, found.sorts[sort_of[row]], float(scores[row]), share)
            )
    return worst


def worst_trials(found: Evaluated, audio: bool = False) -> Markup:
    """Tabulate the worst trials, with recordings if asked for."""
    worst = find_worst(found)
    name = found.systems[0].name
    sides = ["enroll", "test"] if found.enroll is not None else ["utterance"]
    first, others = found.sorts[0], " or ".join(found.sorts[1:])
    text = (
        f"The {first} trials with the lowest scores and the others with the highest. "
    )
    text += f"Beaten by: the share of {others} trials that score higher than this "
    text += f"{first} trial, or of {first} trials that score lower than this other."
    tables: list[Content] = []
    for kind in (True, False):
        rows: list[list[Cell | str]] = []
        for one in worst:
            if (one.sort == first) == kind:
                cells = [number(one.score, ".4g"), number(100 * one.beyond, ".1f")]
                rows.append([*_ids(found, one.row), *cells, one.sort])
        caption = f"{first} trials with low scores"
        caption = caption if kind else f"{others} trials with high scores"
        titles = [*sides, "score", "beaten by %", "class"]
        tables.append(data_table(titles, rows, caption, len(sides)))
    parts: list[Content] = [
        element("h3", f"The worst trials of {name}"),
        element("p", text),
        element("div", tables, class_="pair"),
    ]
    if audio:
        parts.append(_players(found, worst))
    return element("div", parts, class_="worst")


def _ids(found: Evaluated, row: int) -> list[str]:
    """Name the sides of a trial."""
    ids = [found.test[row]]
    return [found.enroll[row], *ids] if found.enroll is not None else ids


def _players(found: Evaluated, worst: list[Wrong]) -> Content:
    """Embed the recordings of the worst trials."""
    folder = os.path.dirname(found.key.path) or "."
    try:
        known = {x.utt: x for x in read_utterances(folder)}
    except AsdkitError as error:
        text = f"There are no recordings to listen to: {error}."
        return element("p", text, class_="soft")
    body = []
    lacking = 0
    for one in worst:
        cells = [element("th", one.sort, scope="row")]
        for utt in _ids(found, one.row):
            player = _player(known.get(utt))
            lacking += player is None
            cells.append(element("td", [utt, element("br"), player or "no recording"]))
        body.append(element("tr", cells))
    table = element("table", element("tbody", body))
    parts = [scroll_box(table, "Recordings of the worst trials")]
    if lacking:
        text = f"{lacking} of these have no recording in {folder}."
        parts.append(element("p", text, class_="soft"))
    return parts


def _player(utterance: Utterance | None) -> Markup | None:
    """Embed a recording, or its beginning; None if it cannot be read."""
    if utterance is None or utterance.is_command:
        return None
    import soundfile

    try:
        with open_audio(utterance.source, False, False) as file:
            seconds = min(utterance.duration, LONGEST_SEC)
            place = utterance.start, seconds, utterance.channel
            samples = read_samples(file, utterance.source, *place)
            rate = file.samplerate
    except AsdkitError as error:
        logger.warning("report: no audio: %s", error)
        return None
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format="OGG", subtype="VORBIS")
    text = base64.b64encode(stream.getvalue()).decode()
    label = f"Recording {utterance.utt}"
    source = f"data:audio/ogg;base64,{text}"
    return element(
        "audio", "", controls=True, preload="none", src=source, aria_label=label
    )
