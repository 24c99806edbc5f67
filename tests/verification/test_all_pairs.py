"""All pairs of utterances are measured where both kinds are among them."""

import numpy as np
import pytest

from asdkit.backends.center import Center
from asdkit.backends.cosine import Cosine
from asdkit.backends.pipeline import Pipeline
from asdkit.base.errors import DataError
from asdkit.io.ark import ArkWriter
from asdkit.io.store import save_arrays
from asdkit.io.tables import write_table
from asdkit.metrics.eer import eer
from asdkit.verification.all_pairs import all_pairs_metrics

UTTS = {"u1": "s2", "u2": "s1", "u3": "s2", "u4": "s1", "u5": "s3"}


@pytest.fixture
def inputs(rng, tmp_path, monkeypatch):
    """Write vectors and a back-end; return the vectors and the first arguments."""
    monkeypatch.chdir(tmp_path)
    x = rng.normal(size=(5, 3)).astype(np.float32)
    with ArkWriter(".", "vectors") as writer:
        for utt, vector in zip(UTTS, x, strict=True):
            writer[utt] = vector
    backend = Pipeline([Center(), Cosine()]).fit(x, np.array([*UTTS.values()]))
    save_arrays("b.npz", "Pipeline", *backend.to_state())
    write_table("utt2spk", UTTS)
    return backend, x


def test_utterances_may_stand_in_any_order(inputs):
    backend, x = inputs
    spk = np.array([*UTTS.values()])
    first, second = np.triu_indices(5, k=1)
    scores = backend.score(x, np.ones(5), x)[first, second]
    same = spk[first] == spk[second]
    table = all_pairs_metrics("b.npz", "utt2spk", "scp:vectors.scp")
    (row,) = table.rows
    wanted = 100 * eer(scores[same], scores[~same])
    assert [row[1].value, *(cell.value for cell in row[-2:])] == [wanted, 2, 8]


def test_a_missing_class_is_told(inputs):
    for spks, what in (("aa", "different speakers"), ("ab", "the same speaker")):
        write_table("utt2spk", dict(zip(UTTS, spks, strict=False)))
        with pytest.raises(DataError, match=f"no two utterances have {what}"):
            all_pairs_metrics("b.npz", "utt2spk", "scp:vectors.scp")
