"""Time a training step of two threads on an idle machine and beside busy processes.

    python tools/bench/contention.py                  resnet34, 16 x 200 frames
    python tools/bench/contention.py --rounds 5

Every figure is of a process of its own, since OpenMP reads how its threads wait when
it is loaded: spinning, its own choice; sleeping at once (OMP_WAIT_POLICY=PASSIVE); or
both, what asdkit chooses (`asdkit.base.threads`).  The ways alternate, round by round;
a ratio is the median of the rounds' ratios.  "busy" has a process per core beside it
that only counts, so that fair sharing alone would double the time.  Goals: at most 4
times as slow when busy, at most 5 % lost when idle.  Needs an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

from asdkit.base.threads import CHOSEN

WAYS: dict[str, dict[str, str]] = {
    "spinning": {},
    "sleeping": {"OMP_WAIT_POLICY": "PASSIVE"},
    "asdkit": CHOSEN,
}
STEP = """
import time, torch
from asdkit.losses.classification import AamSoftmax
from asdkit.nnet.registry import build
torch.set_num_threads({threads})
torch.manual_seed(0)
network = build({network!r}, feat_dim=80)
loss = AamSoftmax(network.embedding_dim, 100)
feats = torch.randn({size}, 200, 80)
labels = torch.randint(0, 100, ({size},))
optimizer = torch.optim.SGD([*network.parameters(), *loss.parameters()], lr=0.01)
times = []
for _ in range({steps} + 1):
    begin = time.perf_counter()
    optimizer.zero_grad()
    loss(network(feats), labels).backward()
    optimizer.step()
    times.append(time.perf_counter() - begin)
print(sorted(times[1:])[{steps} // 2])
"""
BUSY = "while True: pass"


def step_sec(code: str, policy: dict[str, str], num_busy: int) -> float:
    """Return the median seconds of a step, beside so many busy processes."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    env |= policy
    beside = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(num_busy)]
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, check=True, capture_output=True
        )
    finally:
        for process in beside:
            process.kill()
            process.wait()
    return float(done.stdout)


def main() -> None:
    """Print a table: how long a step takes, how it waits, and what is beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="resnet34")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    args = parser.parse_args()
    code = STEP.format(
        network=args.network,
        size=args.batch_size,
        steps=args.steps,
        threads=args.threads,
    )
    cores = os.cpu_count() or 1
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(args.rounds):
        for way, policy in WAYS.items():
            for where, num_busy in (("idle", 0), ("busy", cores)):
                sec = step_sec(code, policy, num_busy)
                found.setdefault((way, where), []).append(sec)
    print(f"{args.network}, {args.batch_size} x 200 frames, {args.threads} threads")
    print(f"{'way':10}{'idle s':>9}{'busy s':>9}{'busy/idle':>11}")
    for way in WAYS:
        idle, busy = found[way, "idle"], found[way, "busy"]
        slower = statistics.median(b / i for b, i in zip(busy, idle, strict=True))
        row = f"{statistics.median(idle):9.2f}{statistics.median(busy):9.2f}"
        print(f"{way:10}{row}{slower:11.2f}")
    for way in ("sleeping", "asdkit"):
        pairs = zip(found[way, "idle"], found["spinning", "idle"], strict=True)
        lost = statistics.median(ours / spinning for ours, spinning in pairs) - 1
        print(f"lost on an idle machine, {way}: {100 * lost:.1f} %")


if __name__ == "__main__":
    main()
