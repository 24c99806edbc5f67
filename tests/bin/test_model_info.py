import json

import numpy as np
import torch

from asdkit.__main__ import main
from asdkit.io.store import save_arrays
from asdkit.io.tensors import save_tensors


def test_a_model_says_what_it_is(tmp_path, capsys):
    path = str(tmp_path / "model.npz")
    save_arrays(path, "Plda", {"num_iters": 10}, {"psi_": np.zeros(3)})
    assert main(["model-info", path]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "Plda"
    assert told["options"] == {"num_iters": 10}
    assert told["arrays"] == {"psi_": "[3] float64"}
    assert told["provenance"]["version"]


def test_another_file_is_refused(tmp_path, capsys):
    (tmp_path / "model.npz").write_text("hello")
    assert main(["model-info", str(tmp_path / "model.npz")]) == 1
    assert "not an asdkit model, or damaged" in capsys.readouterr().err


def test_a_network_says_what_it_is(tmp_path, capsys):
    path = tmp_path / "network.pt"
    save_tensors(path, "network", {"name": "xvector"}, {"bias": torch.zeros(3)})
    assert main(["model-info", str(path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["options"]) == ("network", {"name": "xvector"})
    assert told["tensors"] == {"bias": "[3] float32"}
