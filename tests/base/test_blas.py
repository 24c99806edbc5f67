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
