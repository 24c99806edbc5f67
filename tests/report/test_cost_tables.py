import pytest

from asdkit.base.errors import DataError
from asdkit.base.run_cost import Power
from asdkit.io.run_costs import append_run_cost
from asdkit.report.cost_tables import (
    cost_per_seed,
    is_training,
    run_cost_table,
    runs_below,
)

RUNS = [  # where, program, wall s, CPU s, GPU s, peak MB, codecarbon's Wh
    ("net", "nnet-train", 60, 3600, 60, 800, None),
    ("net/test", "nnet-extract", 10, 100, 0, 900, 2.5),
    ("net/test", "nnet-extract", 10, 1800, 0, 700, 4.0),
]
POWER = Power(core_watt=10, gpu_watt=360, pue=1, grid_intensity=0.5)


def write(counted):
    """A network: trained on a GPU, then extracted from twice while codecarbon ran."""
    for place, program, wall, cpu, gpu, peak, energy in RUNS:
        figures = {"wall_sec": wall, "cpu_sec": cpu, "gpu_sec": gpu, "peak_mb": peak}
        energies = {"energy_wh": energy, "energy_counted": counted}
        append_run_cost(place, {"program": program, **figures, **energies})


@pytest.fixture
def exp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net" / "test").mkdir(parents=True)
    return write


def test_what_is_below_a_directory_adds_up(exp):
    exp(counted=True)
    _, row, note = str(run_cost_table(["net"], power=POWER)).splitlines()
    # 10 + 6 Wh, 0.2778 Wh, 5 Wh: one run was not measured, so none is taken for it.
    sums = ["80.0", "5500.0", "60.0", "900", "21.2778", "10.6389", "-"]
    assert row.split() == ["net", "3", *sums]
    assert "estimated: 10 W x CPU s + 360 W x GPU s, PUE 1; 2 of 3 runs were" in note


@pytest.mark.parametrize("counted", [True, False])
def test_codecarbon_has_the_word_where_the_machine_counts(exp, counted):
    """Else it looks a power up, and what it says stands beside the estimate."""
    exp(counted)
    _, row, note = str(run_cost_table(["net/test"], power=POWER)).splitlines()
    energy = "6.5000" if counted else "5.2778"
    assert row.split()[6:] == [energy, f"{float(energy) / 2:.4f}", "6.5000"]
    assert note.startswith("(energy measured" if counted else "(energy estimated")


def test_every_program_can_have_a_line(exp):
    exp(counted=False)
    _, train, extract, _ = str(run_cost_table(["net"], by_program=True)).splitlines()
    assert train.split()[:4] == ["net", "nnet-train", "1", "60.0"]
    assert extract.split()[:4] == ["net", "nnet-extract", "2", "20.0"]


def test_a_directory_without_records_is_named(exp, tmp_path):
    with pytest.raises(DataError, match=r"empty: expected costs\.jsonl in it or below"):
        run_cost_table(["empty"])


def test_the_runs_of_all_seeds_are_averaged(exp):
    """As if the three runs were those of two seeds: by hand."""
    exp(counted=True)
    runs = runs_below("net")
    assert [is_training(run) for run in runs] == [True, False, False]
    cost = cost_per_seed(runs, 2, POWER)
    energy = (10 * 5500 + 360 * 60) / 3600 / 2
    assert cost == (1800, 950, 900, pytest.approx(energy))
    assert cost_per_seed(runs[1:], 2, POWER, measured=True).energy_wh == 3.25
