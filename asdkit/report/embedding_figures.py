"""Figures of embeddings in two dimensions, a mark for every utterance."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Sequence

import numpy as np

from asdkit.base.answers import Cell, number
from asdkit.base.errors import AsdkitError
from asdkit.io.tables import read_words
from asdkit.io.vectors import read_vectors
from asdkit.report.evaluations import Evaluated
from asdkit.report.markup import Content, Markup, data_table, element, figure
from asdkit.report.projection import principal_plane, tsne
from asdkit.report.svg import Plot, mark

logger = logging.getLogger(__name__)
MOST_POINTS, MOST_SPEAKERS = 500, 24  # marks that an eye can tell apart
MOST_SETS = 3  # embeddings to draw; t-SNE takes a few seconds each


def embedding_figures(found: Evaluated) -> list[Markup]:
    """Draw the test embeddings of every extractor, or say why there are none."""
    sources: dict[str, str] = {}
    for system in found.systems:
        for made in system.runs:
            if made.program == "backend-score" and made.output == system.path:
                for path in made.inputs("vectors"):
                    sources.setdefault(path, system.name)
    folder = os.path.dirname(found.key.path) or "."
    figures = []
    for path, name in list(sources.items())[:MOST_SETS]:
        try:
            spk_of = read_words(f"{folder}/utt2spk")
            vectors = read_vectors(f"scp:{path}")
        except (AsdkitError, OSError, ValueError) as error:
            logger.warning("report: no embeddings: %s", error)
            continue
        rows, speakers = choose(vectors.keys, spk_of)
        if len(rows) >= 8:
            figures += _pair(vectors.x[rows], speakers, path, name)
    if not figures:
        text = "Embeddings are left out: no score file here names vectors that can be "
        text += "read, with their speakers."
        return [element("p", text, class_="soft")]
    return [element("div", figures, class_="pair")]


def choose(keys: Sequence[str], spk_of: dict[str, str]) -> tuple[list[int], list[str]]:
    """Choose whole speakers, those with the most utterances first.

    Args:
        keys: U utterances.
        spk_of: their speakers.

    Returns:
        rows of the utterances, and their speakers.
    """
    counts = Counter(spk_of[key] for key in keys if key in spk_of)
    chosen: set[str] = set()
    total = 0
    for spk, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if len(chosen) == MOST_SPEAKERS or total >= MOST_POINTS:
            break
        chosen.add(spk)
        total += count
    rows = [row for row, key in enumerate(keys) if spk_of.get(key) in chosen]
    rows = rows[:MOST_POINTS]
    return rows, [spk_of[keys[row]] for row in rows]


def _pair(x: np.ndarray, speakers: Sequence[str], path: str, name: str) -> list[Markup]:
    """Draw one set of embeddings by PCA and by t-SNE."""
    plane, shares = principal_plane(x)
    percent = " and ".join(f"{100 * share:.0f} %" for share in shares)
    what: Content = [element("code", path), f", behind {name}: {len(x)} utterances of "]
    num = len(set(speakers))
    texts: list[Content] = [
        [what, f"{num} speakers. The axes hold {percent} of the variance."],
        [what, f"{num} speakers. Only who is near whom means something."],
    ]
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    drawings = (("PCA", plane), ("t-SNE of directions", tsne(unit)))
    figures = []
    for (title, places), text in zip(drawings, texts, strict=True):
        figures.append(_figure(f"Embeddings, {title}", text, places, speakers))
    return figures


def _figure(
    title: str, text: Content, places: np.ndarray, speakers: Sequence[str]
) -> Markup:
    """Draw marks, a color and shape for each speaker."""
    low, high = places.min(axis=0), places.max(axis=0)
    edge = 0.05 * (high - low)
    x, y = zip((low - edge).tolist(), (high + edge).tolist(), strict=True)
    plot = Plot.sized(x, y, 440, 360, left=12)
    numbers = {spk: n for n, spk in enumerate(dict.fromkeys(speakers))}
    parts = [plot.axes([], [], "", "")]
    for spk, n in numbers.items():
        rows = [row for row, one in enumerate(speakers) if one == spk]
        pixels = zip(plot.x(places[rows, 0]), plot.y(places[rows, 1]), strict=True)
        # Color and shape change at different paces, so that no two speakers look alike.
        marks = [mark(n // 8 + n, a, b, 3.2) for a, b in pixels]
        parts.append(
            element("g", [element("title", spk), *marks], class_=f"m c{n % 8}")
        )
    picture = plot.draw(parts, title, class_="plot")
    rows_: list[list[Cell | str]] = []
    for spk in numbers:
        mine = places[[one == spk for one in speakers]]
        cells = [
            number(float(v), ".3g") for v in (*mine.mean(axis=0), *mine.std(axis=0))
        ]
        rows_.append([spk, number(len(mine)), *cells])
    titles = ["speaker", "utterances", "mean x", "mean y", "sd x", "sd y"]
    return figure(title, text, picture, data_table(titles, rows_, title))
