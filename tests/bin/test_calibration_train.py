"""calibration-train writes the calibration of least cost, or says why it cannot."""

import gzip

import numpy as np
import pytest
from scipy.optimize import minimize

from asdkit.__main__ import main
from asdkit.backends.calibration import Calibration
from asdkit.io.store import load_model
from asdkit.io.trials import read_scores, write_scores


@pytest.fixture
def scored(tmp_path, rng, monkeypatch):
    """The scores of two systems for 400 trials; returns (400, 2) and the key."""
    monkeypatch.chdir(tmp_path)
    pairs = [f"e{i} t{j}" for i in range(20) for j in range(20)]
    is_target = rng.random(len(pairs)) < 0.3
    keys = np.where(is_target, "target", "nontarget")
    scores = np.where(is_target, 1, -1)[:, None] + rng.normal(0, 2, (len(pairs), 2))
    write("trials", pairs, keys)
    for n, name in enumerate("ab"):
        write(name, pairs, [repr(float(x)) for x in scores[:, n]])
    return scores, is_target


def write(path, pairs, values):
    with open(path, "w") as stream:
        stream.writelines(f"{x} {v}\n" for x, v in zip(pairs, values, strict=True))


def test_llrs_have_the_least_cost_that_scipy_finds(scored):
    x, is_target = scored
    prior = 0.2
    train = ["calibration-train", "--p-target", f"{prior}", "trials", "a", "b", "m.npz"]
    assert main(train) == 0
    model = load_model("m.npz", Calibration)
    assert model.p_target == prior

    def cost(w):
        """Cross entropy in nats, each class with the weight of its prior."""
        log_odds = x @ w[:2] + w[2] + np.log(prior / (1 - prior))
        hits = np.logaddexp(0, -log_odds[is_target]).mean()
        return prior * hits + (1 - prior) * np.logaddexp(0, log_odds[~is_target]).mean()

    w = minimize(cost, np.zeros(3), tol=1e-10).x
    np.testing.assert_allclose(model.score(x), x @ w[:2] + w[2], atol=1e-4)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda lines: lines[1:], "1 of 400 pairs have no score in a"),
        (lambda lines: ["e0 t0 nan\n", *lines[1:]], "the score of 'e0 t0' is NaN"),
        (lambda lines: ["e0 t0\n", *lines[1:]], "a:1: expected"),
    ],
)
def test_scores_that_cannot_be_leave_no_model(scored, tmp_path, capsys, harm, message):
    with open("a") as stream:
        lines = stream.readlines()
    with open("a", "w") as stream:
        stream.writelines(harm(lines))
    assert main(["calibration-train", "trials", "a", "b", "m.npz"]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "m.npz").exists()


def test_trials_of_one_class_are_too_little(scored, tmp_path, capsys):
    with open("trials") as stream:
        lines = stream.read().replace("nontarget", "target")
    with open("trials", "w") as stream:
        stream.write(lines)
    assert main(["calibration-train", "trials", "a", "m.npz"]) == 1
    assert "nontarget" in capsys.readouterr().err
    assert not (tmp_path / "m.npz").exists()


def test_scores_of_any_form_give_the_same_model(scored):
    """Text, what gzip has packed, binary, and VoxSRC's order of columns."""
    found = read_scores("a")
    write_scores("a.npz", found, found.values)
    with open("a", "rb") as stream:
        data = stream.read()
    with open("a.gz", "wb") as stream:
        stream.write(gzip.compress(data))
    words = [line.split() for line in data.decode().splitlines()]
    with open("voxsrc", "w") as stream:
        stream.writelines(f"{s} {e} {t}\n" for e, t, s in words)
    models = []
    for name in ("a", "a.npz", "a.gz", "voxsrc"):
        assert main(["calibration-train", "trials", name, "model.npz"]) == 0
        model = load_model("model.npz", Calibration)
        models.append([*model.weights_, model.offset_])
    np.testing.assert_array_equal(models, [models[0]] * 4)
