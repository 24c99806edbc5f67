"""The graph of an nnet3 network: nodes, from the lines that describe them.

Every node is asked once for all the times that others need of it.  What is asked runs
from the output to the input, what is computed from the input to the output.  Times
before the first frame or beyond the last are there for whoever can do without: a sum
over what is defined, ``IfDefined``, ``Failover``.

Source: Kaldi, src/nnet3/nnet-{nnet,computation-graph}.cc, src/util/text-utils.cc.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from asdkit.nnet.nnet3.components import Component
from asdkit.nnet.nnet3.descriptor_text import parse_descriptor
from asdkit.nnet.nnet3.descriptors import (
    Descriptor,
    Signal,
    Source,
    Span,
)
from asdkit.nnet.nnet3.timed import TimedComponent

PAIR = re.compile(r"([\w.-]+)=(?:'([^']*)'|\"([^\"]*)\"|(.*?))(?=\s+[\w.-]+=|\s*$)")
LARGEST_DIM = 1 << 16  # a file that claims more is damaged
KINDS = ("input-node", "output-node", "component-node", "dim-range-node")


@dataclass(frozen=True)
class Node:
    """A node of the graph.

    Attributes:
        kind: one of `KINDS`.
        name: unique among the nodes.
        input: what it reads; None for the input.
        component: name of the component that maps what it reads.
        first: first dimension of a range.
        size: number of dimensions of a range, or of the input.
        line: the line that describes it.
    """

    kind: str
    name: str
    input: Descriptor | None
    component: str = ""
    first: int = 0
    size: int = 0
    line: str = ""


def parse_pairs(line: str) -> tuple[str, dict[str, str]]:
    """Parse ``first-word key=value key='a value' ...``.

    Raises:
        ValueError: it is malformed.

    Example:
        >>> parse_pairs("output-node name=output input=Append(a, b)")
        ('output-node', {'name': 'output', 'input': 'Append(a, b)'})
    """
    first, *rest_of_line = line.split(maxsplit=1)
    rest = rest_of_line[0] if rest_of_line else ""
    values, place = {}, 0
    for match in PAIR.finditer(rest):
        if rest[place : match.start()].strip():
            break
        values[match[1]] = next(x for x in match.groups()[1:] if x is not None).strip()
        place = match.end()
    if rest[place:].strip():
        raise ValueError(f"expected key=value, got {rest[place:].strip()!r}")
    return first, values


def parse_node(line: str) -> Node:
    """Parse the line of a node.

    Raises:
        ValueError: it is malformed, or describes what is not supported.
    """
    kind, values = parse_pairs(line)
    if kind not in KINDS:
        raise ValueError(f"expected one of {', '.join(KINDS)}; got {kind!r}")
    wanted = {
        "input-node": ("name", "dim"),
        "output-node": ("name", "input"),
        "component-node": ("name", "component", "input"),
        "dim-range-node": ("name", "input-node", "dim-offset", "dim"),
    }[kind]
    if absent := [name for name in wanted if not values.get(name)]:
        raise ValueError(f"expected {absent[0]}= in {line!r}")
    for name in ("dim", "dim-offset"):
        if name in wanted and not re.fullmatch("[0-9]{1,9}", values[name]):
            raise ValueError(f"expected a number of dimensions, got {values[name]!r}")
    found = None
    if "input" in wanted:
        found = parse_descriptor(values["input"])
    elif "input-node" in wanted:
        found = Source(values["input-node"])
    return Node(
        kind,
        values["name"],
        found,
        values.get("component", ""),
        int(values.get("dim-offset", 0)) if kind == "dim-range-node" else 0,
        int(values["dim"]) if "dim" in wanted else 0,
        line.strip(),
    )


class Asked(NamedTuple):
    """The times at which a node is computed.

    Attributes:
        times: (S,) int64, increasing.
        read: (S',) likewise, at which it reads; the same unless its component looks at
            several times.
    """

    times: np.ndarray
    read: np.ndarray


class Graph:
    """The nodes that one output at t = 0 depends on.

    Args:
        lines: the nodes, in any order.
        components: name -> component.
        output: name of the output.

    Attributes:
        nodes: those that the output depends on, each after those that it reads.
        dims: name of a node -> D.

    Raises:
        ValueError: a line is malformed, a node or component is missing, dimensions do
            not fit, or nodes read each other in a circle.
    """

    def __init__(
        self,
        lines: Iterable[str],
        components: Mapping[str, Component],
        output: str = "output",
    ) -> None:
        nodes: dict[str, Node] = {}
        for line in lines:
            node = parse_node(line)
            if node.name in nodes:
                raise ValueError(f"two nodes are called {node.name!r}")
            nodes[node.name] = node
        self.output = output
        found = _sorted(nodes, output)  # a constant may come before any input
        self.nodes = sorted(found, key=lambda node: node.kind != "input-node")
        self.dims: dict[str, int] = {}
        for node in self.nodes:
            dim = self.dims[node.name] = self._dim(node, components)
            if dim > LARGEST_DIM:
                raise ValueError(f"node {node.name!r} has {dim} dimensions")
        inputs = [node.name for node in self.nodes if node.kind == "input-node"]
        if len(inputs) != 1:
            names = ", ".join(inputs) or "none"
            raise ValueError(f"expected one input that the output reads, got {names}")
        self.input = inputs[0]
        self.used = {node.component for node in self.nodes if node.component}

    def _dim(self, node: Node, components: Mapping[str, Component]) -> int:
        """Return D of a node whose inputs are known."""
        if node.input is None:
            return node.size
        dim = node.input.dim(self.dims)
        if node.kind == "dim-range-node":
            if node.first + node.size > dim:
                raise ValueError(f"node {node.name!r} takes more than {dim} dimensions")
            return node.size
        if node.kind == "output-node":
            return dim
        if node.component not in components:
            raise ValueError(f"there is no component {node.component!r}")
        component = components[node.component]
        if component.input_dim != dim:
            raise ValueError(
                f"node {node.name!r} reads {dim} dimensions, its component "
                f"{node.component!r} takes {component.input_dim}"
            )
        return component.output_dim

    def plan(
        self, num_frames: int, components: Mapping[str, Component]
    ) -> dict[str, Asked]:
        """Say at which times every node is computed for an utterance of T frames.

        Args:
            num_frames: T, of the longest utterance of a batch.
            components: as given to the constructor.

        Returns:
            name of a node -> (S,) int64 increasing times, and (S',) of what it reads.
        """
        spans: dict[str, Span] = {}
        for node in self.nodes:
            if node.input is None:
                spans[node.name] = Span(0, num_frames)
                continue
            span = node.input.span(spans)
            if node.component:
                span = components[node.component].needs(span)
            spans[node.name] = span
        wanted: dict[str, list[np.ndarray]] = {node.name: [] for node in self.nodes}

        def request(name: str, times: np.ndarray) -> None:
            first, end = spans[name]
            wanted[name].append(times[(times >= first) & (times < end)])

        request(self.output, np.zeros(1, np.int64))
        found: dict[str, Asked] = {}
        for node in reversed(self.nodes):
            times = read = np.unique(np.concatenate(wanted[node.name]))
            if node.input is not None:
                component = components.get(node.component)
                if isinstance(component, TimedComponent):
                    read = component.asks(times, node.input.span(spans))
                node.input.ask(read, request)
            found[node.name] = Asked(times, read)
        return found

    def compute(
        self,
        x: Tensor,
        num_frames: Sequence[int],
        components: Mapping[str, Component],
    ) -> tuple[np.ndarray, Tensor]:
        """Compute the output at t = 0.

        Args:
            x: (N, T, D), anything finite beyond an utterance's end.
            num_frames: N lengths, or one if it is that of all.
            components: as given to the constructor.

        Returns:
            (N or 1,) bool where it is defined, and (N, E).
        """
        plan = self.plan(x.shape[1], components)
        frames = np.arange(x.shape[1])
        there = frames < np.asarray(num_frames)[:, None]  # (N or 1, T)
        whole = Signal(frames, there, x)
        signals: dict[str, Signal] = {}
        for node in self.nodes:
            asked = plan[node.name]
            if node.input is None:
                signals[node.name] = Signal(asked.times, *whole.at(asked.times))
            else:
                found = self._compute_node(node, asked, signals, components)
                signals[node.name] = Signal(asked.times, *found)
        defined, values = signals[self.output].at(np.zeros(1, np.int64))
        return defined[:, 0], values[:, 0]

    def _compute_node(
        self,
        node: Node,
        asked: Asked,
        signals: Mapping[str, Signal],
        components: Mapping[str, Component],
    ) -> tuple[np.ndarray, Tensor]:
        """Return (N or 1, S) where a node is defined, and (N, S, D)."""
        assert node.input is not None
        component = components.get(node.component)
        if not len(asked.read):
            like = next(iter(signals.values())).values
            shape = len(like), len(asked.times), self.dims[node.name]
            return np.zeros((1, len(asked.times)), bool), like.new_zeros(shape)
        defined, values = node.input.read(asked.read, signals)
        if isinstance(component, TimedComponent):
            return component.compute(asked.times, asked.read, defined, values)
        if component is not None:
            values = component(values)
        elif node.kind == "dim-range-node":
            values = values[..., node.first : node.first + node.size]
        return defined, values

    def defined(self, num_frames: int, components: Mapping[str, Component]) -> bool:
        """Tell whether an utterance of T frames has an output."""
        size = self.dims[self.input]
        with torch.no_grad():
            there, _ = self.compute(
                torch.zeros(1, num_frames, size), [num_frames], components
            )
        return bool(there.all())


def _sorted(nodes: Mapping[str, Node], output: str) -> list[Node]:
    """Sort what an output depends on; each node comes after those that it reads."""
    if output not in nodes:
        raise ValueError(f"there is no node {output!r}")
    found: dict[str, Node] = {}
    waiting = [(output, iter(_sources(nodes[output])))]
    path = {output}
    while waiting:
        name, sources = waiting[-1]
        for source in sources:
            if source not in nodes:
                raise ValueError(f"node {name!r} reads {source!r}, which is no node")
            if source in path:
                raise ValueError(f"nodes read each other in a circle, at {source!r}")
            if source not in found:
                waiting.append((source, iter(_sources(nodes[source]))))
                path.add(source)
                break
        else:
            found[name] = nodes[name]
            path.discard(name)
            waiting.pop()
    return [*found.values()]


def _sources(node: Node) -> Iterable[str]:
    """Name what a node reads."""
    return () if node.input is None else dict.fromkeys(node.input.sources())


def merged(lines: Sequence[str], changes: Sequence[str]) -> list[str]:
    """Lay the nodes of a configuration over those of a network, as nnet3-copy does.

    Args:
        lines: nodes of the network.
        changes: nodes that replace those of the same names, or are new.

    Raises:
        ValueError: a line is malformed, or not that of a node.
    """
    nodes = {(node := parse_node(line)).name: node for line in lines}
    for line in changes:
        node = parse_node(line)
        if node.name in nodes and nodes[node.name].kind != node.kind:
            raise ValueError(f"node {node.name!r} is a {nodes[node.name].kind}")
        nodes[node.name] = node
    return [node.line for node in nodes.values()]
