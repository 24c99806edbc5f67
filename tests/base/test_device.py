import pytest
import torch

from asdkit.base.device import choose_device
from asdkit.base.errors import AsdkitError


def test_auto_takes_the_cpu_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == "cpu"
    with pytest.raises(AsdkitError, match="torch sees no GPU"):
        choose_device("cuda")


def test_every_rank_takes_its_own_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert choose_device() == "cuda:1"
    assert choose_device("cpu") == "cpu"
