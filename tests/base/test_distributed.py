import numpy as np
import pytest
import torch

from asdkit.base import distributed


@pytest.fixture(autouse=True)
def no_launcher(monkeypatch):
    names = ("RANK", "WORLD_SIZE", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS")
    for name in names:
        monkeypatch.delenv(name, raising=False)


def test_alone_a_process_has_everything():
    assert (distributed.rank(), distributed.num_ranks()) == (0, 1)
    assert list(distributed.share([1, 2, 3])) == [1, 2, 3]
    x = torch.ones(2)
    assert distributed.all_reduce(x) is x
    counts = np.ones(2, np.int64)
    assert distributed.sum_ranks(counts) is counts


def test_shares_are_disjoint_and_complete(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    seen = []
    for rank in range(3):
        monkeypatch.setenv("RANK", str(rank))
        seen += distributed.share(list(range(10)))
    assert sorted(seen) == list(range(10))


def test_srun_numbers_its_tasks(monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    monkeypatch.setenv("SLURM_PROCID", "2")
    assert (distributed.rank(), distributed.num_ranks()) == (2, 4)


def test_a_batch_script_without_srun_is_one_process(monkeypatch):
    """SLURM_NTASKS is set there too; waiting for the others would hang."""
    monkeypatch.setenv("SLURM_NTASKS", "8")
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert distributed.num_ranks() == 1


@pytest.mark.parametrize(
    ("nodes", "first"),
    [("a", "a"), ("a1,b2", "a1"), ("n[03-05,9],m", "n03"), ("n[7,8]", "n7")],
)
def test_rank_0_lives_on_the_first_host(monkeypatch, nodes, first):
    monkeypatch.setenv("SLURM_STEP_NODELIST", nodes)
    assert distributed._first_host() == first


def test_jobs_and_steps_on_one_host_meet_at_ports_of_their_own(monkeypatch):
    """Steps of a job that run at the same time used to meet at one port."""
    ports = set()
    for job in range(4000, 4100):
        for step in range(9):
            monkeypatch.setenv("SLURM_JOB_ID", f"{job}")
            monkeypatch.setenv("SLURM_STEP_ID", f"{step}")
            ports.add(int(distributed._port()))
    assert len(ports) == 900
    assert min(ports) >= 20000
    assert max(ports) < 32768


@pytest.mark.parametrize(("visible", "chosen"), [(1, "cuda:0"), (4, "cuda:3")])
def test_a_rank_takes_its_gpu_of_those_it_may_see(monkeypatch, visible, chosen):
    """Slurm shows a task its own GPU only, under the number 0."""
    taken = []
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    monkeypatch.setenv("SLURM_PROCID", "3")
    monkeypatch.setenv("SLURM_LOCALID", "3")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: visible)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(
        torch.distributed, "init_process_group", lambda *args, **more: None
    )
    distributed.join()
    assert taken == [chosen]


def test_numbers_are_gathered_in_the_order_of_their_keys():
    parts = [(["c", "a"], np.array([3.0, 1.0])), (["d"], np.array([1 / 3]))]
    found = distributed.gather(["a", "b", "c", "d"], parts)
    assert list(found.items()) == [("a", 1.0), ("c", 3.0), ("d", 1 / 3)]
