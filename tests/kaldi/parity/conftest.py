"""The golden folder as an experiment, and copies of it to damage."""

import shutil
from pathlib import Path

import pytest

from asdkit.kaldi.parity.experiment import Experiment


@pytest.fixture
def few(golden):
    """The golden experiment; two utterances of a part are recomputed."""
    return Experiment(golden, num_utts=2)


@pytest.fixture
def copied(golden, tmp_path):
    """A copy of the golden folder to damage."""
    return Path(shutil.copytree(golden, tmp_path / "kaldi"))


def agree(findings):
    """Tell whether findings, of which there are some, are all within their limits."""
    found = list(findings)
    assert found
    return [finding.limit.allows(finding.difference) for finding in found]


@pytest.fixture(name="agree")
def _agree():
    return agree
