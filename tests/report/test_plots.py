"""Figures for papers: every kind in every format, the same from the same scores."""

import re
import sys
from pathlib import Path

import pytest

from asdkit.base.errors import AsdkitError, DataError
from asdkit.metrics.eer import eer
from asdkit.report.plots import plot_scores

STARTS = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}


@pytest.mark.parametrize(
    ("kind", "form"), [("det", "svg"), ("hist", "png"), ("calibration", "pdf")]
)
def test_kinds_and_formats(measured, kind, form):
    pytest.importorskip("matplotlib")
    plot_scores(kind, [f"mine={measured[0]}", measured[1]], f"plots/{kind}.{form}")
    assert Path(f"plots/{kind}.{form}").read_bytes().startswith(STARTS[form])


def test_the_legend_has_names_and_rates_and_a_second_run_the_same_file(found):
    pytest.importorskip("matplotlib")
    paths = [system.path for system in found.systems]
    names = [f"<best>={paths[0]}", paths[1]]
    for name in ("a.svg", "b.svg"):
        plot_scores("det", names, name, trials="data/test/trials")
    text = Path("a.svg").read_text()
    assert text == Path("b.svg").read_text()
    rate = 100 * eer(*found.two(found.systems[0].scores))
    assert f"&lt;best&gt; (EER {rate:.2f} %)" in text
    assert not re.search(r"\d{4}-\d\d-\d\dT", text)


def test_what_cannot_be_plotted_is_one_line(measured, tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"ends in .svg, .png, .pdf"):
        plot_scores("det", measured, "plot.gif")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(AsdkitError) as error:
        plot_scores("det", measured, "plot.svg")
    assert "asdkit[plot]" in f"{error.value} {error.value.hint}"


def test_scores_without_trials_ask_for_them(measured, tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "alone").mkdir()
    Path("alone/scores").write_bytes(Path(measured[0]).read_bytes())
    with pytest.raises(DataError, match="not known") as error:
        plot_scores("det", ["alone/scores"], "plot.svg")
    assert error.value.hint == "give --trials"
