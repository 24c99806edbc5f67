from functools import partial

import pytest

from asdkit.base.parameters import annotation_of, defaults_of, parameters_of
from asdkit.base.ranges import Count, Share


class Base:
    def __init__(self, x, size: Count = 3, share: Share = 0.5):
        pass


class Child(Base):
    def __init__(self, x, y, share: Share = 0.1, **base):
        super().__init__(x, share=share, **base)


class Silent(Child):
    pass


class Closed(Base):
    def __init__(self, x, other: bool = True):
        super().__init__(x)


def test_options_that_a_class_passes_on_are_its_own():
    assert defaults_of(Base) == {"size": 3, "share": 0.5}
    assert defaults_of(Child) == defaults_of(Silent) == {"share": 0.1, "size": 3}
    assert list(parameters_of(Child)) == ["x", "y", "share", "size"]


def test_a_class_that_passes_nothing_on_has_its_own_only():
    assert defaults_of(Closed) == {"other": True}


def test_what_is_bound_already_is_the_default():
    assert defaults_of(partial(Child, share=0.9)) == {"share": 0.9, "size": 3}


@pytest.mark.parametrize("kind", [Child, Silent, partial(Silent, share=0.3)])
def test_annotations_are_found_where_the_option_is(kind):
    assert annotation_of(kind, "size") == Count
    assert annotation_of(kind, "share") == Share
