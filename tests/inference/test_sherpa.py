"""What sherpa-onnx asks of a model."""

import pytest

from asdkit.base.errors import AsdkitError
from asdkit.features.mel import Fbank, Mfcc
from asdkit.inference.graph import graph_of
from asdkit.inference.sherpa import SHERPA


def test_sherpa_has_the_keys_without_which_the_client_ends(untrained):
    about = graph_of(untrained("xvector", SHERPA), "sherpa").metadata
    wanted = {"framework": "wespeaker", "normalize_samples": "0", "language": "any"}
    wanted |= {"sample_rate": "16000", "output_dim": "256"}
    assert wanted.items() <= about.items()
    assert {"url", "comment"} <= about.keys()


@pytest.mark.parametrize(
    ("features", "options"),
    [
        (Fbank(num_mel_bins=80), r"--snip-edges false .it has true., --high-freq -400"),
        (Fbank(high_freq=-400.0, snip_edges=False), "--num-mel-bins 80 .it has 23"),
        (Mfcc(), r"--type fbank \(it has mfcc\)"),
    ],
)
def test_features_that_sherpa_does_not_compute_are_refused(
    untrained, features, options
):
    model = untrained("xvector", features)
    with pytest.raises(AsdkitError, match=options):
        graph_of(model, "sherpa")
