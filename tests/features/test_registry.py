import inspect

import pytest

from asdkit.base.signatures import parameters_of
from asdkit.features.registry import FEATURES, name_of


@pytest.mark.parametrize("kind", FEATURES.values(), ids=FEATURES)
def test_every_option_is_explained(kind):
    options = kind().options
    assert options
    parameters = parameters_of(kind)
    assert options.keys() == parameters.keys()
    assert all(parameter.text for parameter in parameters.values())


@pytest.mark.parametrize("kind", FEATURES.values(), ids=FEATURES)
def test_every_option_is_documented_where_it_is_declared(kind):
    documented = "\n".join(c.__doc__ or "" for c in kind.resolve().__mro__)
    for name in inspect.signature(kind.resolve()).parameters:
        assert f"    {name}: " in documented


@pytest.mark.parametrize("name", FEATURES)
def test_an_extractor_knows_its_name(name):
    assert name_of(FEATURES[name]()) == name
