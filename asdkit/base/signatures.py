"""Signatures of classes and functions: parameters, defaults, types and help texts.

All of it is read from the source, nothing is imported: signatures, and the ``Args:``
section of docstrings.  So a program can print its ``--help`` without torch.  A class
whose constructor passes ``**options`` on to its base has the base's parameters, too, so
that a default stands where the option is used and nowhere else.

Names in annotations and defaults are looked up where the source would: in its own
module, and in the modules it imports them from.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from asdkit.base.expressions import Source, evaluate, source_of
from asdkit.base.references import Configurable, Reference, reference_to

FACTORY = "<factory>"  # the default of a dataclass's field that is made anew
MISSING: Any = dataclasses.MISSING
ENTRY = re.compile(r"\*{0,2}(\w+): *(.*)")


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter of a class or function.

    Attributes:
        name: name as written.
        default: `MISSING` without one.
        text: text of the docstring, in one line without the full stop; empty if there
            is none.
    """

    name: str
    default: Any
    text: str
    _annotation: ast.expr | None = dataclasses.field(repr=False)
    _source: Source = dataclasses.field(repr=False)

    @property
    def annotation(self) -> Any:
        """The type, with what `asdkit.base.ranges` adds; None without one."""
        if self._annotation is None:
            return None
        return evaluate(self._annotation, self._source)


def parameters_of(configurable: Configurable) -> dict[str, Parameter]:
    """Return all named parameters, a class's own before those of its bases.

    Raises:
        LookupError: the source has no class or function of that name.
    """
    reference = reference_to(configurable)
    found = dict(_parameters(reference.path))
    for name, value in reference.bound.items():
        found[name] = dataclasses.replace(found[name], default=value)
    return found


def defaults_of(configurable: Configurable) -> dict[str, Any]:
    """Map every parameter that has a default to it."""
    parameters = parameters_of(configurable).values()
    return {p.name: p.default for p in parameters if p.default is not MISSING}


@functools.cache
def _parameters(path: str) -> dict[str, Parameter]:
    """Read the parameters of what a path names."""
    node, source = _definition(path)
    if not isinstance(node, ast.ClassDef):
        return {p.name: p for p in _of_function(node, source, _texts(node))}
    classes = [_definition(path) for path in _linearize(path)]
    texts: dict[str, str] = {}
    for kind, _ in classes:
        texts = _texts(kind) | texts
    found: dict[str, Parameter] = {}
    for at, (kind, where) in enumerate(classes):
        if _is_dataclass(kind):
            fields = _of_dataclass(classes[at:], texts)
            return found | {n: p for n, p in fields.items() if n not in found}
        constructor = _constructor(kind)
        if constructor is None:
            continue
        for parameter in _of_function(constructor, where, texts):
            found.setdefault(parameter.name, parameter)
        if constructor.args.kwarg is None:
            break
    return {name: p for name, p in found.items() if name != "self"}


def _definition(path: str) -> tuple[ast.ClassDef | ast.FunctionDef, Source]:
    """Find the statement that defines a class or function."""
    module, _, name = path.partition(":")
    source = source_of(module)
    if isinstance(source.names.get(name), ast.ImportFrom):
        found = evaluate(ast.Name(name), source)
        if isinstance(found, Reference):
            return _definition(found.path)
    body: Sequence[ast.stmt] = source.tree.body
    node: ast.stmt | None = None
    for part in name.split("."):
        node = next((x for x in body if getattr(x, "name", None) == part), None)
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            raise LookupError(f"{module} defines no class or function {name!r}")
        body = node.body
    assert isinstance(node, (ast.ClassDef, ast.FunctionDef))
    return node, source


def _linearize(path: str) -> list[str]:
    """Order a class and its bases as Python looks them up (C3), as far as known."""
    node, source = _definition(path)
    assert isinstance(node, ast.ClassDef)
    found = [evaluate(base, source) for base in node.bases]
    bases = [base.path for base in found if isinstance(base, Reference)]
    queues = [*map(_linearize, bases), bases]
    order = [path]
    while queues := [queue for queue in queues if queue]:
        tails = {x for queue in queues for x in queue[1:]}
        head = next(queue[0] for queue in queues if queue[0] not in tails)
        order.append(head)
        queues = [[x for x in queue if x != head] for queue in queues]
    return order


def _constructor(kind: ast.ClassDef | ast.FunctionDef) -> ast.FunctionDef | None:
    for node in kind.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return node
    return None


def _is_dataclass(kind: ast.ClassDef | ast.FunctionDef) -> bool:
    calls = (x.func if isinstance(x, ast.Call) else x for x in kind.decorator_list)
    return any(ast.unparse(x).rpartition(".")[2] == "dataclass" for x in calls)


def _of_function(
    node: ast.FunctionDef, source: Source, texts: dict[str, str]
) -> Iterator[Parameter]:
    """Yield the parameters of a function, those of ``*args`` and ``**kwargs`` not."""
    places = [*node.args.posonlyargs, *node.args.args]
    without = len(places) - len(node.args.defaults)
    defaults = [*[None] * without, *node.args.defaults, *node.args.kw_defaults]
    arguments = [*places, *node.args.kwonlyargs]
    for argument, default in zip(arguments, defaults, strict=True):
        value = MISSING if default is None else evaluate(default, source)
        text = texts.get(argument.arg, "")
        yield Parameter(argument.arg, value, text, argument.annotation, source)


def _of_dataclass(
    classes: Sequence[tuple[ast.ClassDef | ast.FunctionDef, Source]],
    texts: dict[str, str],
) -> dict[str, Parameter]:
    """Read the fields of a dataclass and of the dataclasses it derives from."""
    found: dict[str, Parameter] = {}
    for kind, source in reversed(classes):
        if not _is_dataclass(kind):
            continue
        for node in kind.body:
            if not isinstance(node, ast.AnnAssign) or not isinstance(
                node.target, ast.Name
            ):
                continue
            if ast.unparse(node.annotation).startswith(("ClassVar", "typing.ClassVar")):
                continue
            name = node.target.id
            value = _default_of_field(node.value, source)
            text = texts.get(name, "")
            found[name] = Parameter(name, value, text, node.annotation, source)
    return found


def _default_of_field(node: ast.expr | None, source: Source) -> Any:
    """Evaluate what a field is set to in the class."""
    if node is None:
        return MISSING
    called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    if not isinstance(node, ast.Call) or called.rpartition(".")[2] != "field":
        return evaluate(node, source)
    for keyword in node.keywords:
        if keyword.arg == "default":
            return evaluate(keyword.value, source)
        if keyword.arg == "default_factory":
            return FACTORY
    return MISSING


def _texts(node: ast.ClassDef | ast.FunctionDef) -> dict[str, str]:
    """Read the entries of the ``Args:`` section of a docstring.

    An entry is a line ``name: text`` and what is indented below it.
    """
    lines = (ast.get_docstring(node) or "").splitlines()
    if "Args:" not in lines:
        return {}
    entries: dict[str, list[str]] = {}
    name = ""
    for line in lines[lines.index("Args:") + 1 :]:
        if line and not line.startswith(" "):
            break
        entry = ENTRY.fullmatch(line.strip())
        if entry and not line.startswith(" " * 5):
            name = entry[1]
            entries[name] = [entry[2]]
        elif name and line.strip():
            entries[name].append(line.strip())
    return {
        name: " ".join(x).replace("``", "").rstrip(".") for name, x in entries.items()
    }
