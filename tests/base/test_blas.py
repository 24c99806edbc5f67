import os
import sys

import pytest
import torch

from asdkit.base.blas import add_matmul, choose_kernels, matmul

AMD = "vendor_id : AuthenticAMD\nflags : fpu avx512f avx512dq avx512bw avx512vl\n"
INTEL = AMD.replace("AuthenticAMD", "GenuineIntel")
OLD = "vendor_id : AuthenticAMD\nflags : fpu avx2\n"


@pytest.mark.parametrize(
    ("cpuinfo", "chosen"), [(AMD, "SKYLAKEX"), (INTEL, None), (OLD, None)]
)
def test_only_amd_with_avx512_is_told(monkeypatch, tmp_path, cpuinfo, chosen):
    monkeypatch.delitem(sys.modules, "numpy")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "")
    monkeypatch.delenv("OPENBLAS_CORETYPE")
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    choose_kernels(tmp_path / "cpuinfo")
    assert os.environ.get("OPENBLAS_CORETYPE") == chosen


@pytest.mark.parametrize(
    ("variable", "threads"),
    [(None, "1"), ("OPENBLAS_NUM_THREADS", "2"), ("OMP_NUM_THREADS", None)],
)
def test_one_thread_unless_told(monkeypatch, tmp_path, variable, threads):
    monkeypatch.delitem(sys.modules, "numpy")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "")  # so that monkeypatch restores it
        monkeypatch.delenv(name)
    if variable:
        monkeypatch.setenv(variable, "2")
    choose_kernels(tmp_path / "missing")
    assert os.environ.get("OPENBLAS_NUM_THREADS") == threads


def test_the_users_choice_stays(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "numpy")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "HASWELL")
    (tmp_path / "cpuinfo").write_text(AMD)
    choose_kernels(tmp_path / "cpuinfo")
    assert os.environ["OPENBLAS_CORETYPE"] == "HASWELL"


def test_products_equal_torch(rng):
    a, b = (torch.from_numpy(rng.standard_normal((n, n))) for n in (5, 5))
    torch.testing.assert_close(matmul(a, b), a @ b)
    out = torch.empty(5, 5, dtype=a.dtype)
    assert matmul(a, b.T, out=out) is out
    torch.testing.assert_close(out, a @ b.T)


def test_add_matmul_accumulates_into_a_wider_type(rng):
    a = torch.from_numpy(rng.standard_normal((4, 3))).float()
    out = torch.ones(4, 4, dtype=torch.float64)
    add_matmul(out, a, a.T)
    torch.testing.assert_close(out, 1 + (a @ a.T).double())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("turned", ["", "a", "b", "ab"])
@pytest.mark.parametrize("shape", [(5, 7, 4), (1, 7, 4), (5, 1, 4), (5, 7, 1)])
def test_add_matmul_adds_in_place_however_the_factors_lie(rng, dtype, turned, shape):
    m, k, n = shape
    a, b = (
        torch.from_numpy(rng.standard_normal(size)).to(dtype)
        for size in ((m, k), (k, n))
    )
    a, b = (
        x.mT.contiguous().mT if name in turned else x
        for name, x in (("a", a), ("b", b))
    )
    out = torch.ones(m, n, dtype=dtype)
    assert add_matmul(out, a, b) is out
    torch.testing.assert_close(out, 1 + a @ b)
