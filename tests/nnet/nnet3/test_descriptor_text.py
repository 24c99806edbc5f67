"""Descriptors are read as nnet3 writes them."""

import pytest

from asdkit.nnet.nnet3.descriptor_text import parse_descriptor
from asdkit.nnet.nnet3.descriptors import (
    Append,
    Const,
    Failover,
    IfDefined,
    Offset,
    ReplaceIndex,
    Round,
    Scale,
    Source,
    Sum,
)

A, B = Source("a"), Source("tdnn1.affine")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tdnn1.affine", B),
        ("Append(a, tdnn1.affine, a)", Append((A, B, A))),
        (" Sum ( a,tdnn1.affine ) ", Sum((A, B))),
        ("Offset(a, -3)", Offset(A, -3)),
        ("Offset(a, 3, 0)", Offset(A, 3)),
        ("Round(a, 2)", Round(A, 2)),
        ("ReplaceIndex(a, t, -1)", ReplaceIndex(A, -1)),
        ("ReplaceIndex(a, x, 0)", A),
        ("Scale(-0.5, a)", Scale(A, 0, -0.5)),
        ("Const(1e-3, 4)", Const(0.001, 4)),
        ("Failover(a, Offset(a, 1))", Failover((A, Offset(A, 1)))),
        ("IfDefined(Round(a, 3))", IfDefined(Round(A, 3))),
    ],
)
def test_every_kind_is_read(text, expected):
    assert parse_descriptor(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a node or a descriptor, got 'the end'"),
        ("a b", "expected the end, got 'b'"),
        ("Append(a", "expected ',' or '[)]', got 'the end'"),
        ("Append(a,)", "a node or a descriptor, got '[)]'"),
        ("Switch(a, b)", "descriptor 'Switch' is not supported"),
        ("Offset(a, 1.5)", "expected an integer, got '1.5'"),
        ("Offset(a, 1, 2)", "an x offset of 0, as only t is supported"),
        ("ReplaceIndex(a, y, 1)", "expected 't' or 'x', got 'y'"),
        ("ReplaceIndex(a, x, 1)", "an x index of 0, as only t is supported"),
        ("Round(a, 0)", "expected a positive modulus, got 0"),
        ("Scale(a, a)", "expected a number, got 'a'"),
        ("Scale(nan, a)", "expected a number, got 'nan'"),
        ("IfDefined(" * 3000 + "a", "more than 100 descriptors in one another"),
        ("Const(1)", "expected ',', got '[)]'"),
    ],
)
def test_what_is_malformed_is_said_with_the_text(text, message):
    with pytest.raises(ValueError, match=message):
        parse_descriptor(text)
