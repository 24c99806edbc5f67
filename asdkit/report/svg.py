"""Plots as inline SVG: scales, axes, lines; colors are the page's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdkit.report.markup import Content, Markup, element

LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 40  # margins in pixels
NUM_COLORS = 8  # of the page; systems beyond have dashes, too
DASHES = (None, "7 3", "2 3", "9 3 2 3")
MARKS = ("circle", "square", "triangle", "diamond")


def _same(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


@dataclass(frozen=True)
class Scale:
    """A map of values to pixels.

    Attributes:
        low: value at the start.
        high: value at the end.
        start: pixel of the low value.
        end: pixel of the high value.
        warp: e.g. the probit; it is applied to values first.
    """

    low: float
    high: float
    start: float
    end: float
    warp: Callable[[np.ndarray], np.ndarray] = _same

    def __call__(self, values: Any) -> np.ndarray:
        """(P,) values -> (P,) pixels, within the scale."""
        low, high = self.warp(np.array([self.low, self.high]))
        span = (high - low) or 1.0
        share = (self.warp(np.asarray(values, dtype=np.float64)) - low) / span
        return self.start + (self.end - self.start) * np.clip(share, 0, 1)


@dataclass(frozen=True)
class Plot:
    """A frame with two axes.

    Args:
        x: horizontal scale.
        y: vertical scale; its start is at the bottom.
        width: of the drawing in pixels.
        height: of the drawing in pixels.
    """

    x: Scale
    y: Scale
    width: float
    height: float

    @classmethod
    def sized(
        cls,
        x: tuple[float, float],
        y: tuple[float, float],
        width: float = 460,
        height: float = 400,
        warp: Callable[[np.ndarray], np.ndarray] = _same,
        left: float = LEFT,
    ) -> Plot:
        """Make a plot of ranges of values, both warped alike."""
        horizontal = Scale(*x, left, width - RIGHT, warp)
        vertical = Scale(*y, height - BOTTOM, TOP, warp)
        return cls(horizontal, vertical, width, height)

    def axes(
        self,
        x_ticks: Sequence[tuple[float, str]],
        y_ticks: Sequence[tuple[float, str]],
        x_label: str,
        y_label: str,
    ) -> Markup:
        """Draw the grid, and what its lines stand for."""
        bottom, top = self.y.start, self.y.end
        left, right = self.x.start, self.x.end
        parts: list[Markup] = []
        for value, text in x_ticks:
            at = _px(self.x(value))
            parts.append(element("line", x1=at, x2=at, y1=_px(top), y2=_px(bottom)))
            parts.append(_text(text, at, bottom + 15, "middle"))
        for value, text in y_ticks:
            at = _px(self.y(value))
            parts.append(element("line", x1=_px(left), x2=_px(right), y1=at, y2=at))
            parts.append(_text(text, left - 6, float(at) + 4, "end"))
        middle = (top + bottom) / 2
        turn = f"rotate(-90 11 {_px(middle)})"
        parts.append(_text(x_label, (left + right) / 2, self.height - 5, "middle"))
        if y_label:
            parts.append(_text(y_label, 11, middle, "middle", transform=turn))
        return element("g", parts, class_="axes")

    def line(self, x: Any, y: Any, **attributes: Any) -> Markup:
        """Draw a line through (P,) points."""
        return element("polyline", points=self.points(x, y), **attributes)

    def points(self, x: Any, y: Any) -> str:
        """Write (P,) points as pixels."""
        pairs = zip(self.x(x), self.y(y), strict=True)
        return " ".join(f"{_px(a)},{_px(b)}" for a, b in pairs)

    def band(self, x: Any, low: Any, high: Any, **attributes: Any) -> Markup:
        """Fill between two lines over the same (P,) places."""
        x, low, high = map(np.asarray, (x, low, high))
        points = self.points(np.r_[x, x[::-1]], np.r_[low, high[::-1]])
        return element("path", d=f"M{points}Z", **attributes)

    def draw(self, content: Content, label: str, **attributes: Any) -> Markup:
        """Put everything into one picture with a name."""
        return element(
            "svg",
            content,
            viewBox=f"0 0 {self.width:g} {self.height:g}",
            role="img",
            aria_label=label,
            **attributes,
        )


def ticks(low: float, high: float, most: int = 6) -> list[tuple[float, str]]:
    """Choose round numbers in a range.

    >>> [text for _, text in ticks(0, 1, 6)]
    ['0', '0.2', '0.4', '0.6', '0.8', '1']
    """
    span = high - low
    if not span > 0:
        return [(low, f"{low:g}")]
    step = 10.0 ** np.floor(np.log10(span / most))
    step = next(step * k for k in (1, 2, 2.5, 5, 10, 20) if span / (step * k) < most)
    first = int(np.ceil(low / step - 1e-9))
    last = int(np.floor(high / step + 1e-9))
    return [(n * step, f"{n * step:.6g}") for n in range(first, last + 1)]


def style_of(number: int) -> dict[str, Any]:
    """Return how a system's lines look: color by number, dashes beyond the colors."""
    dash = DASHES[number // NUM_COLORS % len(DASHES)]
    return {"class_": f"s c{number % NUM_COLORS}", "stroke_dasharray": dash}


def mark(number: int, x: float, y: float, size: float = 4, **attributes: Any) -> Markup:
    """Draw a system's mark, whose shape tells it apart where its color does not."""
    shape = MARKS[number % len(MARKS)]
    a, b, r = float(x), float(y), size
    corners = {
        "circle": f"M{_px(a - r)} {_px(b)}a{r} {r} 0 1 0 {2 * r} 0"
        f"a{r} {r} 0 1 0 {-2 * r} 0z",
        "square": f"M{_px(a - r)} {_px(b - r)}h{2 * r}v{2 * r}h{-2 * r}z",
        "triangle": f"M{_px(a)} {_px(b - 1.2 * r)}l{1.2 * r:g} {2.2 * r:g}"
        f"h{-2.4 * r:g}z",
        "diamond": f"M{_px(a)} {_px(b - 1.3 * r)}l{1.3 * r:g} {1.3 * r:g}"
        f"l{-1.3 * r:g} {1.3 * r:g}l{-1.3 * r:g} {-1.3 * r:g}z",
    }
    return element("path", d=corners[shape], **attributes)


def swatch(number: int) -> Markup:
    """Draw a system's line and mark, for legends."""
    style = style_of(number)
    style["class_"] = str(style["class_"]).removeprefix("s ")  # it is never hidden
    line = element("line", x1=1, x2=29, y1=7, y2=7, **style)
    dot = mark(number, 15, 7, class_=f"m {style['class_']}")
    box = {"viewBox": "0 0 30 14", "width": 30, "height": 14, "class_": "swatch"}
    return element("svg", [line, dot], aria_hidden="true", **box)


def _px(value: Any) -> str:
    """Write a pixel with one decimal, and no more letters than needed."""
    return f"{float(value):.1f}".removesuffix(".0")


def _text(text: str, x: Any, y: Any, anchor: str, **attributes: Any) -> Markup:
    at = {"x": _px(x), "y": _px(y), "text_anchor": anchor}
    return element("text", text, **at, **attributes)
