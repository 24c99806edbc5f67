import inspect

import pytest

from asdkit.features.registry import FEATURES, HELPS


def test_every_option_has_help_and_every_help_an_option():
    options = {name for kind in FEATURES.values() for name in kind().options}
    assert options == HELPS.keys()


@pytest.mark.parametrize("kind", FEATURES.values())
def test_every_option_is_documented_where_it_is_declared(kind):
    documented = "\n".join(c.__doc__ or "" for c in kind.__mro__)
    for name in inspect.signature(kind).parameters:
        assert f"    {name}: " in documented
