import numpy as np

from asdkit.__main__ import main
from asdkit.features.deltas import add_deltas
from asdkit.io.ark import read_arrays
from asdkit.io.run_costs import read_run_costs


def test_an_embedding_is_means_and_deviations_with_deltas(noise_corpus):
    options = ["--delta-order", "1"]
    assert main(["stats-extract", *options, "data/train", "exp/stats"]) == 0
    found = dict(read_arrays("scp:exp/stats/embedding.scp"))
    assert found.keys() == noise_corpus.keys()
    frames = add_deltas(noise_corpus["s2-3"], 1, 1)
    expected = np.concatenate([frames.mean(axis=0), frames.std(axis=0)])
    np.testing.assert_allclose(found["s2-3"], expected, rtol=1e-4, atol=1e-6)
    assert read_run_costs("exp/stats")[0]["program"] == "stats-extract"


def test_data_without_features_are_one_line(noise_corpus, capsys):
    open("data/train/feats.scp", "w").close()
    assert main(["stats-extract", "data/train", "exp/stats"]) == 1
    assert "data/train" in capsys.readouterr().err
