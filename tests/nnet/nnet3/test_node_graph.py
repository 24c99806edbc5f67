"""Nodes and their order, and when what is computed."""

import numpy as np
import pytest
import torch

from asdkit.nnet.nnet3.components import Same
from asdkit.nnet.nnet3.descriptors import Source
from asdkit.nnet.nnet3.node_graph import Graph, merged, parse_node, parse_pairs

INPUT = "input-node name=input dim=3"
OUTPUT = "output-node name=output input="


def test_pairs_may_have_blanks_and_quotes():
    line = "component-node name=a component='b c' input=Append(x, y) objective=linear"
    assert parse_pairs(line) == (
        "component-node",
        {
            "name": "a",
            "component": "b c",
            "input": "Append(x, y)",
            "objective": "linear",
        },
    )
    with pytest.raises(ValueError, match="expected key=value, got 'nothing'"):
        parse_pairs("output-node nothing")


def test_a_node_says_what_it_reads():
    node = parse_node("dim-range-node name=r input-node=a dim-offset=1 dim=2")
    assert (node.input, node.first, node.size) == (Source("a"), 1, 2)
    assert parse_node(INPUT).input is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("component name=a type=b", "expected one of input-node, "),
        ("input-node name=a", "expected dim= in"),
        ("component-node name=a input=b", "expected component= in"),
        ("input-node name=a dim=x", "expected a number of dimensions, got 'x'"),
    ],
)
def test_a_malformed_node_is_named(line, message):
    with pytest.raises(ValueError, match=message):
        parse_node(line)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([INPUT], "there is no node 'output'"),
        ([INPUT, INPUT, f"{OUTPUT}input"], "two nodes are called 'input'"),
        ([INPUT, f"{OUTPUT}nobody"], "node 'output' reads 'nobody', which is no node"),
        ([INPUT, f"{OUTPUT}output"], "in a circle, at 'output'"),
        (["input-node name=other dim=2", f"{OUTPUT}Const(1, 2)"], "got none"),
        (
            [INPUT, "component-node name=a component=c input=input", f"{OUTPUT}a"],
            "there is no component 'c'",
        ),
        (
            [
                INPUT,
                "dim-range-node name=r input-node=input dim-offset=2 dim=2",
                f"{OUTPUT}r",
            ],
            "takes more than 3 dimensions",
        ),
    ],
)
def test_a_graph_that_cannot_be_is_named(lines, message):
    with pytest.raises(ValueError, match=message):
        Graph(lines, {})


LINES = [
    f"{OUTPUT}Append(r, ReplaceIndex(a, t, 2))",
    "dim-range-node name=r input-node=a dim-offset=1 dim=2",
    "component-node name=a component=c input=Offset(input, 1)",
    "component-node name=unused component=c input=input",
    INPUT,
]


def test_only_what_is_needed_is_computed_in_order():
    """The output at t = 0 reads r at 0 and a at 0 and 2, which is the input a later."""
    components = {"c": Same([["Dim", 3]])}
    graph = Graph(LINES, components)
    assert [node.name for node in graph.nodes] == ["input", "a", "r", "output"]
    assert graph.dims == {"input": 3, "a": 3, "r": 2, "output": 5}
    assert (graph.input, graph.used) == ("input", {"c"})
    plan = graph.plan(10, components)
    assert {name: asked.times.tolist() for name, asked in plan.items()} == {
        "input": [1, 3],
        "a": [0, 2],
        "r": [0],
        "output": [0],
    }
    x = torch.randn(2, 5, 3)
    defined, found = graph.compute(x, [5, 3], components)
    assert np.broadcast_to(defined, 2).tolist() == [True, False]
    assert torch.equal(found[0], torch.cat([x[0, 1, 1:], x[0, 3]]))
    assert graph.defined(4, components)
    assert not graph.defined(3, components)


def test_a_constant_may_come_before_the_input():
    lines = [INPUT, "component-node name=a component=c input=Const(0.5, 3)"]
    components = {"c": Same([["Dim", 3]])}
    graph = Graph([*lines, f"{OUTPUT}Sum(a, input)"], components)
    x = torch.randn(2, 4, 3)
    defined, found = graph.compute(x, [4, 3], components)
    assert defined.all()
    assert torch.equal(found, x[:, 0] + 0.5)


@pytest.mark.parametrize("read", ["Const(0, 99999)", "Append(big, big)"])
def test_dimensions_that_no_network_has_are_refused(read):
    """Before any array of them is made."""
    lines = [INPUT, "component-node name=big component=c input=Const(0.5, 50000)"]
    with pytest.raises(ValueError, match=r"node 'output' has 1?[0-9]{5} dimensions"):
        Graph([*lines, f"{OUTPUT}Append(input, {read})"], {"c": Same([["Dim", 50000]])})


def test_blanks_of_any_kind_are_between_words():
    kind, values = parse_pairs("output-node\tname=output  input=Append(a,\tb)\n")
    assert (kind, values) == (
        "output-node",
        {"name": "output", "input": "Append(a,\tb)"},
    )


def test_a_configuration_lays_nodes_over_others():
    lines = merged([INPUT, f"{OUTPUT}input"], [f"{OUTPUT}Offset(input, 1)"])
    assert lines == [INPUT, f"{OUTPUT}Offset(input, 1)"]
    with pytest.raises(ValueError, match="node 'input' is a input-node"):
        merged([INPUT], ["output-node name=input input=x"])
