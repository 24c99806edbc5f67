"""What Kaldi trained and scored, as arrays."""

from types import SimpleNamespace

import numpy as np
import pytest

from asdkit.io.kaldi import read_matrix, read_plda, read_vector
from asdkit.io.vectors import read_vectors


@pytest.fixture
def kaldi(golden):
    """Golden i-vectors of training and test, and the back-end from the former."""
    train = read_vectors(f"ark:{golden}/ivectors/train.ark")
    return SimpleNamespace(
        train=train.x,
        spk=np.array([utt.partition("-")[0] for utt in train.keys]),
        test=read_vectors(f"ark:{golden}/ivectors/test.ark"),
        mean=read_vector(golden / "backend/mean.vec"),
        lda=read_matrix(golden / "backend/transform.mat"),
        plda=read_plda(golden / "backend/plda"),
        adapted=read_plda(golden / "backend/plda_adapt"),
    )
