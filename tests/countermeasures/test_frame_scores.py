"""Scores of frames are those of each utterance by itself."""

import numpy as np
import pytest
import torch

from asdkit.base.errors import AsdkitError
from asdkit.batches.feature_config import FeatureConfig
from asdkit.countermeasures.frame_scores import score_frames
from asdkit.countermeasures.loading import load_countermeasure
from asdkit.io.ark import read_arrays
from asdkit.losses.registry import LOSSES
from asdkit.models.networks import build_network, full_options, save_network
from asdkit.nnet.registry import MODELS


@pytest.fixture
def write_network(spoof_corpus):
    """Write an untrained countermeasure for the features of the corpus."""
    stored = dict(read_arrays("scp:data/feats.scp"))
    dim = next(iter(stored.values())).shape[1]

    def write(name, **options):
        torch.manual_seed(0)
        trained = build_network(
            {
                "network": full_options(MODELS, name, {**options, "feat_dim": dim}),
                "loss": full_options(LOSSES, "cross_entropy", {}),
                "classes": ["spoof", "bonafide"],
                "features": FeatureConfig.stored_in(
                    "data", False, subtract_mean=True
                ).description,
                "data": {"crop": "whole", "chunk_frames": 30, "batch_size": 4},
            }
        )
        save_network("network.pt", trained)
        return stored

    return write


@pytest.mark.parametrize("max_frames", [0, 1, 1000])
def test_every_frame_has_the_score_of_what_it_belongs_to(write_network, max_frames):
    stored = write_network("senet9", channels=2)
    table = score_frames("data", "network.pt", "exp/out", max_frames=max_frames)
    found = dict(read_arrays(f"scp:{table}"))
    assert found.keys() == stored.keys()
    cm = load_countermeasure("network.pt")
    stride = cm.network.frame_stride
    for utt, feats in stored.items():
        feats = feats - feats.mean(axis=0) if cm.feature_config.subtract_mean else feats
        with torch.no_grad():
            embeddings, _ = cm.network.embed_frames(torch.from_numpy(feats)[None])
            scores = cm.loss.scores(embeddings[0]).numpy()
        place = np.minimum(np.arange(len(feats)) // stride, len(scores) - 1)
        np.testing.assert_allclose(found[utt], scores[place], rtol=1e-3, atol=1e-4)


def test_a_network_of_whole_utterances_has_no_scores_of_frames(write_network):
    write_network("ecapa_tdnn", channels=8, pooled_channels=24)
    with pytest.raises(AsdkitError, match="frames"):
        score_frames("data", "network.pt", "exp/out")
