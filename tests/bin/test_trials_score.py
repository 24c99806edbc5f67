import numpy as np
import soundfile
import torch

import asdkit
from asdkit import __main__ as command
from asdkit.io.trials import read_scores


def test_a_network_scores_trials(tmp_path, monkeypatch, rng, capsys):
    """A network of random weights, trained for no step, compares recordings."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    for spk in "abcd":
        (tmp_path / "rec" / spk).mkdir(parents=True)
        for n in range(3):
            soundfile.write(f"rec/{spk}/{n}.wav", rng.normal(size=16000) / 9, 16000)
    small = "--network xvector --channels 4 --embedding-dim 4"
    options = f"{small} --features fbank --num-epochs 1 --batch-size 4"
    programs = (
        "data-prepare rec data",
        "trials-make data data/trials",
        f"nnet-train {options} --chunk-frames 50 data net",
        "trials-score net data data/trials scores",
    )
    for program in programs:
        assert command.main(program.split()) == 0, capsys.readouterr().err
    scores = read_scores("scores")
    assert len(scores) == 66
    model = asdkit.load("net")
    for row in range(66):  # all at once is as one by one
        files = [f"rec/{utt.replace('-', '/')}.wav" for utt in scores.name(row).split()]
        expected = float(model.score(*files))
        np.testing.assert_allclose(scores.values[row], expected, rtol=1e-4)
