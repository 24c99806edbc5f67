"""The program, with a bundle or model that stands in for a real one."""

import numpy as np

from asdkit.__main__ import main
from asdkit.backends.calibration import Calibration
from asdkit.io.store import save_model

KEYS = np.array([True, False])


def test_what_is_no_network_is_refused_and_nothing_written(tmp_path, capsys):
    save_model(tmp_path / "c.npz", Calibration(ridge=1).fit(np.eye(2)[:, :1], KEYS))
    out = tmp_path / "x.onnx"
    assert main(["nnet-export", str(tmp_path / "c.npz"), str(out)]) == 1
    assert "a calibration has no graph" in capsys.readouterr().err
    assert not out.exists()
