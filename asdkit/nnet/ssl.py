"""Self-supervised encoders of waveforms, and ECAPA-TDNN on top of them.

The encoders are torchaudio's; `asdkit.data.ssl` reads their weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from asdkit.base.errors import AsdkitError
from asdkit.base.ranges import Count
from asdkit.nnet.ecapa_tdnn import EcapaTdnn
from asdkit.nnet.network import Network
from asdkit.nnet.padding import mean_over_time, zero_padding
from asdkit.nnet.pooling import PoolingName

# Functions of torchaudio.models: published sizes; then those that take every size.
PUBLISHED = (
    *("wavlm_base", "wavlm_large", "hubert_base", "hubert_large", "hubert_xlarge"),
    *("wav2vec2_base", "wav2vec2_large", "wav2vec2_large_lv60k"),
    *("wav2vec2_xlsr_300m", "wav2vec2_xlsr_1b", "wav2vec2_xlsr_2b"),
)
GENERAL = ("wavlm_model", "wav2vec2_model")


class SslEncoder(nn.Module):
    """WavLM, wav2vec 2.0 or HuBERT: from samples to the outputs of all layers.

    Args:
        model: one of `PUBLISHED` or `GENERAL`.
        options: of that function of torchaudio's.
        normalize: whether an utterance is brought to mean 0 and variance 1 first, as
            most large models want it and few small ones.
        trained: whether it is trained; else its weights and its mode stay.

    Attributes:
        model: torchaudio's module.
        dim: C of every layer.
        num_layers: outputs, that of the convolutions among them.
        min_samples: of an utterance with two frames.

    Raises:
        ValueError: there is no such model.
    """

    def __init__(
        self,
        model: str,
        options: Mapping[str, Any] | None = None,
        normalize: bool = False,
        trained: bool = False,
    ) -> None:
        from torchaudio import models

        super().__init__()
        if model not in PUBLISHED + GENERAL:
            known = ", ".join(PUBLISHED + GENERAL)
            raise ValueError(f"expected one of {known}; got {model!r}")
        self.model = getattr(models, model)(**(options or {}))
        self.normalize = normalize
        self.trained = trained
        self.model.requires_grad_(trained)
        transformer = self.model.encoder.transformer
        self.dim = transformer.pos_conv_embed.embed_dim
        self.num_layers = 1 + len(transformer.layers)
        self.min_samples = 2  # frames, then what each layer of convolutions needs
        for layer in reversed(self.model.feature_extractor.conv_layers):
            self.min_samples = (self.min_samples - 1) * layer.stride + layer.kernel_size
        self.train()

    def train(self, mode: bool = True) -> SslEncoder:
        """Change the mode, but never to training if the weights stay."""
        return super().train(mode and self.trained)

    def forward(self, samples: Tensor) -> list[Tensor]:
        """Encode utterances of one length.

        Args:
            samples: (N, L), at 16 kHz.

        Returns:
            (N, T, C) what the first layer of the transformer sees, then the output of
            every layer, without a final normalization.
        """
        if self.normalize:
            samples = F.layer_norm(samples, samples.shape[1:])
        seen: list[Tensor] = []
        first = self.model.encoder.transformer.layers[0]
        hook = first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        try:
            with torch.set_grad_enabled(self.trained and torch.is_grad_enabled()):
                outputs, _ = self.model.extract_features(samples)
        finally:
            hook.remove()
        return seen + outputs


class SslEcapa(Network):
    """A learned mixture of an encoder's layers, and a small ECAPA-TDNN on it.

    Utterances of different lengths go through the encoder one by one, because some
    encoders normalize over all of an utterance, padding included.

    Args:
        ssl: see `SslEncoder`, as for the next three.
        ssl_options: of that encoder.
        ssl_normalize: of the waveform.
        ssl_trained: together with the rest, or not at all.
        channels: see `EcapaTdnn`, as for the next two.
        pooled_channels: of the layer that is pooled.
        pooling: attention does not see the utterance's statistics here.
        feat_dim: D; 1, samples.
        embedding_dim: E.

    Source: Microsoft, UniSpeech, downstreams/speaker_verification; Z. Chen et al.,
    "Large-scale self-supervised speech representation learning for automatic speaker
    verification", ICASSP 2022.
    """

    def __init__(
        self,
        ssl: str = "wavlm_large",
        ssl_options: dict[str, Any] | None = None,
        ssl_normalize: bool = True,
        ssl_trained: bool = False,
        channels: Count = 512,
        pooled_channels: Count = 1536,
        pooling: PoolingName = "asp",
        feat_dim: Count = 1,
        embedding_dim: Count = 256,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        if feat_dim != 1:
            raise AsdkitError(
                f"SslEcapa takes samples, got features of {feat_dim} numbers",
                hint="--features waveform",
            )
        self.ssl = SslEncoder(ssl, ssl_options, ssl_normalize, ssl_trained)
        self.mixture = nn.Parameter(torch.zeros(self.ssl.num_layers))
        self.head = EcapaTdnn(
            channels,
            pooled_channels,
            pooling,
            context=False,
            feat_dim=self.ssl.dim,
            embedding_dim=embedding_dim,
        )
        self.min_frames = self.ssl.min_samples

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, 1, L) -> (N, E)."""
        samples = x[:, 0]
        if num_frames is None:
            x = self._mix(samples)  # (N, T, C)
        else:
            lengths = num_frames.tolist()
            parts = [
                self._mix(one[None, :length])[0]
                for one, length in zip(samples, lengths, strict=True)
            ]
            num_frames = torch.tensor([len(part) for part in parts], device=x.device)
            x = pad_sequence(parts, batch_first=True)  # (N, T, C)
        x = instance_norm(x.transpose(1, 2), num_frames)  # (N, C, T)
        return self.head.embed(x, num_frames)

    def _mix(self, samples: Tensor) -> Tensor:
        """(N, L) -> (N, T, C), the weighted mean of all layers."""
        weights = self.mixture.softmax(dim=0)
        layers = self.ssl(samples)
        mixed = weights[0] * layers[0]
        for weight, layer in zip(weights[1:], layers[1:], strict=True):
            mixed = mixed + weight * layer
        return mixed


def instance_norm(x: Tensor, num_frames: Tensor | None, eps: float = 1e-5) -> Tensor:
    """Bring every channel of an utterance to mean 0 and variance 1 over its frames.

    Args:
        x: (N, C, T), zero beyond an utterance's end.
        num_frames: (N,) how many of the T frames are real, None for all.
        eps: added to the variance.

    Returns:
        (N, C, T), zero beyond an utterance's end.
    """
    x = zero_padding(x - mean_over_time(x, num_frames)[..., None], num_frames)
    variance = mean_over_time(x.square(), num_frames)
    return x * (variance + eps).rsqrt()[..., None]
