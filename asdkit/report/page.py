"""The HTML report: one file that needs no network and no server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from asdkit.base.provenance import provenance
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName
from asdkit.report.condition_figures import condition_figures
from asdkit.report.conditions import by_conditions
from asdkit.report.embedding_figures import embedding_figures
from asdkit.report.evaluations import KINDS, Evaluated
from asdkit.report.markup import Content, Markup, element
from asdkit.report.score_figures import (
    calibration_figure,
    cursor_data,
    cursor_of,
    curves_of,
    det_figure,
    det_range,
    histogram_figure,
)
from asdkit.report.spread import Spread, measure_spread
from asdkit.report.systems_table import answer, counted, systems_table
from asdkit.report.worst_trials import worst_trials


class Section(NamedTuple):
    """A part of the page.

    Attributes:
        place: its id.
        title: its heading.
        content: all below the heading.
        data: what the page's script needs of it; None for nothing.
        answer: sentence at the top of the page; None for none.
    """

    place: str
    title: str
    content: Content
    data: Any = None
    answer: Markup | None = None


def evaluation_section(
    found: Evaluated, place: str, num_draws: int, audio: bool = False
) -> Section:
    """Make the part of the page that belongs to one key.

    Args:
        found: systems on the same trials.
        place: id of the part.
        num_draws: most bootstrap draws of speakers.
        audio: embed the recordings of the worst trials.
    """
    spread = measure_spread(found, num_draws)
    curves = curves_of(found)
    drawn = spread if isinstance(spread, Spread) else None
    parts: list[Content] = [
        element("p", [f"{counted(found)}: ", element("code", found.key.path)]),
        systems_table(found, spread, place),
    ]
    if isinstance(spread, str):
        parts.append(element("p", spread, class_="soft"))
    else:
        text = f"Intervals: 95 %, {spread.num_draws:,} bootstrap draws of speakers, "
        text += "the same for all systems. Boxes show or hide curves."
        if len(found.systems) > 1 and not spread.comparisons:
            text += " So few draws cannot tell so many systems apart: asdkit compare "
            text += "draws more."
        parts.append(element("p", text, class_="soft"))
    for sentence in found.left_out:
        parts.append(element("p", f"Left out: {sentence}", class_="soft"))
    pair = [
        det_figure(found, curves, drawn, place),
        calibration_figure(found, curves, place),
    ]
    parts += [
        cursor_of(found, curves, place),
        element("div", pair, class_="pair"),
        histogram_figure(found, place),
        *condition_figures(found, by_conditions(found)),
        *(embedding_figures(found) if found.key.kind == "verification" else []),
        worst_trials(found, audio),
    ]
    title = f"{KINDS[found.key.kind]}: {_short_name(found.key.path)}"
    data = cursor_data(curves, *det_range(found, curves))
    return Section(place, title, parts, data, answer(found, spread))


def render(title: str, sections: Sequence[Section]) -> Markup:
    """Put sections into a page."""
    links = [
        element("li", element("a", one.title, href=f"#{one.place}")) for one in sections
    ]
    nav = element("nav", element("ul", links), aria_label="Sections")
    body = [
        element(
            "section",
            [element("h2", one.title, id=f"{one.place}-title"), one.content],
            id=one.place,
            aria_labelledby=f"{one.place}-title",
        )
        for one in sections
    ]
    data = {one.place: one.data for one in sections if one.data is not None}
    here = provenance()
    made = f"Made by asdkit {here['version']} ({here['commit']}), {here['time']}: "
    footer = element("footer", element("p", [made, element("code", here["command"])]))
    head = [
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(_beside("page.css"))),
    ]
    answers = [_answer(one) for one in sections if one.answer is not None]
    header = element("header", [element("h1", title), *answers, nav])
    script = [
        element("script", _script_data(data), type="application/json", id="data"),
        element("script", Markup(_beside("page.js"))),
    ]
    page = element(
        "html",
        [
            element("head", head),
            element("body", [header, element("main", body), footer, *script]),
        ],
        lang="en",
    )
    return Markup(f"<!DOCTYPE html>\n{page}\n")


def _answer(one: Section) -> Markup:
    """Write what a section answers, with a link to where it is from."""
    link = element("a", one.title, href=f"#{one.place}")
    return element("div", [element("p", link, class_="soft"), one.answer or ""])


def write_page(path: PathName, page: Markup) -> None:
    """Write a page, all or nothing."""
    with write_atomic(path) as stream:
        stream.write(page)


def _script_data(data: Mapping[str, Any]) -> Markup:
    """Write JSON so that nothing in it can end the element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def _beside(name: str) -> str:
    """Read a file of this folder, without its comments and margins."""
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    kept = (line.strip() for line in lines)
    return "\n".join(line for line in kept if line and not line.startswith("//"))


def _short_name(path: str) -> str:
    """Name a key by its file and folder."""
    return "/".join(Path(path).parts[-2:])
