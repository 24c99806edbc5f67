"""The house: what every module has beside it."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LIBRARY = TESTS.parent / "asdkit"
DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def defines(path):
    """Tell whether a module defines a function or class; one of tables does not."""
    return any(
        isinstance(node, DEFINITIONS) for node in ast.parse(path.read_text()).body
    )


MODULES = [
    path
    for path in sorted(LIBRARY.rglob("*.py"))
    if path.name != "__init__.py" and defines(path)
]


@pytest.mark.parametrize("path", MODULES, ids=lambda x: str(x.relative_to(LIBRARY)))
def test_every_module_has_a_test_file_of_its_name(path):
    """Who changes a module knows where its tests are, and that it has any."""
    name = f"test_{path.stem.strip('_')}.py"  # __main__: test_main.py
    test = TESTS / path.relative_to(LIBRARY).with_name(name)
    assert test.exists(), f"move tests of {path.name} to {test}, or write some"


def test_names_of_modules_mean_one_thing():
    """Two rooms may name what they share alike; more are about different things."""
    homes = {}
    for path in MODULES:
        homes.setdefault(path.name, []).append(str(path.parent.relative_to(LIBRARY)))
    crowded = {name: rooms for name, rooms in homes.items() if len(rooms) > 2}
    assert not crowded.keys() - {"registry.py"}, crowded  # of tables: one concept
