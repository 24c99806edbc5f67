"""Functions that take or give arrays state their shapes, in the field's letters."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "asdkit"
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
ARRAY = re.compile(
    r"(np\.ndarray|Tensor)( \| (None|float))?|tuple\[(np\.ndarray|Tensor).*"
)
DIMENSION = r"(?:[\w' +*/]{1,14}| ?\.\.\.)"
SHAPE = re.compile(rf"\((?:{DIMENSION},)+ ?(?:{DIMENSION})?\)|\(\)|\(\.\.\.\)")
# A docstring may leave its arguments to another's.
ELSEWHERE = re.compile(r"[Aa]rguments\s+(and\s+errors )?as\s+(in|for)\s+`|[Ss]ee `")


def is_array(annotation):
    return annotation is not None and ARRAY.fullmatch(ast.unparse(annotation))


def handles_arrays(function):
    parameters = (
        function.args.posonlyargs + function.args.args + function.args.kwonlyargs
    )
    kinds = [parameter.annotation for parameter in parameters]
    return any(map(is_array, [*kinds, function.returns]))


def functions(node, name=""):
    """Yield public functions and methods, with their names."""
    for child in node.body:
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from functions(child, f"{name}{child.name}.")
        if isinstance(child, ast.FunctionDef) and not child.name.startswith("_"):
            yield name + child.name, child


def says_shape(docstring):
    return bool(SHAPE.search(docstring) or ELSEWHERE.search(docstring))


@pytest.mark.parametrize(
    "text",
    [
        "(N, E) -> (N, K)",
        "(T,) scores",
        "(N, C', T / 3)",
        "(2D + 1, G)",
        "() mean",
        "(..., D, D) symmetric",
        "Arguments as in `eer`.",
    ],
)
def test_shapes_are_recognized(text):
    assert says_shape(text)


@pytest.mark.parametrize(
    "text", ["Compute f(x).", "Scale (slowly) a vector.", "Drop starved Gaussians."]
)
def test_prose_is_no_shape(text):
    assert not says_shape(text)


@pytest.mark.parametrize("room", ROOMS)
def test_every_function_of_arrays_says_their_shapes(room):
    lacking = [
        f"{path.name}: {name}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for name, function in functions(ast.parse(path.read_text()))
        if handles_arrays(function)
        and not says_shape(ast.get_docstring(function) or "")
    ]
    assert not lacking


@pytest.mark.parametrize("room", ROOMS)
def test_the_shape_is_the_first_word_of_an_array_s_entry(room):
    lacking = [
        f"{path.name}: {name}: {parameter.arg}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for name, function in functions(ast.parse(path.read_text()))
        for parameter in function.args.args
        if is_array(parameter.annotation)
        and (
            entry := re.search(
                rf"^    {parameter.arg}: (.*)", ast.get_docstring(function) or "", re.M
            )
        )
        and not entry[1].startswith("(")
    ]
    assert not lacking
