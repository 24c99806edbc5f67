"""score-fuse alone; with its training it is in test_score_calibrate.py."""

import gzip

import numpy as np

from asdkit import __main__ as command
from asdkit.backends.calibration import Calibration
from asdkit.io.store import save_model
from asdkit.io.trials import pairs_of, read_scores, write_scores


def test_llrs_are_the_weighted_sum_of_the_systems(tmp_path):
    model = Calibration()
    model.weights_, model.offset_ = np.array([2.0, -1.0, 0.5]), np.array(3.0)
    save_model(tmp_path / "fusion.npz", model)
    for name, (first, second) in {"a": (1, 2), "b": (4, 0), "c": (6, -8)}.items():
        (tmp_path / name).write_text(f"e x {first}\ne y {second}\n")
    paths = [str(tmp_path / name) for name in ("fusion.npz", "a", "b", "c", "llrs")]
    assert command.main(["score-fuse", *paths]) == 0
    assert (tmp_path / "llrs").read_text() == "e x 4\ne y 3\n"


def test_systems_of_any_toolkit_are_fused(tmp_path):
    model = Calibration()
    model.weights_, model.offset_ = np.array([2.0, -1.0, 0.5]), np.array(3.0)
    save_model(tmp_path / "fusion.npz", model)
    (tmp_path / "a").write_bytes(gzip.compress(b"e x 1\ne y 2\n"))
    pairs = pairs_of(["e", "e"], ["y", "x"])
    write_scores(tmp_path / "b.npz", pairs, np.array([0.0, 4.0]))
    (tmp_path / "c").write_text("-8 e y\n6 e x\n")
    paths = [str(tmp_path / x) for x in ("fusion.npz", "a", "b.npz", "c", "llrs.npz")]
    assert command.main(["score-fuse", *paths]) == 0
    assert read_scores(tmp_path / "llrs.npz").values.tolist() == [4, 3]
