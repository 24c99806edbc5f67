"""How large models are, of their files."""

import numpy as np
import pytest

from asdkit.features.mel import Fbank
from asdkit.io.store import save_arrays
from asdkit.losses.registry import LOSSES
from asdkit.models.networks import build_network, full_options, save_network
from asdkit.nnet.complexity import num_macs, num_parameters
from asdkit.nnet.registry import MODELS
from asdkit.report.model_sizes import count_frames, size_cells

FEATURES = {"source": "audio", "type": "fbank", "options": {"num_mel_bins": 20}}


@pytest.mark.parametrize("num_samples", [400, 16000])
def test_frames_are_counted_as_the_features_make_them(num_samples):
    frames = Fbank(num_mel_bins=20)(np.zeros(num_samples, np.float32))
    assert count_frames(FEATURES, num_samples) == len(frames)


def test_a_network_is_as_large_as_it_says(tmp_path):
    small = {"channels": 4, "feat_dim": 20, "embedding_dim": 8}
    options = {
        "network": full_options(MODELS, "resnet18", small),
        "loss": full_options(LOSSES, "cross_entropy", {}),
        "classes": ["spoof", "bonafide"],
        "features": FEATURES,
    }
    trained = build_network(options)
    save_network(tmp_path / "network.pt", trained)
    macs = num_macs(trained.network, count_frames(FEATURES, 16000)) / 1e9
    number = num_parameters(trained.network)
    assert size_cells(tmp_path, 16000) == [f"{number:,}", f"{macs:.3f}"]


def test_mixtures_multiply_every_frame_with_all_means_and_variances(tmp_path):
    arrays = {"bonafide.means_": np.ones((512, 20)), "bonafide.weights_": np.ones(512)}
    save_arrays(tmp_path / "gmm.npz", "SpoofGmm", {"features": FEATURES}, arrays)
    macs = 2 * 512 * 20 * count_frames(FEATURES, 64000) / 1e9
    assert size_cells(tmp_path, 64000) == [f"{512 * 21:,}", f"{macs:.3f}"]


def test_a_classifier_says_its_size_and_does_without_an_encoder(tmp_path):
    about = {"num_parameters": 1234}
    save_arrays(tmp_path / "classifier.npz", "Classifier", about, {"x": np.zeros(1)})
    assert size_cells(tmp_path, 16000, None, [3]) == ["1,234", "0.000"]
