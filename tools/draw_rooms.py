#!/usr/bin/env python3
"""Draw the rooms of asdkit, and which imports which, from their imports.

e.g.: python tools/draw_rooms.py > tools/rooms.svg

`LAYERS` is the table that tests/test_layers.py holds the imports against.  An arrow is
an import; those that follow from others are left out, e.g. training -> io, since
training imports distillation, which leads to io.  Layers are drawn as in K. Sugiyama et
al., "Methods for visual understanding of hierarchical system structures", IEEE Trans.
SMC 11(2), 1981: an arrow over several layers has a place in each, rooms are ordered by
the mean place of their neighbors, and then moved towards these.
"""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "asdkit"

# From the lowest up: a room imports from those below its own layer only.
LAYERS = (
    ("base",),
    (
        *("io", "features", "simulation", "segmentation"),
        *("gmm", "nnet", "losses", "metrics"),
    ),
    ("data", "ivector", "backends"),
    ("batches", "models", "verification"),
    ("corpora", "vad", "distillation"),
    ("training", "countermeasures", "kaldi"),
    ("inference", "report"),
    ("bin",),
)

WIDTH, MARGIN = 1040, 44  # of the picture; of the column with the layers' numbers
LETTER, PAD, LEAST = 7.5, 24, 94  # a room is as wide as its name, and not narrower
HEIGHT, ROW, EDGE = 34, 80, 5  # of a room; from a layer to the next; a layer's, around
PATH, GAP = 4, 20  # width of an arrow that passes a layer; between two things
WIDE = WIDTH - MARGIN - 2 * GAP  # of a room that is alone in its layer
SWEEPS = 24
STYLE = """
  text { font: 14px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif;
         text-anchor: middle; dominant-baseline: central; fill: #1f2328; }
  .layer { fill: #59636e; font-size: 12px; }
  .row { fill: #818b98; fill-opacity: 0.1; }
  .room { fill: #ddf4ff; stroke: #0969da; stroke-width: 1.2; }
  .import { fill: none; stroke: #59636e; stroke-width: 1.2; }
  .tip { fill: #59636e; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .layer { fill: #9198a1; }
    .room { fill: #121d2f; stroke: #4493f8; }
    .import { stroke: #9198a1; }
    .tip { fill: #9198a1; }
  }
"""

Graph = Mapping[str, set[str]]
Node = tuple[str, ...]  # a room; or from, to and layer of an arrow that passes it


