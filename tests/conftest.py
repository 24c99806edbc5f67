"""Fixtures that all tests share."""

import logging
from pathlib import Path

import numpy as np
import pytest
import torch

NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture(
    params=["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, NO_GPU])],
)
def device(request):
    """Where to compute: the same is asked of both."""
    return request.param


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def golden():
    """The folder of files that Kaldi's own binaries wrote; see its README."""
    return Path(__file__).parent / "golden" / "kaldi"


@pytest.fixture(autouse=True)
def _fresh_log_level():
    """Leave no program's --log-level to the tests that come after."""
    logger = logging.getLogger("asdkit")
    level = logger.level
    yield
    logger.setLevel(level)
