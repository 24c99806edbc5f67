"""Cost of a run: time, memory and energy.

Energy is estimated from seconds of CPU and GPU and stated powers.  If codecarbon is
installed, its figure is used: for the whole machine of rank 0, whatever else runs
there.  That is a measurement where the machine has energy counters; elsewhere, as in
most virtual machines, codecarbon looks up a nominal power, which is less accurate than
the seconds.
"""

from __future__ import annotations

import logging
import re
import resource
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

from asdkit.base.distributed import all_reduce, is_main, num_ranks
from asdkit.base.ranges import NonNegative, Positive, Range

logger = logging.getLogger(__name__)

# What the kernel has counted of a processor, for those who may read it.
COUNTER = Path("/sys/class/powercap/intel-rapl:0/energy_uj")
# On Linux getrusage's ru_maxrss may be that of the process which started this one.
STATUS = Path("/proc/self/status")
# It is in bytes on macOS and in KiB elsewhere.
RSS_PER_MB = 1e6 if sys.platform == "darwin" else 1e6 / 1024


@dataclass(frozen=True)
class Power:
    """Constants that turn seconds into energy, and energy into a footprint.

    Args:
        core_watt: power of a busy CPU core in watts.
        gpu_watt: power of a GPU in use, busy or not, in watts.
        pue: power usage effectiveness: energy of the building per energy of the
            machine.
        grid_intensity: carbon intensity of the grid in kg of CO2 equivalent per kWh.

    Source: L. Lannelongue et al., "Green Algorithms", Advanced Science 8, 2021, for the
    formula, an average core (12 W) and the world's average grid (0.475); NVIDIA's data
    sheet of the V100 SXM2 for a GPU; E. Strubell et al., "Energy and policy
    considerations for deep learning in NLP", ACL 2019, who take a PUE of 1.58.
    """

    core_watt: Positive = 12.0
    gpu_watt: Positive = 300.0
    pue: Annotated[float, Range(least=1)] = 1.0
    grid_intensity: NonNegative = 0.475

    def energy_wh(self, cpu_sec: float, gpu_sec: float = 0.0) -> float:
        """Estimate the energy of so many seconds, in Wh."""
        joules = self.core_watt * cpu_sec + self.gpu_watt * gpu_sec
        return self.pue * joules / 3600

    def co2e_g(self, energy_wh: float) -> float:
        """Return the grams of CO2 equivalent that so many Wh stand for."""
        return self.grid_intensity * energy_wh


class Meter:
    """Measure from here until `stop`."""

    def __init__(self) -> None:
        self._tracker: Any = None
        self._begin = time.perf_counter()
        self._cpu_begin = _cpu_sec()

    def watch_power(self) -> None:
        """Start codecarbon, if installed, which takes a second."""
        if is_main():
            self._tracker = _start_codecarbon()

    def end(self) -> None:
        """Stop codecarbon, whose threads would go on after a run that has failed."""
        _stop_codecarbon(self._tracker)
        self._tracker = None

    def stop(self) -> dict[str, float | int | None]:
        """Return the cost of this run, once; every rank must call it, and gets the sum.

        Returns:
            ``wall_sec``; ``cpu_sec``, finished worker processes included; ``gpu_sec``,
            wall time of ranks that used a GPU; ``peak_mb`` and ``gpu_peak_mb``, the
            most memory that each rank had, summed; ``energy_wh`` of codecarbon, None
            without it; ``energy_counted``, whether that is a measurement;
            ``num_ranks``.
        """
        wall_sec = time.perf_counter() - self._begin
        gpu_peak_mb = _gpu_peak_mb()
        values = {
            "cpu_sec": _cpu_sec() - self._cpu_begin,
            "gpu_sec": 0.0 if gpu_peak_mb is None else wall_sec,
            "peak_mb": _peak_mb(),
            "gpu_peak_mb": gpu_peak_mb or 0.0,
        }
        if num_ranks() > 1:
            import torch

            sums = all_reduce(torch.tensor([*values.values()], dtype=torch.float64))
            values = dict(zip(values, sums.tolist(), strict=True))
        tracker, self._tracker = self._tracker, None
        return {
            "wall_sec": wall_sec,
            **values,
            "energy_wh": _stop_codecarbon(tracker),
            "energy_counted": tracker is not None and counts_energy(),
            "num_ranks": num_ranks(),
        }


def counts_energy() -> bool:
    """Tell whether the processor's energy counters exist and are readable."""
    try:
        return COUNTER.read_text() != ""
    except OSError:
        return False


def _cpu_sec() -> float:
    """CPU seconds of this process and of its children that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)  # user, system


def _peak_mb() -> float:
    """Peak resident memory of this process."""
    if STATUS.exists():
        (peak,) = re.findall(r"^VmHWM:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
        return 1024 * int(peak) / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / RSS_PER_MB


def _gpu_peak_mb() -> float | None:
    """Peak GPU memory of this process; None if it used none."""
    torch: Any = sys.modules.get("torch")  # who has not imported it used no GPU
    if torch is None or not torch.cuda.is_initialized():
        return None
    return float(torch.cuda.max_memory_allocated() / 1e6)


def _start_codecarbon() -> Any:
    """Let codecarbon watch the machine; None where it is not installed."""
    if find_spec("codecarbon") is None:
        return None
    from codecarbon import OfflineEmissionsTracker

    logging.getLogger("codecarbon").setLevel("ERROR")  # log_level comes too late
    tracker = OfflineEmissionsTracker(
        country_iso_code="USA",  # of its footprint, which is not used
        save_to_file=False,
        allow_multiple_runs=True,
        log_level="error",
    )
    tracker.start()
    return tracker


def _stop_codecarbon(tracker: Any) -> float | None:
    """Return the Wh that codecarbon found; None without it, or if it failed."""
    if tracker is None:
        return None
    tracker.stop()
    found = getattr(tracker, "final_emissions_data", None)
    if found is None:  # it logs its errors; the run's results are worth more
        logger.warning("run cost: codecarbon found no energy")
        return None
    return float(1000 * found.energy_consumed)
