import pytest

from asdkit.base.cost import Power
from asdkit.base.errors import DataError
from asdkit.io.costs import append_cost
from asdkit.report.costs import cost_table


@pytest.fixture
def exp(tmp_path, monkeypatch):
    """A network: trained on a GPU, extracted from twice, once with codecarbon."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net" / "test").mkdir(parents=True)

    def run(place, program, wall, cpu, gpu, peak, energy):
        figures = {"wall_sec": wall, "cpu_sec": cpu, "gpu_sec": gpu, "peak_mb": peak}
        append_cost(place, {"program": program, **figures, "energy_wh": energy})

    run("net", "nnet-train", 60, 3600, 60, 800, None)
    run("net/test", "nnet-extract", 10, 100, 0, 900, 2.5)
    run("net/test", "nnet-extract", 10, 1800, 0, 700, None)


def test_what_is_below_a_directory_adds_up(exp):
    power = Power(core_watt=10, gpu_watt=360, pue=1, grid_intensity=0.5)
    _, row, note = cost_table(["net"], power=power).splitlines()
    # 10 + 6 Wh, 2.5 Wh as measured, 5 Wh.
    assert row.split() == [
        "net",
        "3",
        "80.0",
        "5500.0",
        "60.0",
        "900",
        "23.5000",
        "11.7500",
    ]
    assert "energy of 1 of 3 runs measured by codecarbon" in note


def test_every_program_can_have_a_line(exp):
    _, train, extract, _ = cost_table(["net"], by_program=True).splitlines()
    assert train.split()[:4] == ["net", "nnet-train", "1", "60.0"]
    assert extract.split()[:4] == ["net", "nnet-extract", "2", "20.0"]


def test_a_directory_without_records_is_named(exp, tmp_path):
    with pytest.raises(DataError, match=r"empty: expected costs\.jsonl in it or below"):
        cost_table(["empty"])
