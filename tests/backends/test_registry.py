"""Steps of a back-end by name."""

import argparse

import numpy as np
import pytest

from asdkit.backends.registry import MAPS, SCORERS, STEPS, step_names


@pytest.mark.parametrize("text", ["cosine", "center,lda,length-norm,plda", "lda,dot"])
def test_maps_come_before_one_scorer(text):
    assert step_names(text) == tuple(text.split(","))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("center", "the last step to be one of plda, cosine, dot; got 'center'"),
        ("plda,cosine", "a step before the last to be one of center, lda, posterior"),
        ("pca,plda", "got 'pca'"),
        ("", "got ''"),
        ("center,", "got ''"),
    ],
)
def test_anything_else_says_what_may_stand_there(text, message):
    with pytest.raises(argparse.ArgumentTypeError, match=message):
        step_names(text)


@pytest.mark.parametrize("name", STEPS)
def test_every_step_does_what_its_table_is_for(rng, name):
    x, spk = rng.normal(size=(60, 4)), np.repeat(np.arange(12), 5)
    step = STEPS[name](**({"lda_dim": 2} if name == "lda" else {}))
    if name == "posterior-whiten":
        step.know(np.eye(4))
    step.fit(x, spk)
    assert (name in MAPS) != (name in SCORERS)
    if name in SCORERS:
        assert step.score(x[:2], np.ones(2), x[:3]).shape == (2, 3)
    else:
        assert len(step.transform(x)) == len(x)
