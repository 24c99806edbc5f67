import os
import subprocess
import sys

import pytest
import torch

from asdkit.base.threads import WAITING, let_threads_yield, one_thread, waiting


@pytest.fixture
def unset(monkeypatch):
    """No choice of the user's, and torch not loaded yet."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    for name in WAITING:
        monkeypatch.setenv(name, "")  # so that monkeypatch restores it
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("unset")
def test_threads_sleep_where_they_wait_long():
    assert waiting() == "OpenMP's own choice"
    let_threads_yield()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    assert waiting() == "OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=3000"


@pytest.mark.usefixtures("unset")
@pytest.mark.parametrize("name", WAITING)
def test_the_users_choice_stays(monkeypatch, name):
    monkeypatch.setenv(name, "7")
    let_threads_yield()
    assert waiting() == f"{name}=7"


def test_every_program_chooses_before_torch_is_loaded():
    """A subprocess, since here torch is loaded already."""
    code = (
        "import os, sys; from asdkit.__main__ import main; main(['model-info', 'x']);"
        "assert 'torch' not in sys.modules;"
        "assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE'"
    )
    env = {k: v for k, v in os.environ.items() if k not in WAITING}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_one_thread_is_for_a_while_and_each_call():
    @one_thread()
    def count(depth):
        return [torch.get_num_threads(), *(count(depth - 1) if depth else [])]

    assert count(1) == [1, 1]
    assert torch.get_num_threads() == 2
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert torch.get_num_threads() == 2
