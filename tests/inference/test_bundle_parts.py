"""Parts of a bundle that do not fit, and what is written of those that do."""

from types import SimpleNamespace

import numpy as np
import pytest

from asdkit.backends.calibration import Calibration
from asdkit.backends.center import Center
from asdkit.backends.cosine import Cosine
from asdkit.backends.pipeline import Pipeline
from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.bundle_parts import read_parts, write_parts
from asdkit.inference.bundle_sources import Sources
from asdkit.io.store import load_object, save_arrays, save_model

NETWORK = SimpleNamespace(embedding_dim=4)


def backend(path, dim=4):
    pipeline = Pipeline([Center(), Cosine()]).fit(np.eye(dim), np.arange(dim) // 2)
    save_arrays(path, "Pipeline", *pipeline.to_state())
    return path


def read(main=NETWORK, **files):
    return read_parts(Sources(**files), {"speaker": main}, 0.0, 300)


def test_a_back_end_for_other_embeddings_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"takes embeddings of 5 numbers, .* has 4"):
        read(backend=backend(tmp_path / "b.npz", 5))


def test_a_cohort_needs_what_scores_with_it():
    with pytest.raises(AsdkitError, match="--cohort needs the --backend"):
        read(cohort="scp:x")


def test_a_fusion_calibrates_no_single_score(tmp_path, rng):
    fusion = Calibration().fit(rng.normal(size=(60, 2)), np.arange(60) < 30)
    save_model(tmp_path / "c.npz", fusion)
    with pytest.raises(DataError, match="expected one of one system's scores"):
        read(calibration=tmp_path / "c.npz")


def test_what_there_is_is_written_and_nothing_else(tmp_path):
    (tmp_path / "model").mkdir()
    write_parts(tmp_path / "model", read())
    assert not [*(tmp_path / "model").iterdir()]
    parts = read(backend=backend(tmp_path / "b.npz"))
    write_parts(tmp_path / "model", parts)
    written = [*(tmp_path / "model").iterdir()]
    assert [x.name for x in written] == ["backend.npz"]
    assert load_object(written[0], Pipeline).input_dim == 4
