"""Every verb that a model is not capable of is one clear error."""

import inspect

import pytest

from asdkit.base.errors import AsdkitError
from asdkit.inference.trained_model import TrainedModel

VERBS = [
    name
    for name, _ in inspect.getmembers(TrainedModel, inspect.isfunction)
    if not name.startswith("_")
]


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_that_is_not_implemented_names_model_and_cure(verb):
    model = TrainedModel("exp/x.npz", "a cat")
    takes = inspect.signature(getattr(model, verb)).parameters
    arguments = [None for x in takes.values() if x.kind is x.POSITIONAL_OR_KEYWORD]
    with pytest.raises(AsdkitError, match=r"exp/x.npz: a cat does not \w+") as caught:
        getattr(model, verb)(*arguments)
    assert caught.value.hint
    assert repr(model) == "<a cat: exp/x.npz>"
