"""Models that have no graph, and how one that has is made like it."""

import pytest

import asdkit
from asdkit.base.errors import AsdkitError
from asdkit.features.mel import Fbank
from asdkit.inference.graph_models import require_network, without_dither


def test_what_has_no_graph_says_why(models):
    ivectors = asdkit.load(
        "exp/ivector/extractor.npz",
        features="exp/mfcc/feats.json",
        vad="exp/vad/vad.json",
    )
    with pytest.raises(AsdkitError, match="ONNX has no Cholesky, no triangular solve"):
        require_network(ivectors)
    with pytest.raises(AsdkitError, match="two Gaussian mixtures have no graph"):
        require_network(asdkit.load("exp/gmm"))
    with pytest.raises(AsdkitError, match="has no graph"):
        require_network(asdkit.load("exp/plda.npz"))


def test_dither_is_switched_off_and_other_options_kept(untrained):
    model = untrained("xvector", Fbank(num_mel_bins=24, dither=1.0))
    without_dither(require_network(model))
    options = model.front_end.extractor.options
    assert options == {**Fbank(num_mel_bins=24).options, "dither": 0.0}
