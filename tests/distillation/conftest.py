"""A student, its loss, and teachers that differ from it in all that can differ."""

import numpy as np
import pytest
import torch
from torch import nn

from asdkit.batches.batches import Batch
from asdkit.distillation.teachers import NetworkTeacher, VectorTeacher
from asdkit.losses import registry
from asdkit.nnet.network import Network
from asdkit.nnet.pooling import Pooling

CLASSES = ["anne", "bob", "cleo"]
THEIRS = ["dan", "cleo", "anne", "bob"]  # another order, and one more


class Mean(Network):
    """A linear layer on the mean of the frames, and batch normalization."""

    def __init__(self, feat_dim=4, embedding_dim=5):
        super().__init__(feat_dim, embedding_dim)
        self.norm = nn.BatchNorm1d(feat_dim)
        self.pool = Pooling("tap", feat_dim)
        self.linear = nn.Linear(feat_dim, embedding_dim)

    def embed(self, x, num_frames):
        return self.linear(self.pool(self.norm(x), num_frames))


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture
def batch(rng):
    feats = torch.from_numpy(rng.normal(size=(6, 7, 4)).astype(np.float32))
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    return Batch(list("abcdef"), feats, torch.full((6,), 7), labels)


@pytest.fixture
def student():
    return Mean()


@pytest.fixture
def make_loss():
    """Build a loss for the student."""
    return lambda name="aam_softmax", **options: registry.build(name, 5, 3, **options)


@pytest.fixture
def make_network_teacher():
    """Build a teacher of embeddings of 6 dimensions."""

    def make(name="aam_softmax", classes=CLASSES, theirs=THEIRS, feat_dim=4):
        options = {"loss": {"name": name}, "classes": theirs}
        network = Mean(feat_dim, embedding_dim=6)
        loss = registry.build(name, 6, len(theirs))
        return NetworkTeacher(network, loss, options, classes)

    return make


@pytest.fixture
def vectors(rng):
    """Vectors of 6 dimensions, in another order than the batch's, with precisions."""
    utts = list("zfedcba")
    return VectorTeacher(utts, rng.normal(size=(7, 6)), np.exp(rng.normal(size=(7, 6))))


@pytest.fixture
def speakers():
    """Name the speakers of the batch's utterances."""
    return {utt: CLASSES[k] for utt, k in zip("abcdef", [0, 1, 2] * 2, strict=True)}
