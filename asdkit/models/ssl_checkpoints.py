"""Checkpoints of self-supervised encoders from torchaudio and transformers.

Nothing is downloaded, and nothing in a file is executed.
"""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from asdkit.base.errors import DataError
from asdkit.base.inputs import note_input
from asdkit.base.packages import require
from asdkit.io.checksums import verify_weights
from asdkit.io.tables import PathName
from asdkit.nnet.ssl import PUBLISHED, SslEncoder, SslMeans, import_torchaudio

logger = logging.getLogger(__name__)

# Option of torchaudio's functions: option of transformers' configurations.
OPTIONS = {
    "extractor_conv_bias": "conv_bias",
    "encoder_embed_dim": "hidden_size",
    "encoder_projection_dropout": "feat_proj_dropout",
    "encoder_pos_conv_kernel": "num_conv_pos_embeddings",
    "encoder_pos_conv_groups": "num_conv_pos_embedding_groups",
    "encoder_num_layers": "num_hidden_layers",
    "encoder_num_heads": "num_attention_heads",
    "encoder_attention_dropout": "attention_dropout",
    "encoder_ff_interm_features": "intermediate_size",
    "encoder_ff_interm_dropout": "activation_dropout",
    "encoder_dropout": "hidden_dropout",
    "encoder_layer_norm_first": "do_stable_layer_norm",
    "encoder_layer_drop": "layerdrop",
}
WAVLM_OPTIONS = {
    "encoder_num_buckets": "num_buckets",
    "encoder_max_distance": "max_bucket_distance",
}
# What torch raises, depending on what the file is.
DAMAGES = (
    *(OSError, RuntimeError, EOFError, KeyError, pickle.UnpicklingError),
    AttributeError,  # it holds something else than a dictionary
)
UNUSED = {"masked_spec_embed"}  # weights that may be missing: for pre-training only
KINDS = ("wavlm", "wav2vec2", "hubert")
POSITIONS = "encoder.transformer.pos_conv_embed."  # torch versions name these otherwise


class SslCheckpoint(NamedTuple):
    """A published encoder.

    Attributes:
        options: "ssl", "ssl_options" and "ssl_normalize" of `asdkit.nnet.ssl.SslEcapa`.
        weights: of torchaudio's module, by name.
    """

    options: dict[str, Any]
    weights: dict[str, Tensor]


def read_ssl(path: PathName) -> SslCheckpoint:
    """Read an encoder.

    Args:
        path: folder from transformers' ``save_pretrained``, or file with the state of
            one of torchaudio's models, as its pipelines download them.

    Raises:
        DataError: missing, damaged, or of no known kind.
        AsdkitError: it takes transformers, which is not installed, or torchaudio is
            not or cannot be imported.
    """
    folder = Path(path)
    found = _read_folder(folder) if folder.is_dir() else _read_file(folder)
    logger.info("ssl: %s is a %s", path, found.options["ssl"])
    return found


def load_means(path: PathName, layers: Sequence[int] | None = None) -> SslMeans:
    """Load an encoder to take the means over time of some of its layers.

    Args:
        path: see `read_ssl`.
        layers: see `asdkit.nnet.ssl.SslMeans`.

    Raises:
        DataError: see `read_ssl`; or there are no such layers.
    """
    checkpoint = read_ssl(path)
    names = ("ssl", "ssl_options", "ssl_normalize")
    encoder = SslEncoder(*(checkpoint.options[name] for name in names))
    encoder.model.load_state_dict(checkpoint.weights)
    try:
        return SslMeans(encoder, layers)
    except ValueError as error:
        raise DataError(path, str(error)) from None


