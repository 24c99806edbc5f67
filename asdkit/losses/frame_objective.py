"""Frame-level training of countermeasures on partially spoofed utterances."""

from __future__ import annotations

from typing import Protocol, cast

import torch.nn.functional as F
from torch import Tensor, nn

from asdkit.base.errors import AsdkitError
from asdkit.losses.objective import LabeledBatch, Labels


class FrameEmbedder(Protocol):
    """See `asdkit.nnet.network.Network.embed_frames`."""

    frame_stride: int

    def embed_frames(
        self, feats: Tensor, num_frames: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """(N, T, D) features -> (N, T', E) embeddings, and how many are real."""


class FrameLabels(Labels):
    """Tell bona fide from spoofed frames with the loss for utterances.

    The network embeds frames as `asdkit.nnet.network.Network.embed_frames` says, fewer
    than the features have; each has the class of most of the frames that it stands for,
    and spoof if these are half of them.

    Args:
        loss: takes (N, E) embeddings and (N,) labels.
        margin_start: share of the training before the loss's margin starts to grow.
        margin_stop: share of the training after which the loss's margin is at its full
            value.
    """

    def forward(self, network: nn.Module, batch: LabeledBatch) -> dict[str, Tensor]:
        """Embed (N, T, D) features frame by frame, and classify each: () loss.

        Raises:
            AsdkitError: the batch has no frame labels.
        """
        if batch.frame_labels is None:
            raise AsdkitError(
                "no utterance is partially spoofed, so frame labels add nothing",
                hint="make some with asdkit spoof-splice, or use --objective labels",
            )
        embedder = cast(FrameEmbedder, network)
        embeddings, _ = embedder.embed_frames(batch.feats, batch.num_frames)
        labels = reduce_labels(batch.frame_labels, embedder.frame_stride)
        labels = labels[:, : embeddings.shape[1]]  # (N, T')
        return {"loss": self.loss(embeddings.flatten(0, 1), labels.flatten())}


def reduce_labels(labels: Tensor, stride: int) -> Tensor:
    """(N, T) labels 0 and 1 -> (N, T') of most frames in each stride, of the last too.

    A network that rounds down has none for what is left behind its last whole stride.
    """
    pooled = F.avg_pool1d(labels.float(), stride, ceil_mode=True)
    return (pooled > 0.5).long()
