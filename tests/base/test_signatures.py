"""Signatures read from the source, against what Python says after importing it."""

import dataclasses
import inspect
import typing
from functools import partial
from typing import ClassVar, Literal

import pytest

from asdkit.backends.registry import STEPS
from asdkit.base.ranges import Count, Share
from asdkit.base.references import Reference, reference_to
from asdkit.base.signatures import FACTORY, MISSING, defaults_of, parameters_of
from asdkit.countermeasures.registry import CLASSIFIERS, LOCALIZERS
from asdkit.features.registry import FEATURES
from asdkit.losses.registry import LOSSES
from asdkit.nnet.registry import MODELS
from asdkit.training.objectives import OBJECTIVES

HALF = 1 / 2
Kind = Literal["a", "b"]


class Base:
    """Hold what all have.

    Args:
        x: (N,) numbers.
        size: how large it is,
            in samples.
        share: of all, e.g. ``0.5``.
    """

    def __init__(self, x, size: Count = 3, share: Share = HALF):
        pass


class Child(Base):
    """Another.

    Args:
        share: of its own.
    """

    def __init__(self, x, y, share: Share = 0.1, **base):
        super().__init__(x, share=share, **base)


class Silent(Child):
    pass


class Closed(Base):
    def __init__(self, x, other: bool = True):
        super().__init__(x)


class Mixin(Base):
    def __init__(self, *, kind: Kind = "a", **base):
        super().__init__(**base)


class Diamond(Mixin, Child):
    pass


@dataclasses.dataclass(frozen=True)
class Options:
    """Hold options.

    Args:
        first: number, at -2 ** 3.
        many: made anew.
    """

    shared: ClassVar[int] = 3
    first: float = -(2**3)
    many: list[int] = dataclasses.field(default_factory=list)
    last: int | None = dataclasses.field(default=None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class More(Options):
    first: float = 1.5
    extra: tuple[int, ...] = (1, *(2, 3))


def test_options_that_a_class_passes_on_are_its_own():
    assert defaults_of(Base) == {"size": 3, "share": 0.5}
    assert defaults_of(Child) == defaults_of(Silent) == {"share": 0.1, "size": 3}
    assert list(parameters_of(Child)) == ["x", "y", "share", "size"]


def test_a_class_that_passes_nothing_on_has_its_own_only():
    assert defaults_of(Closed) == {"other": True}


def test_bases_are_searched_in_the_order_of_python():
    assert [kind.__name__ for kind in Diamond.__mro__[:4]] == [
        *("Diamond", "Mixin", "Child", "Base"),
    ]
    assert defaults_of(Diamond) == {"kind": "a", "share": 0.1, "size": 3}


def test_what_is_bound_already_is_the_default():
    assert defaults_of(partial(Child, share=0.9)) == {"share": 0.9, "size": 3}


@pytest.mark.parametrize("kind", [Child, Silent, partial(Silent, share=0.3)])
def test_annotations_are_found_where_the_option_is(kind):
    assert parameters_of(kind)["size"].annotation == Count
    assert parameters_of(kind)["share"].annotation == Share


def test_fields_of_dataclasses_are_parameters():
    assert defaults_of(Options) == {"first": -8, "many": FACTORY, "last": None}
    assert defaults_of(More) == {
        **{"first": 1.5, "many": FACTORY, "last": None, "extra": (1, 2, 3)}
    }
    assert parameters_of(More)["last"].annotation == (int | None)


def test_texts_come_from_the_nearest_docstring():
    texts = {name: p.text for name, p in parameters_of(Silent).items()}
    assert texts == {
        "x": "(N,) numbers",
        "y": "",
        "share": "of its own",
        "size": "how large it is, in samples",
    }
    assert parameters_of(Base)["share"].text == "of all, e.g. 0.5"
    assert parameters_of(More)["first"].text == "number, at -2 ** 3"


def test_a_parameter_without_default_says_so():
    assert parameters_of(Base)["x"].default is MISSING


@pytest.mark.parametrize("path", ["asdkit.base.ranges:Rang", "asdkit.nothing:Range"])
def test_what_is_not_there_is_an_error(path):
    with pytest.raises(LookupError):
        parameters_of(path)


TABLES = [MODELS, LOSSES, OBJECTIVES, FEATURES, CLASSIFIERS, LOCALIZERS, STEPS]
ALL = [reference for table in TABLES for reference in table.values()]


def by_inspection(configurable):
    """Name -> default and type of what options a live class or function takes."""
    found = {}
    own = [configurable]
    if inspect.isclass(configurable) and not dataclasses.is_dataclass(configurable):
        own = [
            vars(k)["__init__"] for k in configurable.__mro__ if "__init__" in vars(k)
        ]
    for constructor in own:
        hints = typing.get_type_hints(constructor, include_extras=True)
        parameters = inspect.signature(constructor).parameters.values()
        for p in parameters:
            if p.default is not p.empty:
                found.setdefault(p.name, (p.default, hints.get(p.name)))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


@pytest.mark.parametrize("reference", ALL, ids=lambda x: f"{x.name}{dict(x.bound)}")
def test_every_table_is_read_as_python_reads_it(reference):
    expected = by_inspection(reference.resolve())
    parameters = parameters_of(reference)
    assert defaults_of(reference) == {
        name: reference.bound.get(name, default)
        for name, (default, _) in expected.items()
    }
    for name, (_, hint) in expected.items():
        assert parameters[name].annotation == hint, name


@pytest.mark.parametrize("reference", ALL, ids=lambda x: f"{x.name}{dict(x.bound)}")
def test_every_option_of_a_table_is_explained(reference):
    parameters = parameters_of(reference)
    unexplained = [n for n in defaults_of(reference) if not parameters[n].text]
    assert not unexplained


def test_a_live_class_and_its_name_have_the_same_options():
    assert reference_to(Silent) == Reference(f"{__name__}:Silent")
    assert defaults_of(Silent) == defaults_of(f"{__name__}:Silent")
