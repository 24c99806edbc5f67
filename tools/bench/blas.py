"""Time NumPy's matrix products with and without the launcher's setting: row H2.

    python tools/bench/blas.py

`asdkit.base.blas.choose_kernels` lets OpenBLAS use AVX-512 on AMD processors that have
it.  Child processes with and without it alternate; each multiplies on one thread, and
CPU time counts.  On other processors there is nothing to compare.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

from asdkit.base.blas import choose_kernels

SHAPES = {
    "square, 1024": (1024, 1024, 1024),
    "diagonal scores of 512 frames": (512, 145, 2048),
    "N @ U of 128 utterances": (128, 2048, 20_000),
}


def multiply() -> None:
    """Print the Gflop/s of every shape, float32 then float64."""
    import numpy as np

    rng = np.random.default_rng(0)
    for m, k, n in SHAPES.values():
        for dtype in (np.float32, np.float64):
            a = rng.standard_normal((m, k)).astype(dtype)
            b = rng.standard_normal((k, n)).astype(dtype)
            out = np.empty((m, n), dtype)
            flops = 2 * m * k * n
            repeats = max(2, int(1e10 / flops))
            np.matmul(a, b, out=out)
            best = 0.0
            for _ in range(3):
                start = time.process_time()
                for _ in range(repeats):
                    np.matmul(a, b, out=out)
                seconds = time.process_time() - start
                best = max(best, flops * repeats / seconds / 1e9)
            print(best)


def run(core_type: str | None) -> list[float]:
    """Multiply in a child process with or without OPENBLAS_CORETYPE."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment.pop("OPENBLAS_CORETYPE", None)
    if core_type:
        environment["OPENBLAS_CORETYPE"] = core_type
    command = [sys.executable, __file__, "--child"]
    answer = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    )
    return [float(line) for line in answer.stdout.split()]


def main() -> None:
    """Print a line per shape."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        multiply()
        return
    os.environ.pop("OPENBLAS_CORETYPE", None)
    choose_kernels()
    chosen = os.environ.get("OPENBLAS_CORETYPE")
    if chosen is None:
        print("H2: the launcher changes nothing on this processor")
        return
    rounds = [(run(chosen), run(None)) for _ in range(args.rounds)]
    print(f"H2: Gflop/s on one core, OPENBLAS_CORETYPE={chosen} beside none")
    names = [f"{name}, {kind}" for name in SHAPES for kind in ("float32", "float64")]
    for i, name in enumerate(names):
        with_it, without = (
            statistics.median(pair[side][i] for pair in rounds) for side in (0, 1)
        )
        ratio = statistics.median(pair[0][i] / pair[1][i] for pair in rounds)
        print(f"{name:40}{with_it:8.0f}{without:8.0f}  {ratio:.2f}x")


if __name__ == "__main__":
    main()
