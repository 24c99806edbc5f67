"""Self-supervised encoders of waveforms: layer means, and an ECAPA-TDNN on top.

The encoders are torchaudio's; `asdkit.models.ssl_checkpoints` reads their weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from asdkit.base.packages import require
from asdkit.base.ranges import Count
from asdkit.nnet.ecapa_tdnn import BlockInput, EcapaTdnn
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


def import_torchaudio(name: str) -> ModuleType:
    """Import a module of torchaudio, which only self-supervised encoders need.

    Args:
        name: of the module, e.g. torchaudio.models.

    Raises:
        AsdkitError: torchaudio is not installed, or was not built for this torch.
    """
    cure = (
        "self-supervised encoders need it; asdkit doctor names the version of "
        f"torchaudio that works with torch {torch.__version__}"
    )
    require("torchaudio", cure)  # so that what fails has this name
    return require(name, cure)


class SslEncoder(nn.Module):
    """WavLM, wav2vec 2.0 or HuBERT: samples to the outputs of all layers.

    Args:
        model: one of `PUBLISHED` or `GENERAL`.
        options: options of the torchaudio function that builds the model.
        normalize: normalize every utterance to mean 0 and variance 1 first, as most
            large models expect and few small ones.
        trained: train the encoder; otherwise its weights and mode stay fixed.

    Attributes:
        model: torchaudio's module.
        dim: C of every layer.
        min_samples: of an utterance with two frames.

    Raises:
        ValueError: there is no such model.
        AsdkitError: see `import_torchaudio`.
    """

    def __init__(
        self,
        model: str,
        options: Mapping[str, Any] | None = None,
        normalize: bool = False,
        trained: bool = False,
    ) -> None:
        super().__init__()
        if model not in PUBLISHED + GENERAL:
            known = ", ".join(PUBLISHED + GENERAL)
            raise ValueError(f"expected one of {known}; got {model!r}")
        models = import_torchaudio("torchaudio.models")
        self.model = getattr(models, model)(**(options or {}))
        self.normalize = normalize
        self.trained = trained
        self.model.requires_grad_(trained)
        self.dim = self._transformer.pos_conv_embed.embed_dim
        self.min_samples = 2  # frames, then what each layer of convolutions needs
        for layer in reversed(self.model.feature_extractor.conv_layers):
            self.min_samples = (self.min_samples - 1) * layer.stride + layer.kernel_size
        self.train()

    @property
    def num_layers(self) -> int:
        """Number of outputs, including the input of the first transformer layer."""
        return 1 + len(self._transformer.layers)

    @property
    def _transformer(self) -> Any:
        return self.model.encoder.transformer

    def drop_layers(self, num_layers: int) -> None:
        """Keep so many outputs; the layers above are neither run nor counted.

        Raises:
            ValueError: there are not so many, or none would be left.
        """
        if not 1 <= num_layers <= self.num_layers:
            problem = f"expected 1 to {self.num_layers} layers, got {num_layers}"
            raise ValueError(problem)
        del self._transformer.layers[num_layers - 1 :]

    def train(self, mode: bool = True) -> SslEncoder:
        """Change the mode, but never to training if the weights are frozen."""
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
        # What this gives, the first layer sees, if there is one.
        hook = self._transformer.dropout.register_forward_hook(
            lambda _module, _inputs, output: seen.append(output)
        )
        try:
            with torch.set_grad_enabled(self.trained and torch.is_grad_enabled()):
                outputs, _ = self.model.extract_features(samples)
        finally:
            hook.remove()
        return seen + outputs


class SslMeans(Network):
    """Means over time of an encoder's layers, one layer after another.

    Utterances of different lengths go through the encoder one by one, as in `SslEcapa`.

    Args:
        encoder: frozen encoder; its layers above the highest of ``layers`` are removed.
        layers: layers to use, 0 for the input of the first transformer layer; None for
            all.

    Raises:
        ValueError: there is no such layer, or one comes twice.
    """

    def __init__(
        self, encoder: SslEncoder, layers: Sequence[int] | None = None
    ) -> None:
        self.layers = tuple(range(encoder.num_layers) if layers is None else layers)
        wrong = set(self.layers) - set(range(encoder.num_layers))
        if wrong or not self.layers or len(set(self.layers)) < len(self.layers):
            known = f"distinct layers from 0 to {encoder.num_layers - 1}"
            raise ValueError(f"expected {known}, got {self.layers}")
        super().__init__(1, len(self.layers) * encoder.dim)
        encoder.drop_layers(1 + max(self.layers))
        self.ssl = encoder
        self.min_frames = encoder.min_samples

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """(N, 1, L) -> (N, E)."""
        samples = x[:, 0]
        if num_frames is None:
            return self._means(samples)
        pairs = zip(samples, num_frames.tolist(), strict=True)
        return torch.cat([self._means(one[None, :length]) for one, length in pairs])

    def _means(self, samples: Tensor) -> Tensor:
        """(N, L) -> (N, E)."""
        outputs = self.ssl(samples)  # (N, T, C) each
        return torch.cat([outputs[layer].mean(dim=1) for layer in self.layers], dim=1)


class SslEcapa(Network):
    """A learned mixture of an encoder's layers, followed by a small ECAPA-TDNN.

    Utterances of different lengths go through the encoder one by one, because some
    encoders normalize over all of an utterance, padding included.

    Args:
        ssl: kind of encoder, as in `SslEncoder`.
        ssl_options: options of the encoder.
        ssl_normalize: normalize every utterance to mean 0 and variance 1 before the
            encoder.
        ssl_trained: train the self-supervised encoder, too.
        channels: channels of the ECAPA-TDNN's blocks.
        pooled_channels: channels of the last layer before pooling.
        pooling: pooling over time: mean (tap), mean and standard deviation (stats), or
            their attentive versions (sap, asp); attention without the utterance's
            statistics.
        block_input: input of the ECAPA-TDNN's blocks: the sum of all before it, as in
            its paper (sum), or the one before it alone, as in UniSpeech (previous).
        feat_dim: 1: samples (D).
        embedding_dim: embedding dimension.

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
        block_input: BlockInput = "sum",
        feat_dim: Count = 1,
        embedding_dim: Count = 256,
    ) -> None:
        super().__init__(feat_dim, embedding_dim)
        self.require_samples(feat_dim)
        self.ssl = SslEncoder(ssl, ssl_options, ssl_normalize, ssl_trained)
        self.mixture = nn.Parameter(torch.zeros(self.ssl.num_layers))
        self.head = EcapaTdnn(
            channels,
            pooled_channels,
            pooling,
            context=False,
            block_input=block_input,
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
    """Normalize every channel of an utterance to mean 0 and variance 1 over its frames.

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
