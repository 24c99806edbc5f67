"""Components of nnet3 with arrays that are drawn."""

import numpy as np
import pytest
import torch

from asdkit.nnet.nnet3.components import attribute


@pytest.fixture
def make():
    """Make a component of fields; arrays among them become its numbers."""

    def build(kind, **fields):
        described = [
            [
                token,
                {"shape": [*value.shape]} if isinstance(value, np.ndarray) else value,
            ]
            for token, value in fields.items()
        ]
        component = kind(described).double().eval()
        for token, value in fields.items():
            if isinstance(value, np.ndarray):
                with torch.no_grad():
                    array = getattr(component, attribute(token))
                    array.copy_(torch.from_numpy(value))
        return component

    return build
