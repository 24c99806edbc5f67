import subprocess
import sys
from collections import Counter
from functools import partial

import pytest

from asdkit.base.references import Reference, reference_to


def test_what_is_named_is_called_with_what_is_bound():
    make = Reference("collections:Counter", a=2)
    assert make() == Counter(a=2)
    assert make(b=1) == Counter(a=2, b=1)
    assert make(a=3) == Counter(a=3)


def test_a_name_may_be_inside_a_class():
    assert Reference("collections:Counter.fromkeys").resolve is not None
    assert Reference("collections:OrderedDict.fromkeys")("ab", 0) == {"a": 0, "b": 0}


def test_nothing_is_imported_before_the_call():
    code = (
        "import sys; from asdkit.base.references import Reference;"
        "table = {'x': Reference('xml.dom.minidom:Document')};"
        "assert 'xml.dom.minidom' not in sys.modules;"
        "table['x'](); assert 'xml.dom.minidom' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_equal_references_are_one_key():
    table = {Reference("a:b", x=1): "first"}
    assert table[Reference("a:b", x=1)] == "first"
    assert Reference("a:b") != Reference("a:b", x=1)
    assert Reference("a:b") != "a:b"


@pytest.mark.parametrize(
    ("configurable", "expected"),
    [
        (Counter, Reference("collections:Counter")),
        ("collections:Counter", Reference("collections:Counter")),
        (partial(Counter, a=1), Reference("collections:Counter", a=1)),
        (
            partial(partial(Counter, a=1), b=2),
            Reference("collections:Counter", a=1, b=2),
        ),
        (Reference("x:y"), Reference("x:y")),
    ],
)
def test_a_class_in_person_or_by_name_is_the_same_reference(configurable, expected):
    assert reference_to(configurable) == expected
