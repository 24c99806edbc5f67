"""Learning the classes of frames."""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from asdkit.base.errors import AsdkitError
from asdkit.losses.frame_objective import FrameLabels, reduce_labels
from asdkit.losses.registry import build
from asdkit.nnet import registry


class Batch(NamedTuple):
    utts: list[str]
    feats: Tensor
    num_frames: Tensor
    labels: Tensor
    teacher_feats: Tensor | None = None
    frame_labels: Tensor | None = None


def test_a_frame_has_the_class_of_most_that_it_stands_for():
    labels = torch.tensor([[1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0]])
    assert reduce_labels(labels, 4).tolist() == [[1, 0, 0]]
    assert reduce_labels(labels, 1).tolist() == labels.tolist()
    assert reduce_labels(labels, 5).tolist() == [[1, 1, 0]]
    assert reduce_labels(labels[:, :8], 7).tolist() == [[0, 1]]  # the last is alone


def test_frames_without_labels_are_refused():
    network = registry.build("senet9", channels=2, feat_dim=8)
    loss = build("cross_entropy", embedding_dim=16, num_classes=2)
    batch = Batch(["a"], torch.zeros(1, 16, 8), torch.tensor([16]), torch.tensor([0]))
    with pytest.raises(AsdkitError, match="no utterance is partially spoofed"):
        FrameLabels(loss)(network, batch)


@pytest.mark.parametrize("name", ["senet9", "lcnn"])
def test_a_network_learns_which_frames_are_spoofed(name):
    """Spoofed stretches have more in half of the bins."""
    torch.manual_seed(0)
    options = {"channels": 4, "feat_dim": 32, "embedding_dim": 8}
    options |= {"dropout": 0.0} if name == "lcnn" else {}
    network = registry.build(name, **options)
    loss = build("cross_entropy", embedding_dim=8, num_classes=2)
    objective = FrameLabels(loss)
    params = [*network.parameters(), *objective.parameters()]
    optimizer = torch.optim.Adam(params, lr=0.02)

    def draw():
        labels = torch.ones(8, 128, dtype=torch.int64)
        for row in labels:
            start = int(torch.randint(64, ()))
            row[start : start + 48] = 0
        feats = torch.randn(8, 128, 32)
        feats[..., :16] += 2.0 * (labels == 0)[..., None]
        lengths = torch.full((8,), 128)
        return Batch([], feats, lengths, torch.zeros(8), None, labels)

    for _ in range(30):
        optimizer.zero_grad()
        objective(network, draw())["loss"].backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        batch = draw()
        embeddings, _ = network.embed_frames(batch.feats, batch.num_frames)
        right = reduce_labels(batch.frame_labels, network.frame_stride)
        said = (loss.scores(embeddings.flatten(0, 1)) > 0).long()
    assert (said == right.flatten()).float().mean() > 0.85
