"""Fixtures that all tests share."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def golden():
    """The folder of files that Kaldi's own binaries wrote; see its README."""
    return Path(__file__).parent / "golden" / "kaldi"
