import numpy as np
import pytest

from asdkit import __main__ as command
from asdkit.countermeasures.tandem import TandemFusion
from asdkit.io.store import load_model
from asdkit.io.trials import read_scores


@pytest.fixture(autouse=True)
def parts(tmp_path, monkeypatch, rng):
    """Trials, ASV scores and CM scores of two parts."""
    monkeypatch.chdir(tmp_path)
    keys = ["target", "nontarget", "spoof"] * 100
    for part in ("dev", "eval"):
        trials = [f"s{i % 9} {part}{i} {k}" for i, k in enumerate(keys)]
        asv = rng.normal(size=300) + [4 * (k != "nontarget") for k in keys]
        cm = rng.normal(size=300) + [4 * (k != "spoof") for k in keys]
        files = {
            "trials": trials,
            "asv": [f"s{i % 9} {part}{i} {v:.5f}" for i, v in enumerate(asv)],
            "cm": [f"{part}{i} {v:.5f}" for i, v in enumerate(cm)],
        }
        for name, lines in files.items():
            (tmp_path / f"{part}_{name}").write_text("".join(x + "\n" for x in lines))


INPUTS = ["dev_trials", "dev_asv", "dev_cm", "eval_trials", "eval_asv", "eval_cm"]


def test_the_fusion_is_better_than_both_and_applies_again(capsys):
    assert command.main(["tandem-fuse", *INPUTS, "exp/sasv"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    sasv_eer = {row[0]: float(row[2]) for row in rows[1:4]}
    assert list(sasv_eer) == ["eval_asv", "eval_cm", "exp/sasv/eval_scores"]
    assert min(sasv_eer, key=sasv_eer.get) == "exp/sasv/eval_scores"
    assert "min t-DCF(2021)" in " ".join(rows[5])

    fusion = load_model("exp/sasv/fusion.npz", TandemFusion)
    asv = np.loadtxt("eval_asv", usecols=2)
    cm = np.loadtxt("eval_cm", usecols=1)
    found = read_scores("exp/sasv/eval_scores").values
    np.testing.assert_allclose(found, fusion.score(asv, cm), rtol=1e-6)


def test_nothing_is_learned_from_eval(tmp_path):
    command.main(["tandem-fuse", *INPUTS, "exp/one"])
    rows = [line.split() for line in (tmp_path / "eval_cm").read_text().splitlines()]
    other = zip(rows, rows[::-1], strict=True)
    (tmp_path / "eval_cm").write_text("".join(f"{a[0]} {b[1]}\n" for a, b in other))
    command.main(["tandem-fuse", *INPUTS, "exp/two"])
    one, two = (
        vars(load_model(f"exp/{name}/fusion.npz", TandemFusion))
        for name in ("one", "two")
    )
    for name in ("asv_", "cm_", "rho_"):
        np.testing.assert_array_equal(one[name], two[name])


@pytest.mark.parametrize("form", ["linear", "nonlinear"])
def test_both_forms(form):
    arguments = ["--form", form, *INPUTS, "exp/sasv"]
    assert command.main(["tandem-fuse", *arguments]) == 0
    assert load_model("exp/sasv/fusion.npz", TandemFusion).form == form


@pytest.mark.parametrize("missing", INPUTS)
def test_a_missing_input_is_named_and_nothing_is_written(tmp_path, capsys, missing):
    (tmp_path / missing).unlink()
    assert command.main(["tandem-fuse", *INPUTS, "exp/sasv"]) == 1
    assert f"error: {missing}: " in capsys.readouterr().err
    assert not (tmp_path / "exp").exists()


def test_eval_scores_of_another_system_are_refused(tmp_path, capsys):
    rows = [line.split() for line in (tmp_path / "eval_cm").read_text().splitlines()]
    lines = (f"{utt} {100 * float(x):.4f}\n" for utt, x in rows)
    (tmp_path / "eval_cm").write_text("".join(lines))
    assert command.main(["tandem-fuse", *INPUTS, "exp/sasv"]) == 1
    error = capsys.readouterr().err
    assert "tandem: eval_cm: " in error
    assert "hint: dev and eval must be scored by the same ASV system and" in error
    assert not (tmp_path / "exp").exists()


def test_asv_scores_that_do_not_fit_their_trials_are_warned_of(tmp_path, capsys):
    rows = [line.split() for line in (tmp_path / "dev_asv").read_text().splitlines()]
    lines = (f"{spk} {utt} {-float(x):.4f}\n" for spk, utt, x in rows)
    (tmp_path / "dev_asv").write_text("".join(lines))
    command.main(["tandem-fuse", *INPUTS, "exp/sasv"])
    assert "WARNING" in (error := capsys.readouterr().err)
    assert "dev_asv: EER 9" in error or "dev_asv: EER 100" in error
