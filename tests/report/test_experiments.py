"""Reports of directories: what is found, what is left out, how large it becomes."""

import shutil
from pathlib import Path

import pytest

from asdkit.base.errors import DataError
from asdkit.report.experiments import make_report


def test_a_report_of_twenty_systems_is_small(experiment):
    for n in range(20):
        experiment(f"system{n:02d}/seed0", 0.5 + 0.05 * n)
    page = make_report(["exp"], bootstrap=200)
    assert len(page.encode()) < 500_000
    assert page.count('<tr data-row="') == 20


def test_two_keys_are_two_parts(measured, experiment):
    lines = Path("data/test/trials").read_text().splitlines()
    Path("data/test/others").write_text("\n".join(lines[1:]) + "\n")
    from asdkit.__main__ import main

    scores = Path(measured[0]).read_text().splitlines()
    Path("exp/part").mkdir()
    Path("exp/part/scores").write_text("\n".join(scores[1:]) + "\n")
    assert main(["score-metrics", "data/test/others", "exp/part/scores"]) == 0
    page = make_report(["exp"], "Mine", bootstrap=0)
    assert "<title>Mine</title>" in page
    assert 'id="e0"' in page
    assert 'id="e1"' in page
    assert 'id="training"' in page
    assert 'id="provenance"' in page


def test_a_key_that_has_gone_leaves_its_part_out(measured):
    Path("data/test/trials").unlink()
    page = make_report(["exp"], bootstrap=0)
    assert "<p>data/test/trials: cannot read it" in page
    assert "e0-det-0" not in page
    shutil.rmtree("exp/bad")
    Path("exp/good/results.json").unlink()
    with pytest.raises(DataError, match="trials"):
        make_report(["exp"], bootstrap=0)


def test_a_directory_without_scores_is_one_line(tmp_path):
    with pytest.raises(DataError, match="expected scores whose trials are known"):
        make_report([tmp_path])
    with pytest.raises(DataError, match="expected a directory"):
        make_report([tmp_path / "absent"])


def test_an_experiment_may_move_with_its_data(measured, tmp_path):
    shutil.copytree(".", tmp_path.parent / "moved")
    shutil.rmtree("exp")
    page = make_report([tmp_path.parent / "moved/exp"], bootstrap=0)
    assert "<strong>good</strong> has the lowest EER" in page
