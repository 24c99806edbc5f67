import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.features.frontend import FrontEnd
from asdkit.gmm.full import FullGmm
from asdkit.gmm.ubm import Ubm
from asdkit.io.store import save_arrays
from asdkit.models.ubm_files import load_ubm, save_ubm


def test_a_ubm_comes_back_with_its_front_end(tmp_path, rng):
    covars = np.tile(2 * np.eye(3), (4, 1, 1))
    full = FullGmm.of(np.full(4, 0.25), rng.standard_normal((4, 3)), covars)
    save_ubm(tmp_path / "ubm.npz", Ubm(full.diagonal(), full), FrontEnd(cmn_window=7))
    ubm, frontend = load_ubm(tmp_path / "ubm.npz")
    assert frontend == FrontEnd(cmn_window=7)
    np.testing.assert_array_equal(ubm.full.covars_, covars)
    np.testing.assert_array_equal(ubm.diag.vars_, np.full((4, 3), 2.0))


def test_another_model_is_refused(tmp_path):
    save_arrays(tmp_path / "ubm.npz", "Plda", {}, {})
    with pytest.raises(DataError, match="expected a Ubm model, got 'Plda'"):
        load_ubm(tmp_path / "ubm.npz")
