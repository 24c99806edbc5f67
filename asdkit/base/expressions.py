"""Evaluate expressions in a source file without importing it.

As much of Python as defaults and annotations are written in: constants, arithmetic,
containers, names of the module and of those it imports from, ``Literal`` and the types
of `asdkit.base.ranges`.  What is beyond that, e.g. a class of torch, is `Unknown`.
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import importlib.util
import operator
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Union

from asdkit.base.references import Reference

# Imported for real: small, and what annotations are made of.
REAL = ("collections.abc", "math", "typing", "asdkit.base.ranges")
OWN = "asdkit"  # what plug-ins may import from, besides their own package
BUILTINS = ("bool", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple")
BINARY = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}


class Unknown:
    """Stand for a value that only importing the source could give.

    Args:
        text: the source text.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"Unknown({self.text!r})"


class Source:
    """A parsed module, and where its names come from.

    Args:
        name: name of the module.
        path: path of its file.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        is_package = path.name == "__init__.py"
        self.package = name if is_package else name.rpartition(".")[0]
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.names: dict[str, ast.stmt] = {}
        for node in _statements(self.tree.body):
            for name in _defined(node):
                self.names[name] = node


@functools.cache
def source_of(module: str) -> Source:
    """Parse a module without importing it.

    Raises:
        LookupError: there is no such module, or it has no source.
    """
    loaded = getattr(sys.modules.get(module), "__file__", None)
    if loaded is None:
        loaded = _file_of(module)
    if not loaded or not loaded.endswith(".py"):
        raise LookupError(f"there is no source of a module {module!r}")
    return Source(module, Path(loaded))


def _file_of(module: str) -> str | None:
    """Find the file of a module as an import would, but import no package above it."""
    name, path, file = "", None, None
    for part in module.split("."):
        name = f"{name}.{part}".lstrip(".")
        found = (finder.find_spec(name, path) for finder in sys.meta_path)
        spec = next(filter(None, found), None)
        if spec is None:
            return None
        path, file = spec.submodule_search_locations or (), spec.origin
    return file


def evaluate(node: ast.expr, source: Source) -> Any:
    """Return the value that an expression has in a module.

    Returns:
        the value; a `Reference` to a class or function of a module that has source;
        `Unknown` for everything else.
    """
    try:
        return _evaluate(node, source)
    except (_BeyondError, LookupError):
        return Unknown(ast.unparse(node))


class _BeyondError(Exception):
    """The expression is beyond what is supported."""


def _evaluate(node: ast.expr, source: Source) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return _look_up(node.id, source)
        case ast.Tuple() | ast.List() | ast.Set():
            kind = {ast.Tuple: tuple, ast.List: list, ast.Set: set}[type(node)]
            return kind(_items(node.elts, source))
        case ast.UnaryOp(op=ast.USub()):
            return -_evaluate(node.operand, source)
        case ast.BinOp(op=ast.BitOr()):
            sides = [evaluate(x, source) for x in (node.left, node.right)]
            known = tuple(x for x in sides if not isinstance(x, (Unknown, Reference)))
            return Union[known] if known else Unknown(ast.unparse(node))  # noqa: UP007
        case ast.BinOp() if type(node.op) in BINARY:
            left, right = (_evaluate(x, source) for x in (node.left, node.right))
            return BINARY[type(node.op)](left, right)
        case ast.Subscript():
            return _evaluate(node.value, source)[_evaluate(node.slice, source)]
        case ast.Attribute():
            return _attribute(node, source)
        case ast.Call(func=ast.Name() as function):
            called = _look_up(function.id, source)
            if isinstance(called, Reference) or not isinstance(called, type):
                raise _BeyondError
            options = {
                k.arg: _evaluate(k.value, source) for k in node.keywords if k.arg
            }
            return called(*_items(node.args, source), **options)
    raise _BeyondError


def _items(nodes: Iterable[ast.expr], source: Source) -> Iterator[Any]:
    for node in nodes:
        if isinstance(node, ast.Starred):
            yield from _evaluate(node.value, source)
        else:
            yield _evaluate(node, source)


def _attribute(node: ast.Attribute, source: Source) -> Any:
    """``math.inf``, ``typing.Literal``: of modules that are imported for real."""
    if isinstance(node.value, ast.Name):
        statement = source.names.get(node.value.id)
        if isinstance(statement, ast.Import):
            name = next(
                x.name for x in statement.names if (x.asname or x.name) == node.value.id
            )
            if name in REAL:
                return getattr(importlib.import_module(name), node.attr)
    raise _BeyondError


def _look_up(name: str, source: Source) -> Any:
    """Find what a name stands for in a module."""
    match source.names.get(name):
        case ast.ClassDef() | ast.FunctionDef():
            return Reference(f"{source.name}:{name}")
        case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
            return _evaluate(value, source)
        case ast.ImportFrom() as statement:
            module = _module_of(statement, source)
            original = next(
                x.name for x in statement.names if (x.asname or x.name) == name
            )
            if module in REAL:
                return getattr(importlib.import_module(module), original)
            if module.partition(".")[0] in (source.name.partition(".")[0], OWN):
                return _look_up(original, source_of(module))
            raise _BeyondError
        case None if name in BUILTINS:
            return getattr(builtins, name)
    raise _BeyondError


def _module_of(statement: ast.ImportFrom, source: Source) -> str:
    """Name the module that a statement imports from, relative ones in full."""
    relative = "." * statement.level + (statement.module or "")
    try:
        return importlib.util.resolve_name(relative, source.package)
    except ImportError:
        raise _BeyondError from None


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of a module, those inside its ``if`` and ``try`` too."""
    for node in body:
        yield node
        if isinstance(node, (ast.If, ast.Try)):
            yield from _statements(node.body)


def _defined(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines."""
    match node:
        case ast.ClassDef() | ast.FunctionDef():
            yield node.name
        case ast.Assign():
            yield from (x.id for x in node.targets if isinstance(x, ast.Name))
        case ast.AnnAssign(target=ast.Name() as target):
            yield target.id
        case ast.ImportFrom() | ast.Import():
            yield from (x.asname or x.name for x in node.names)