def imports_of(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            assert node.module is not None
            yield node.module


def rooms_imported() -> dict[str, set[str]]:
    """Map every room to the rooms that its files import."""
    found: dict[str, set[str]] = {room: set() for layer in LAYERS for room in layer}
    for path in sorted(LIBRARY.glob("*/**/*.py")):
        room = path.relative_to(LIBRARY).parts[0]
        for module in imports_of(path):
            top, _, rest = module.partition(".")
            if top == "asdkit" and rest:
                found[room].add(rest.partition(".")[0])
        found[room].discard(room)
    return found


def reduced(graph: Graph) -> dict[str, set[str]]:
    """Leave out every arrow that follows from others."""

    def below(room: str) -> set[str]:
        return set().union(*({x} | below(x) for x in graph[room]))

    return {
        room: {x for x in to if not any(x in below(y) for y in to - {x})}
        for room, to in graph.items()
    }


def layered(graph: Graph) -> tuple[list[list[Node]], list[tuple[Node, Node]]]:
    """Give arrows over several layers a place in each.

    Returns:
        what stands in each layer, from the top; and arrows between neighboring layers.
    """
    layers: list[list[Node]] = [[(room,) for room in x] for x in reversed(LAYERS)]
    at = {room: i for i, layer in enumerate(layers) for (room,) in layer}
    links = []
    for room, to in graph.items():
        for other in sorted(to):
            passed: list[Node] = []
            for i in range(at[room] + 1, at[other]):
                passed.append((room, other, str(i)))
                layers[i].append(passed[-1])
            way: list[Node] = [(room,), *passed, (other,)]
            links += [*itertools.pairwise(way)]
    return layers, links


def place(
    layers: list[list[Node]], links: Sequence[tuple[Node, Node]]
) -> dict[Node, float]:
    """Order every layer, and find the middle of everything from left to right."""
    neighbors: dict[Node, list[Node]] = {x: [] for layer in layers for x in layer}
    for upper, lower in links:
        neighbors[upper].append(lower)
        neighbors[lower].append(upper)
    x = {
        node: (i + 0.5) / len(layer) * WIDTH
        for layer in layers
        for i, node in enumerate(layer)
    }

    def wanted(node: Node) -> float:
        near = neighbors[node]
        return sum(x[y] for y in near) / len(near) if near else x[node]

    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 else layers[::-1]:
            if sweep < SWEEPS * 2 // 3:
                layer.sort(key=lambda node: (wanted(node), node))
            x |= zip(
                layer, spread([wanted(node) for node in layer], layer), strict=True
            )
    return x


def spread(wanted: Sequence[float], layer: Sequence[Node]) -> list[float]:
    """Move things as little as possible until none overlaps, in least squares.

    Args:
        wanted: the middle of each, in their order.
        layer: what they are.

    Source: pool adjacent violators, on places with the widths taken out.
    """
    offsets = [0.0]
    for left, right in itertools.pairwise(layer):
        offsets.append(offsets[-1] + (width(left) + width(right)) / 2 + GAP)
    pools: list[tuple[float, int]] = []  # mean and number
    for place_, offset in zip(wanted, offsets, strict=True):
        mean, number = place_ - offset, 1
        while pools and pools[-1][0] > mean:
            other, count = pools.pop()
            mean = (mean * number + other * count) / (number + count)
            number += count
        pools.append((mean, number))
    lowest = MARGIN + GAP + width(layer[0]) / 2
    highest = WIDTH - GAP - width(layer[-1]) / 2 - offsets[-1]
    means = [max(lowest, min(mean, highest)) for mean, n in pools for _ in range(n)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def width(node: Node) -> int:
    """Return how wide a room is, or an arrow that passes."""
    if len(node) > 1:
        return PATH
    return WIDE if node in LAYERS else max(LEAST, PAD + int(LETTER * len(node[0])))


def draw() -> str:
    """Return the picture."""
    layers, links = layered(reduced(rooms_imported()))
    x = place(layers, links)
    y = {node: MARGIN / 2 + i * ROW for i, nodes in enumerate(layers) for node in nodes}
    height = MARGIN + (len(layers) - 1) * ROW
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'role="img" aria-label="The rooms of asdkit and their imports">',
        f"<style>{STYLE}</style>",
    ]
    for i in range(len(layers)):
        middle = MARGIN / 2 + i * ROW
        top = middle - HEIGHT / 2 - EDGE
        lines.append(
            f'<rect class="row" x="0" y="{top:g}" width="{WIDTH}" '
            f'height="{HEIGHT + 2 * EDGE}" rx="6"/>'
        )
        number = len(layers) - 1 - i
        lines.append(f'<text class="layer" x="24" y="{middle:g}">{number}</text>')
    lines += _arrows(layers, links, x, y)
    for node in (node for nodes in layers for node in nodes if len(node) == 1):
        left = x[node] - width(node) / 2
        lines.append(
            f'<rect class="room" x="{left:.0f}" y="{y[node] - HEIGHT / 2:g}" '
            f'width="{width(node)}" height="{HEIGHT}" rx="6"/>'
        )
        lines.append(f'<text x="{x[node]:.0f}" y="{y[node]:g}">{node[0]}</text>')
    return "\n".join([*lines, "</svg>", ""])


def _arrows(
    layers: Sequence[Sequence[Node]],
    links: Sequence[tuple[Node, Node]],
    x: Mapping[Node, float],
    y: Mapping[Node, float],
) -> Iterator[str]:
    """Draw what is imported; several arrows share the edge of a room."""
    leaving = _ports(links, 0, x)
    arriving = _ports(links, 1, x)
    for upper, lower in links:
        start, end = leaving[upper, lower], arriving[upper, lower]
        top = y[upper] + HEIGHT / 2 + (0 if len(upper) == 1 else EDGE)
        bottom = y[lower] - HEIGHT / 2 - EDGE
        half = (top + bottom) / 2
        path = (
            f"M{start:.0f} {top:g}C{start:.0f} {half:g} {end:.0f} {half:g} "
            f"{end:.0f} {bottom:g}"
        )
        if len(lower) > 1:
            path += f"V{y[lower] + HEIGHT / 2 + EDGE:g}"
        yield f'<path class="import" d="{path}"/>'
        if len(lower) == 1:
            tip = f"M{end:.0f} {y[lower] - HEIGHT / 2:g}l-4 -7h8z"
            yield f'<path class="tip" d="{tip}"/>'


def _ports(
    links: Sequence[tuple[Node, Node]], side: int, x: Mapping[Node, float]
) -> dict[tuple[Node, Node], float]:
    """Say where on a room's edge each arrow begins, or ends, for all links."""
    found: dict[tuple[Node, Node], float] = {}
    for node in x:
        own = sorted(
            (k for k in links if k[side] == node), key=lambda k: x[k[1 - side]]
        )
        if len(node) > 1:
            found |= dict.fromkeys(own, x[node])
        elif width(node) == WIDE:  # straight up or down
            found |= {link: x[link[1 - side]] for link in own}
        else:
            step = min(14, (width(node) - 24) / max(1, len(own) - 1))
            first = x[node] - step * (len(own) - 1) / 2
            found |= {link: first + step * i for i, link in enumerate(own)}
    return found


if __name__ == "__main__":
    sys.stdout.write(draw())
