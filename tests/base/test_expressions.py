import ast
import math
from typing import Literal

import pytest

from asdkit.base.expressions import Unknown, evaluate, source_of
from asdkit.base.ranges import Count, Range
from asdkit.base.references import Reference

TEXT = """
import math
import typing
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal
import torch
from {package}.other import SIZE as WIDTH, Kind, helper
from asdkit.base.ranges import Count, Range
if TYPE_CHECKING:
    from elsewhere import Thing
RATE = 16_000
Way = Literal["up", "down"]
class Local: ...
"""
OTHER = """
SIZE = 2 * 8
Kind = int | None
def helper(): ...
"""


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A module of a package that nobody has imported, and must not import."""
    package = tmp_path / "strange_package"
    package.mkdir()
    (package / "__init__.py").touch()
    broken = "\nraise RuntimeError('imported')\n"
    (package / "one.py").write_text(TEXT.format(package="strange_package") + broken)
    (package / "other.py").write_text(OTHER + broken)
    monkeypatch.syspath_prepend(tmp_path)
    source_of.cache_clear()
    yield source_of("strange_package.one")
    source_of.cache_clear()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-1.5e-3", -1.5e-3),
        ("(1, 2.0, 'x', None, True)", (1, 2.0, "x", None, True)),
        ("[*(1, 2), 3]", [1, 2, 3]),
        ("RATE // 100 + WIDTH", 176),
        ("math.inf", math.inf),
        ("float('inf')", math.inf),
        ("frozenset((1, 2))", frozenset({1, 2})),
        ("Way", Literal["up", "down"]),
        ("typing.Literal['up']", Literal["up"]),
        ("Kind", int | None),
        ("Way | None", Literal["up", "down"] | None),
        ("Count", Count),
        ("Range(least=1, above=None)", Range(least=1)),
        ("tuple[int, ...]", tuple[int, ...]),
        ("Local", Reference("strange_package.one:Local")),
        ("helper", Reference("strange_package.other:helper")),
    ],
)
def test_values_are_those_that_python_would_find(source, text, expected):
    value = evaluate(ast.parse(text, mode="eval").body, source)
    assert value == expected


@pytest.mark.parametrize(
    "text", ["torch.float32", "Thing", "helper()", "nowhere", "x()"]
)
def test_what_only_an_import_would_tell_is_unknown(source, text):
    value = evaluate(ast.parse(text, mode="eval").body, source)
    assert isinstance(value, Unknown)
    assert value.text == text


def test_a_module_without_source_is_an_error():
    with pytest.raises(LookupError, match="no source of a module 'math'"):
        source_of("math")
    with pytest.raises((LookupError, ModuleNotFoundError)):
        source_of("asdkit.nothing")
