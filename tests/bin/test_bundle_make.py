"""The program, with a bundle or model that stands in for a real one."""

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.backends.calibration import Calibration
from asdkit.io.store import save_model

KEYS = np.array([True, False])


def test_what_is_no_network_is_refused_and_nothing_written(tmp_path, capsys):
    save_model(tmp_path / "c.npz", Calibration(ridge=1).fit(np.eye(2)[:, :1], KEYS))
    out = tmp_path / "model"
    assert main(["bundle-make", str(tmp_path / "c.npz"), str(out)]) == 1
    assert "a calibration has no graph" in capsys.readouterr().err
    assert not out.exists()


def test_a_prior_is_a_probability(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["bundle-make", "--p-bonafide", "1.5", "net", "model"])
    assert "--p-bonafide" in capsys.readouterr().err
