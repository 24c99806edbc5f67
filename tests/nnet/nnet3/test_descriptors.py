"""Descriptors beside functions of time: where they are defined, and what they are."""

import math

import numpy as np
import pytest
import torch

from asdkit.nnet.nnet3.descriptor_text import parse_descriptor
from asdkit.nnet.nnet3.descriptors import Signal, Span

TIMES = np.arange(-8, 12)
DEFINED = {"a": (2, 7), "b": (0, 5)}  # first and end of each node


def join(*functions, then):
    def joined(t):
        found = [f(t) for f in functions]
        return None if any(x is None for x in found) else then(*found)

    return joined


@pytest.fixture
def nodes(rng):
    """Two nodes as functions of time, None where they are not defined."""
    values = {name: rng.normal(size=(20, 2)) for name in DEFINED}

    def node(name):
        first, end = DEFINED[name]
        return lambda t: values[name][t] if first <= t < end else None

    return {name: node(name) for name in DEFINED}


def definitions(a, b):
    """Every kind of descriptor as a function of time, by its text."""
    zeros, both = np.zeros(2), join(a, b, then=lambda x, y: np.concatenate([x, y]))
    return {
        "Offset(a, 3)": lambda t: a(t + 3),
        "Round(a, 3)": lambda t: a(math.floor(t / 3) * 3),
        "Round(Offset(b, 1), 2)": lambda t: b(math.floor(t / 2) * 2 + 1),
        "ReplaceIndex(a, t, 4)": lambda t: a(4),
        "ReplaceIndex(a, t, 9)": lambda t: None,
        "Scale(-2, a)": join(a, then=lambda x: -2 * x),
        "Append(a, b)": both,
        "Append(a, Const(0.5, 1))": join(a, then=lambda x: np.append(x, 0.5)),
        "Sum(a, Offset(b, -1))": join(a, lambda t: b(t - 1), then=lambda x, y: x + y),
        "Failover(a, b)": lambda t: b(t) if a(t) is None else a(t),
        "IfDefined(a)": lambda t: zeros if a(t) is None else a(t),
        "Sum(IfDefined(Offset(a, -2)), b)": join(
            lambda t: zeros if a(t - 2) is None else a(t - 2),
            b,
            then=lambda x, y: x + y,
        ),
    }


NAMES = [*definitions(lambda t: None, lambda t: None)]


@pytest.mark.parametrize("text", NAMES)
def test_what_is_read_is_what_the_function_gives(nodes, text):
    function, descriptor = definitions(**nodes)[text], parse_descriptor(text)
    asked = {name: [np.zeros(0, np.int64)] for name in nodes}
    descriptor.ask(TIMES, lambda name, times: asked[name].append(times))
    signals = {}
    for name, node in nodes.items():
        # Like the graph: asked times where the node may be defined.
        times = np.unique(np.concatenate(asked[name]))
        first, end = DEFINED[name]
        times = times[(times >= first) & (times < end)]
        rows = [node(t) for t in times.tolist()]
        values = torch.from_numpy(np.array(rows).reshape(1, -1, 2))
        signals[name] = Signal(times, np.ones((1, len(times)), bool), values)
    defined, values = descriptor.read(TIMES, signals)
    expected = [function(t) for t in TIMES.tolist()]
    np.testing.assert_array_equal(defined[0], [x is not None for x in expected])
    for found, x in zip(values[0].numpy(), expected, strict=True):
        if x is not None:
            np.testing.assert_allclose(found, x)
            assert len(x) == descriptor.dim({"a": 2, "b": 2})


@pytest.mark.parametrize("text", NAMES)
def test_nothing_is_defined_outside_of_the_span(nodes, text):
    spans = {name: Span(*ends) for name, ends in DEFINED.items()}
    first, end = parse_descriptor(text).span(spans)
    function = definitions(**nodes)[text]
    there = [t for t in range(-30, 30) if function(t) is not None]
    assert all(first <= t < end for t in there)
    if there and len(there) < 60:
        assert (first, end) == (min(there), max(there) + 1)


def test_sources_come_as_often_as_they_are_read():
    descriptor = parse_descriptor("Append(a, Sum(b, Offset(a, 1)), Const(1, 2))")
    assert list(descriptor.sources()) == ["a", "b", "a"]
    with pytest.raises(ValueError, match="Sum of parts of 2 and 3"):
        descriptor.dim({"a": 2, "b": 3})


def test_a_signal_is_looked_up_at_any_times(rng):
    times = np.array([0, 2, 3, 4])
    defined = np.array([[True, False, True, True], [True, True, True, False]])
    values = torch.from_numpy(rng.normal(size=(2, 4, 3)))
    signal = Signal(times, defined, values)
    for wanted in ([2, 3, 4], [0, 3], [1], [-1, 0, 5], []):
        wanted = np.array(wanted, np.int64)
        there, found = signal.at(wanted)
        there = np.broadcast_to(there, (2, len(wanted)))
        for k, t in enumerate(wanted.tolist()):
            place = times.tolist().index(t) if t in times else None
            for n in range(2):
                assert there[n, k] == (place is not None and defined[n, place])
                if there[n, k]:
                    assert torch.equal(found[n, k], values[n, place])
