"""Networks of speakers that WeSpeaker and 3D-Speaker publish.

ResNets, CAM++ and ECAPA-TDNN, told apart by the names and shapes of their tensors.  The
front ends are not in a checkpoint; they are those of the toolkits' recipes.

Source: wespeaker/dataset/processor.py and speakerlab/process/processor.py.
"""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import Tensor

from asdkit.base.errors import DataError
from asdkit.features.mel import Fbank
from asdkit.io.tables import PathName
from asdkit.losses.registry import LOSSES
from asdkit.models.networks import (
    TrainedNetwork,
    build_network,
    computed_features,
    full_options,
)
from asdkit.models.speaker_layouts import THREE_D_SPEAKER, WESPEAKER, Kinds, Layout
from asdkit.models.state_dicts import (
    State,
    misfits,
    read_state,
    refuse_misfits,
    source_of,
)
from asdkit.nnet.registry import MODELS

logger = logging.getLogger(__name__)

PARALLEL = "module."  # before all names, if DistributedDataParallel was saved
CLASSIFIER = "projection."  # of the speakers that it was trained on
COUNTS = "num_batches_tracked"  # of no use, and not in every file
KINDS = "a ResNet, a CAM++ or an ECAPA-TDNN"


def read_wespeaker(path: PathName) -> TrainedNetwork:
    """Read a network of WeSpeaker's; its classifier is left out.

    Its filter banks have Hamming windows.

    Args:
        path: e.g. ``avg_model.pt``, or the same tensors as safetensors.

    Raises:
        DataError: missing, damaged, or not the tensors of a network that is known.
    """
    options = {"window_type": "hamming"}
    return _read(path, "wespeaker", WESPEAKER, options)


def read_3dspeaker(path: PathName) -> TrainedNetwork:
    """Read a network of 3D-Speaker's.

    Its filter banks are computed of samples in [-1, 1), where Kaldi's floor is higher.

    Args:
        path: e.g. ``campplus_voxceleb.bin``, or the same tensors as safetensors.

    Raises:
        DataError: missing, damaged, or not the tensors of a network that is known.
    """
    return _read(path, "3dspeaker", THREE_D_SPEAKER, {"sample_scale": 1.0})


def _read(
    path: PathName, source: str, kinds: Kinds, features: dict[str, Any]
) -> TrainedNetwork:
    """Find out which network it is, and rename its tensors."""
    state = _of_the_network(read_state(path))
    found = next((name for name in kinds if name in state), None)
    if found is None:
        few = ", ".join(map(repr, list(state)[:3])) or "none"
        raise DataError(path, f"expected the tensors of {KINDS}, got {few}, ...")
    try:
        layout = kinds[found](state)
        trained = _build(layout, features)
    except (ValueError, ZeroDivisionError) as error:
        raise DataError(path, f"not the weights of {KINDS}: {error}") from None
    ours = trained.network.state_dict()
    expected = {k: tuple(x.shape) for k, x in layout.to_theirs(ours).items()}
    what = f"{source}'s {layout.network}"
    refuse_misfits(path, what, misfits(state, expected))
    trained.network.load_state_dict(layout.to_ours(state, ours))
    trained.network.eval()
    trained.loss.eval()
    trained.options["imported"] = source_of(path, source)
    logger.info("model-import: %s has the weights of %s", path, what)
    return trained


def _of_the_network(state: State) -> dict[str, Tensor]:
    """Leave out the classifier, counts, and what is before all names."""
    if all(name.startswith(PARALLEL) for name in state):
        state = {name.removeprefix(PARALLEL): x for name, x in state.items()}
    return {
        name: x
        for name, x in state.items()
        if not (name.startswith(CLASSIFIER) or name.endswith(COUNTS))
    }


def _build(layout: Layout, features: dict[str, Any]) -> TrainedNetwork:
    """Construct network and loss, untrained; its speakers are not in the file."""
    fbank = Fbank(num_mel_bins=layout.options["feat_dim"], dither=0.0, **features)
    with torch.random.fork_rng(devices=[]):
        return build_network(
            {
                "network": full_options(MODELS, layout.network, layout.options),
                "loss": full_options(LOSSES, "ge2e", {}),
                "features": computed_features(fbank, subtract_mean=True),
                "data": {},
                "classes": [],
            }
        )
