import pytest
import torch

from asdkit.batches.batches import Batch
from asdkit.training.microbatches import split, to_device


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


def test_what_a_batch_does_not_have_its_parts_do_not_have(batch):
    assert all(part.teacher_feats is None for part, _, _ in split(batch, 2))
    heard = batch._replace(teacher_feats=torch.arange(5.0))
    parts = [part.teacher_feats for part, _, _ in split(heard, 2)]
    assert [x.tolist() for x in parts] == [[0, 1], [2, 3, 4]]
    assert to_device(heard, "meta").teacher_feats.device.type == "meta"


def test_lengths_stay_on_the_cpu(batch):
    moved = to_device(batch, "meta")
    assert moved.feats.device.type == moved.labels.device.type == "meta"
    assert moved.num_frames.device.type == "cpu"
    assert moved.utts == batch.utts
