"""Common interface of all networks: a batch in, embeddings out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from asdkit.base.errors import AsdkitError
from asdkit.nnet.padding import zero_padding
from asdkit.nnet.pooling import Pooling


class Network(nn.Module):
    """Map a padded batch of features to one embedding per utterance.

    A network implements `embed` and inherits the checks and the treatment of
    lengths; see `asdkit.nnet.padding` for what holds in a padded batch.

    Args:
        feat_dim: D, dimension of the features.
        embedding_dim: E.

    Attributes:
        min_frames: the shortest utterance that has an embedding.
        frame_stride: frames that each of those stands for that `frames` gives.
        channels_last: whether it trains faster on a CPU in this memory format; batch
            normalization is then exact to 1e-5, in float32.
    """

    min_frames = 1
    frame_stride = 1
    channels_last = False

    def __init__(self, feat_dim: int, embedding_dim: int) -> None:
        super().__init__()
        self.feat_dim = feat_dim
        self.embedding_dim = embedding_dim

    def forward(self, feats: Tensor, num_frames: Tensor | None = None) -> Tensor:
        """Compute embeddings.

        Args:
            feats: (N, T, D) features; beyond an utterance's end, anything finite.
            num_frames: (N,) number of real frames, None for all; best kept on the CPU,
                as reading it from a GPU costs a synchronization.

        Returns:
            (N, E) embeddings, not length-normalized.

        Raises:
            ValueError: the shapes do not fit the network or each other, or an
                utterance is shorter than ``min_frames``.
        """
        num_frames = self._real_frames(feats, num_frames)
        x = zero_padding(feats.transpose(1, 2), num_frames)  # (N, D, T)
        return self.embed(x, num_frames)

    def embed(self, x: Tensor, num_frames: Tensor | None) -> Tensor:
        """Compute embeddings of a batch that has been checked.

        Args:
            x: (N, D, T) features, zero beyond an utterance's end.
            num_frames: (N,) on the device of x; None where nothing is padding.

        Returns:
            (N, E) embeddings.
        """
        raise NotImplementedError

    @classmethod
    def require_samples(cls, feat_dim: int) -> None:
        """Raise an AsdkitError unless features are samples."""
        if feat_dim != 1:
            raise AsdkitError(
                f"{cls.__name__} takes samples, got features of {feat_dim} numbers",
                hint="--features waveform",
            )

    def embed_frames(
        self, feats: Tensor, num_frames: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Embed single frames as if each were a constant utterance.

        Where pooling is a mean, an utterance's embedding is that of its frames, so
        what a loss has learned of utterances it knows of frames, too.

        Args:
            feats: (N, T, D), as for `forward`.
            num_frames: (N,), as for `forward`.

        Returns:
            (N, T', E) embeddings, and (N,) how many of the T' are real, on the CPU.

        Raises:
            ValueError: as `forward` does.
            AsdkitError: the network has no frames of its own before a pooling, or
                pools more than their mean.
        """
        lengths = self._real_frames(feats, num_frames)
        maps, lengths = self.frames(
            zero_padding(feats.transpose(1, 2), lengths), lengths
        )
        pool, output = self.pool, self.output
        assert isinstance(pool, Pooling)
        assert isinstance(output, nn.Module)
        if pool.with_std:
            raise AsdkitError(
                "frames have no standard deviation, which this network pools",
                hint="--pooling tap, or sap",
            )
        num_utts, _, num_maps = maps.shape
        if lengths is None:
            lengths = torch.full((num_utts,), num_maps)
        return output(maps.mT), lengths.cpu()  # (N, T', E)

    def frames(
        self, x: Tensor, num_frames: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Compute the map before pooling, where only pooling precedes `output`.

        Args:
            x: (N, D, T), as for `embed`.
            num_frames: (N,), as for `embed`.

        Returns:
            (N, C, T') map, and how many of the T' are real, None for all.

        Raises:
            AsdkitError: the network is not of that kind.
        """
        raise AsdkitError(
            f"{type(self).__name__} does not embed single frames",
            hint="senet, ecanet, lcnn and resnet networks do",
        )

    def _real_frames(self, feats: Tensor, num_frames: Tensor | None) -> Tensor | None:
        """Check the batch; return its lengths, None where nothing is padding."""
        shape = tuple(feats.shape)
        if len(shape) != 3 or shape[2] != self.feat_dim:
            raise ValueError(
                f"expected feats (N, T, {self.feat_dim}), got {shape}; "
                f"the network was built with feat_dim={self.feat_dim}"
            )
        num_utts, longest, _ = shape
        shortest = longest
        if num_frames is not None:
            if num_frames.shape != (num_utts,):
                raise ValueError(
                    f"expected num_frames ({num_utts},), got {tuple(num_frames.shape)}"
                )
            shortest = int(num_frames.min())
            if int(num_frames.max()) > longest:
                raise ValueError(
                    f"feats have {longest} frames, num_frames says {num_frames.max()}"
                )
        if shortest < self.min_frames:
            raise ValueError(
                f"{type(self).__name__} needs {self.min_frames} frames or more, "
                f"got an utterance of {shortest}"
            )
        if num_frames is None or shortest == longest:
            return None
        return num_frames.to(feats.device)
