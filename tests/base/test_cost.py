import json
import os
import subprocess
import sys
import time
import types

import pytest

from asdkit.__main__ import main
from asdkit.base import cost
from asdkit.base.cost import Meter, Power


def test_energy_is_power_times_time_and_the_building():
    power = Power(core_watt=10, gpu_watt=300, pue=1.5, grid_intensity=0.4)
    assert power.energy_wh(3600) == pytest.approx(15)
    assert power.energy_wh(0, 1800) == pytest.approx(225)
    assert power.co2e_g(1000) == pytest.approx(400)


def test_sleep_costs_time_and_work_costs_cpu_seconds():
    meter = Meter()
    time.sleep(0.2)
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    found = meter.stop()
    assert found["cpu_sec"] == pytest.approx(0.2, abs=0.1)
    assert found["wall_sec"] >= found["cpu_sec"] + 0.1
    assert (found["gpu_sec"], found["energy_wh"], found["num_ranks"]) == (0, None, 1)


def test_what_child_processes_computed_counts_when_they_have_ended():
    meter = Meter()
    code = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert meter.stop()["cpu_sec"] >= 0.5


def test_memory_is_the_most_that_ever_was():
    code = (
        "from asdkit.base.cost import Meter\n"
        "meter = Meter(); block = b'x' * 300_000_000; del block\n"
        "print(meter.stop()['peak_mb'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 300 < float(done.stdout) < 500


def test_codecarbon_has_the_word_where_it_is_installed(monkeypatch, tmp_path):
    class Tracker:
        def __init__(self, **options):
            self.final_emissions_data = None

        def start(self):
            self.began = True

        def stop(self):
            assert self.began
            data = types.SimpleNamespace(energy_consumed=0.002)
            self.final_emissions_data = data

    module = types.ModuleType("codecarbon")
    module.OfflineEmissionsTracker = Tracker
    monkeypatch.setitem(sys.modules, "codecarbon", module)
    monkeypatch.setattr(cost, "find_spec", lambda name: name)
    monkeypatch.setattr(cost, "COUNTER", tmp_path / "energy_uj")
    for counted in (False, True):
        meter = Meter()
        meter.watch_power()
        found = meter.stop()
        assert found["energy_wh"] == pytest.approx(2)
        assert found["energy_counted"] is counted
        cost.COUNTER.write_text("123456\n")


def test_a_run_outlives_codecarbon_s_failure(monkeypatch, caplog):
    """Seen when the package was taken away during a training of five minutes."""

    class Broken:
        def stop(self):
            """Log an error, as codecarbon does, and find nothing."""

    meter = Meter()
    meter._tracker = Broken()
    assert meter.stop()["energy_wh"] is None
    assert "codecarbon found no energy" in caplog.text


@pytest.mark.slow
def test_ranks_add_up_what_they_cost(tmp_path):
    code = (
        "import json, sys, time\n"
        "from asdkit.base import cost\n"
        "from asdkit.base.distributed import join, leave, rank\n"
        "join()\n"
        "meter = cost.Meter()\n"
        "end = time.process_time() + 0.5 + rank()\n"
        "while time.process_time() < end: pass\n"
        "json.dump(meter.stop(), open(f'{rank()}.json', 'w'))\n"
        "leave()\n"
    )
    (tmp_path / "two.py").write_text(code)
    launcher = "-m torch.distributed.run --standalone --nproc-per-node 2 two.py"
    done = subprocess.run(
        [sys.executable, *launcher.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"{r}.json").read_text()) for r in (0, 1))
    assert first["num_ranks"] == 2
    assert 2 <= first["cpu_sec"] < 4
    assert first["cpu_sec"] == second["cpu_sec"]
    assert first["peak_mb"] == second["peak_mb"]


class Counted:
    """codecarbon's tracker, counting how often it is stopped."""

    final_emissions_data = types.SimpleNamespace(energy_consumed=0.001)

    def __init__(self):
        self.stops = 0

    def stop(self):
        self.stops += 1


def test_codecarbon_is_stopped_once():
    meter, tracker = Meter(), Counted()
    meter._tracker = tracker
    meter.stop()
    meter.end()
    assert tracker.stops == 1


def test_codecarbon_does_not_outlive_a_run_that_fails(monkeypatch, tmp_path):
    """Its threads would go on: thousands of them in the process of all tests."""
    tracker = Counted()
    monkeypatch.setattr(cost, "_start_codecarbon", lambda: tracker)
    assert main(["backend-train", "nope", "scp:nope", str(tmp_path / "x.npz")]) == 1
    assert tracker.stops == 1
