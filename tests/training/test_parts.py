import pytest
import torch

from asdkit.data.batches import Batch
from asdkit.training.parts import split, to_device


@pytest.fixture
def batch():
    feats = torch.arange(5.0)[:, None, None].expand(5, 3, 2)
    return Batch(list("abcde"), feats, torch.full((5,), 3), torch.arange(5))


def test_parts_are_a_partition_and_their_shares_add_up(batch):
    parts = list(split(batch, 3))
    assert [part.utts for part, _, _ in parts] == [["a"], ["b", "c"], ["d", "e"]]
    assert [share for _, share, _ in parts] == [0.2, 0.4, 0.4]
    assert [is_last for _, _, is_last in parts] == [False, False, True]
    assert torch.equal(torch.cat([part.labels for part, _, _ in parts]), batch.labels)
    assert torch.equal(torch.cat([part.feats for part, _, _ in parts]), batch.feats)


def test_one_part_is_the_batch_itself(batch):
    ((part, share, is_last),) = split(batch, 1)
    assert part is batch
    assert (share, is_last) == (1.0, True)


def test_lengths_stay_on_the_cpu(batch):
    moved = to_device(batch, "meta")
    assert moved.feats.device.type == moved.labels.device.type == "meta"
    assert moved.num_frames.device.type == "cpu"
    assert moved.utts == batch.utts
