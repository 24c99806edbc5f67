"""Matrix products at the speed of the processor.

The BLAS inside torch (MKL) does not use AVX-512 on AMD chips, and has no option for it;
the one inside numpy (OpenBLAS) does, older versions if told so before numpy is
imported.  That doubles the speed (tools/bench/blas.py).  So the large products of float
tensors on the CPU go through numpy, which shares the tensors' memory; on a GPU they
stay in torch.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

AVX512 = {"avx512f", "avx512dq", "avx512bw", "avx512vl"}


def choose_kernels(cpuinfo: Path = Path("/proc/cpuinfo")) -> None:
    """Set OpenBLAS to AVX-512 on AMD processors that have it, and one thread.

    The threads of a small product wait for each other longer than they compute: on
    two busy cores a UBM took over 100 times as long with two as with one.  Ranks use
    the other cores.  Does nothing where the user has chosen (OPENBLAS_CORETYPE,
    OPENBLAS_NUM_THREADS or OMP_NUM_THREADS is set), or once numpy is loaded, when it
    would be too late.
    """
    if "numpy" in sys.modules:
        return
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if "OPENBLAS_CORETYPE" in os.environ:
        return
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    info = {name.strip(): value for name, value in fields.items()}
    is_amd = "AuthenticAMD" in info.get("vendor_id", "")
    if is_amd and set(info.get("flags", "").split()) >= AVX512:
        os.environ["OPENBLAS_CORETYPE"] = "SKYLAKEX"


def matmul(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """Multiply two matrices, on the CPU through numpy's BLAS.

    Args:
        a: (M, K) of the same dtype and on the same device as b.
        b: (K, N).
        out: (M, N) contiguous, overwritten; None allocates.

    Returns:
        (M, N) a @ b.
    """
    import numpy as np
    import torch

    if a.device.type != "cpu":
        return torch.matmul(a, b, out=out)
    if out is None:
        return torch.from_numpy(a.numpy() @ b.numpy())
    np.matmul(a.numpy(), b.numpy(), out=out.numpy())
    return out


def add_matmul(out: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Add a @ b to ``out`` in place: ``out += a @ b``.

    Args:
        out: (M, N) contiguous accumulator; of a wider dtype than a and b, it takes
            memory for the product, too.
        a: (M, K).
        b: (K, N).

    Returns:
        ``out``.
    """
    if out.dtype != a.dtype:
        return out.add_(matmul(a, b))
    if out.device.type != "cpu":
        return out.addmm_(a, b)
    from scipy.linalg.blas import get_blas_funcs

    # BLAS adds by columns, so it is told out' += b' a', and which of the two it
    # finds transposed in memory.
    total, left, right = out.numpy().T, b.numpy().T, a.numpy().T
    (gemm,) = get_blas_funcs(("gemm",), (total,))
    turned = [not x.flags.f_contiguous for x in (left, right)]
    left, right = (
        x.T if turn else x for x, turn in zip((left, right), turned, strict=True)
    )
    gemm(1.0, left, right, 1.0, total, *turned, overwrite_c=True)
    return out
