"""Cost of a graph on one thread: size, speed, memory."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from asdkit.inference.detectors import NetworkCountermeasure
from asdkit.inference.graph_models import Networked
from asdkit.io.tables import PathName
from asdkit.nnet.complexity import num_macs, num_parameters

SECONDS = 3
# In a process of its own, so that the peak is that of the graph: before it is opened,
# and after it has run.
MEASURE = """
import json, resource, sys, time
import numpy as np, onnxruntime as ort
path, num_samples = sys.argv[1], int(sys.argv[2])
def peak():
    # Not what Linux calls maxrss, in which the process that started this one lives on.
    try:
        lines = open("/proc/self/status").read().splitlines()
        return next(float(x.split()[1]) for x in lines if x[:6] == "VmHWM:") / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
options = ort.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
options.log_severity_level = 3
start = time.perf_counter()
session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
opened = time.perf_counter() - start
x = np.random.default_rng(0).normal(0, 0.1, (1, num_samples)).astype("float32")
times = []
for _ in range(5):
    start = time.perf_counter()
    session.run(None, {"samples": x})
    times.append(time.perf_counter() - start)
latency = sorted(times)[2]
found = {"open_sec": opened, "latency_sec": latency, "peak_mb": peak() - before}
print(json.dumps(found))
"""


def measure(model: Networked, path: PathName, num_bytes: int) -> dict[str, Any]:
    """Measure a graph of samples on one thread of this machine.

    Args:
        model: whose graph it is.
        path: the graph's file.
        num_bytes: its size.

    Returns:
        MB, parameters, MACs of the network for `SECONDS`, latency and real-time factor
        for as much speech, MB of memory beyond that of Python and ONNX Runtime.
    """
    is_cm = isinstance(model, NetworkCountermeasure)
    network = (
        model.cm.network
        if isinstance(model, NetworkCountermeasure)
        else (model.network)
    )
    rate = model.front_end.sampling_rate
    frames = round(SECONDS / model.front_end.shift_sec)
    if isinstance(model, NetworkCountermeasure) and model.cm.crop != "whole":
        frames = model.cm.chunk_frames
    words = [sys.executable, "-c", MEASURE, str(path), str(SECONDS * rate)]
    # This Python, and the text above.
    done = subprocess.run(  # noqa: S603
        words, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    return {
        "kind": "countermeasure" if is_cm else "speaker",
        "size_mb": num_bytes / 1e6,
        "parameters": num_parameters(network),
        "macs": num_macs(network, frames),
        "speech_sec": SECONDS,
        "latency_sec": found["latency_sec"],
        "real_time_factor": found["latency_sec"] / SECONDS,
        "open_sec": found["open_sec"],
        "peak_mb": found["peak_mb"],
    }
