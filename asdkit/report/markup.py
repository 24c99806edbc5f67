"""HTML and SVG as text: every value is escaped, only markup made here is not."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

from asdkit.base.answers import Cell

VOID = frozenset(("br", "circle", "img", "input", "line", "meta", "path", "polyline"))


class Markup(str):
    """Text that is markup already, and not escaped again."""


Content = str | Iterable["Content"]


def escape(content: Content) -> Markup:
    """Escape a text for elements and attributes; markup stays as it is.

    >>> escape("<script>")
    '&lt;script&gt;'
    """
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return Markup(html.escape(content))
    return Markup("".join(map(escape, content)))


def element(name: str, content: Content = "", /, **attributes: Any) -> Markup:
    """Write an element.

    Args:
        name: e.g. "p".
        content: texts and markup.
        attributes: values; ``_`` at the end or in place of ``-`` in names is read so.
            None and False leave an attribute out, True is one without a value.

    >>> element("p", "a < b", class_="note")
    '<p class="note">a &lt; b</p>'
    """
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        if value is True:
            words.append(attribute)
        else:
            words.append(f'{attribute}="{html.escape(f"{value}")}"')
    start = f"<{' '.join(words)}>"
    if name in VOID:
        return Markup(f"{start[:-1]}/>")
    return Markup(f"{start}{escape(content)}</{name}>")


def data_table(
    titles: Sequence[str],
    rows: Iterable[Sequence[Cell | str]],
    caption: str = "",
    num_names: int = 1,
    **attributes: Any,
) -> Markup:
    """Write a table of names on the left and numbers, in a box that scrolls.

    Args:
        titles: of the columns.
        rows: rows with as many cells.
        caption: what the table holds; the name of the box, too.
        num_names: number of name columns; the first heads its row.
        attributes: of the table.
    """
    kinds = [None] * num_names + ["n"] * (len(titles) - num_names)
    head = element(
        "tr",
        [
            element("th", title, scope="col", class_=kind)
            for title, kind in zip(titles, kinds, strict=True)
        ],
    )
    body = []
    for row in rows:
        cells = []
        for column, cell in enumerate(row):
            text = cell if isinstance(cell, str) else cell.text
            kind = None if column < num_names else "n"
            if column == 0:
                cells.append(element("th", text, scope="row"))
            else:
                cells.append(element("td", text, class_=kind))
        body.append(element("tr", cells))
    parts = [element("caption", caption)] if caption else []
    whole = [*parts, element("thead", head), element("tbody", body)]
    return scroll_box(element("table", whole, **attributes), caption)


def scroll_box(content: Content, label: str) -> Markup:
    """Put something wide into a box that scrolls, also by keyboard."""
    return element(
        "div", content, class_="scroll", tabindex=0, role="group", aria_label=label
    )


def figure(
    title: str, text: Content, drawing: Content, table: Content, level: int = 3
) -> Markup:
    """Write a figure: heading and explanation, picture, and its data as a table."""
    caption = [element(f"h{level}", title), element("p", text)]
    data = element("details", [element("summary", f"Data: {title}"), table])
    return element("figure", [element("figcaption", caption), drawing, data])
