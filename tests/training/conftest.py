"""Networks, batches and objectives small enough to train in a test."""

import socket

import numpy as np
import pytest
import torch
from torch import nn

from asdkit.batches.batches import Batch
from asdkit.losses.classification import AamSoftmax
from asdkit.losses.objective import Labels
from asdkit.nnet.network import Network
from asdkit.training.microbatches import cut

CLASSES, DIM, FRAMES = 4, 6, 20


class Plain(Network):
    """No batch normalization, so that parts of a batch and ranks make no difference."""

    def __init__(self, dropout=0.0, norm=False):
        super().__init__(feat_dim=DIM, embedding_dim=5)
        self.hidden = nn.Conv1d(DIM, 16, 3)
        self.norm = nn.BatchNorm1d(16) if norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(16, 5)

    def embed(self, x, num_frames):
        x = self.norm(self.hidden(x)).relu()
        return self.output(self.dropout(x).mean(dim=2))


class FakeBatches:
    """Speakers that differ in their mean; a batch is a function of the step."""

    def __init__(self, batch_size=8, steps_per_epoch=5, rank=0, ranks=1, at_step=None):
        self.batch_size = batch_size
        self.steps_per_epoch = steps_per_epoch
        self.mine = slice(rank, None, ranks)
        self.at_step = at_step or (lambda step, batch: batch)
        means = np.random.default_rng(7).normal(size=(CLASSES, DIM))
        self.means = torch.from_numpy(means.astype(np.float32))

    def from_step(self, step):
        while True:
            rng = np.random.default_rng((1, step))
            labels = torch.from_numpy(rng.integers(0, CLASSES, self.batch_size))
            noise = rng.normal(size=(self.batch_size, FRAMES, DIM)).astype(np.float32)
            utts = [f"utt{step}-{i}" for i in range(self.batch_size)]
            feats = torch.from_numpy(noise) + self.means[labels][:, None]
            lengths = torch.full((self.batch_size,), FRAMES)
            batch = Batch(utts, feats, lengths, labels)
            yield step, self.at_step(step, cut(batch, self.mine))
            step += 1


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_batches():
    return FakeBatches


@pytest.fixture
def make_model():
    """Give a network and an objective, the same ones every time."""

    def make(margin=0.2, **options):
        torch.manual_seed(3)
        return Plain(**options), Labels(AamSoftmax(5, CLASSES, 8.0, margin))

    return make


@pytest.fixture
def run_as_ranks(monkeypatch, run_forked):
    """Run a function as N ranks that can meet; it takes its rank."""

    def run(function, num_ranks):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            monkeypatch.setenv("MASTER_PORT", str(free.getsockname()[1]))
        monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
        monkeypatch.setenv("WORLD_SIZE", str(num_ranks))

        def as_rank(rank):
            monkeypatch.setenv("RANK", str(rank))
            function(rank)

        return run_forked(as_rank, [(rank,) for rank in range(num_ranks)])

    return run
