"""The GE2E d-vector of Resemblyzer, a teacher trained elsewhere.

Source: L. Wan et al., "Generalized end-to-end loss for speaker verification", ICASSP
2018; github.com/resemble-ai/Resemblyzer, package resemblyzer 0.1.4, pretrained.pt:
three LSTM layers of 256 on 40 mel bands, trained by its authors on LibriSpeech and
VoxCeleb 1 and 2.  Package and weights are under Apache-2.0.
"""

from __future__ import annotations

import logging

import torch
from torch import Tensor

from asdkit.io.tables import PathName
from asdkit.losses.registry import LOSSES
from asdkit.models.networks import (
    TrainedNetwork,
    build_network,
    full_options,
    samples_as_features,
)
from asdkit.models.state_dicts import (
    misfits,
    read_state,
    refuse_misfits,
    source_of,
)
from asdkit.nnet.registry import MODELS

logger = logging.getLogger(__name__)

# Of the loss that it was trained with: no embedding needs them.
UNUSED = ("similarity_weight", "similarity_bias")


def read_ge2e(path: PathName) -> TrainedNetwork:
    """Read pretrained.pt of resemblyzer as a network of speakers.

    It takes samples, and computes the mel energies itself.  Embeddings are those of the
    package, without the voice activity detection that it applies to files.

    Args:
        path: a state dictionary, or a checkpoint with one under ``model_state``.

    Raises:
        DataError: missing, damaged, or not the tensors of this network.
    """
    state = read_state(path, "model_state")
    state = {name: x for name, x in state.items() if name not in UNUSED}
    trained = _build()
    expected = {k: tuple(v.shape) for k, v in trained.network.state_dict().items()}
    refuse_misfits(path, "the GE2E d-vector", misfits(state, expected))
    tensors: dict[str, Tensor] = {k: v.float().contiguous() for k, v in state.items()}
    trained.network.load_state_dict(tensors)
    trained.network.eval()
    trained.loss.eval()
    trained.options["imported"] = source_of(path, "ge2e")
    logger.info("model-import: %s has the weights of a GE2E d-vector", path)
    return trained


def _build() -> TrainedNetwork:
    """Construct network and loss, untrained; its speakers are not in the file."""
    with torch.random.fork_rng(devices=[]):
        return build_network(
            {
                "network": full_options(MODELS, "dvector", {}),
                "loss": full_options(LOSSES, "ge2e", {}),
                "features": samples_as_features(16000.0),
                "data": {},
                "classes": [],
            }
        )