def _read_folder(folder: Path) -> SslCheckpoint:
    """Read a transformers folder; torchaudio converts the weights."""
    config = _read_json(folder / "config.json")
    kind = config.get("model_type")
    if kind not in KINDS:
        problem = f"expected a model_type of {', '.join(KINDS)}, got {kind!r}"
        raise DataError(folder / "config.json", problem)
    conversion = import_torchaudio("torchaudio.models.wav2vec2.utils")
    transformers = require("transformers", "pip install 'asdkit[ssl]'")
    safetensors = require("safetensors", "pip install 'asdkit[ssl]'")
    for path in _weights_of(folder):
        verify_weights(path)
    try:
        model, report = transformers.AutoModel.from_pretrained(
            folder, local_files_only=True, output_loading_info=True
        )
    except (
        *(OSError, RuntimeError, ValueError, KeyError),
        safetensors.SafetensorError,
    ) as error:
        what = str(error).strip().partition("\n")[0]
        raise DataError(folder, f"transformers cannot read it: {what}") from None
    missing = sorted(set(report["missing_keys"]) - UNUSED)
    if missing:
        raise DataError(
            folder,
            f"its files lack {len(missing)} of {len(model.state_dict())} weights, "
            f"e.g. {missing[0]!r}; transformers would draw them at random",
            hint="download or copy the whole folder again",
        )
    names = OPTIONS | (WAVLM_OPTIONS if kind == "wavlm" else {})
    options = {ours: getattr(model.config, name) for ours, name in names.items()}
    sizes = model.config.conv_dim, model.config.conv_kernel, model.config.conv_stride
    options |= {
        "extractor_mode": f"{model.config.feat_extract_norm}_norm",
        "extractor_conv_layer_config": [*map(list, zip(*sizes, strict=True))],
        "aux_num_out": None,
    }
    prepared = folder / "preprocessor_config.json"
    normalize = model.config.feat_extract_norm == "layer"
    if prepared.exists():
        normalize = bool(_read_json(prepared).get("do_normalize", normalize))
    name = "wavlm_model" if kind == "wavlm" else "wav2vec2_model"
    return SslCheckpoint(
        {"ssl": name, "ssl_options": options, "ssl_normalize": normalize},
        conversion.import_huggingface_model(model).state_dict(),
    )


def _weights_of(folder: Path) -> list[Path]:
    """List the weight files that transformers will read."""
    patterns = ("model*.safetensors", "pytorch_model*.bin")
    found = (sorted(folder.glob(pattern)) for pattern in patterns)
    return next(filter(None, found), [])


def _read_file(path: Path) -> SslCheckpoint:
    """Read a torchaudio download; the sizes of its tensors identify the model."""
    note_input(path)
    try:
        verify_weights(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
        # A classifier for speech recognition may be part of it.
        state = {k: x for k, x in state.items() if not k.startswith("aux.")}
        shapes = _shapes(state)
    except FileNotFoundError:
        raise DataError(path, "no such file") from None
    except DAMAGES as error:
        what = str(error).strip().partition("\n")[0]
        raise DataError(path, f"not torchaudio weights: {what}") from None
    models = import_torchaudio("torchaudio.models")
    for name in PUBLISHED:
        with torch.device("meta"):
            model = getattr(models, name)()
        if _shapes(model.state_dict()) == shapes:
            # True of all that torchaudio publishes.
            normalize = model.encoder.transformer.layers[0].layer_norm_first
            options = {"ssl": name, "ssl_options": None, "ssl_normalize": normalize}
            return SslCheckpoint(options, state)
    known = ", ".join(PUBLISHED)
    raise DataError(
        path,
        f"the sizes of its {len(state)} tensors match none of {known}",
        hint="a folder from transformers states its sizes, so any will do",
    )


def _shapes(state: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Map names to shapes."""
    return {
        name: tuple(tensor.shape)
        for name, tensor in state.items()
        if not name.startswith(POSITIONS)
    }


def _read_json(path: Path) -> dict[str, Any]:
    """Read a configuration."""
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError:
        raise DataError(
            path, "no such file", hint="the folder that save_pretrained wrote"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(path, f"not a configuration: {error}") from None
