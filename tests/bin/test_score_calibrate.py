"""calibration-train, score-calibrate and score-fuse, files in and out."""

import numpy as np
import pytest

from asdkit import __main__ as command
from asdkit.backends.calibration import Calibration
from asdkit.io.ark import ArkWriter
from asdkit.io.store import load_model
from asdkit.io.trials import read_scores, read_trials
from asdkit.metrics.cllr import cllr, min_cllr

NUM_ENROLL, NUM_TEST = 20, 30


@pytest.fixture
def world(tmp_path, rng):
    """Trials; the scores of two systems; a duration of every utterance."""
    pairs = [(f"e{i}", f"t{j}") for i in range(NUM_ENROLL) for j in range(NUM_TEST)]
    is_target = rng.random(len(pairs)) < 0.3
    keys = np.where(is_target, "target", "nontarget")
    write(tmp_path / "trials", pairs, keys)
    for name in "ab":
        llr = np.where(is_target, 1.5, -1.5) + np.sqrt(3) * rng.normal(size=len(pairs))
        write(tmp_path / name, pairs, 5 * llr + 40)
    ids = [f"e{i}" for i in range(NUM_ENROLL)] + [f"t{j}" for j in range(NUM_TEST)]
    seconds = rng.uniform(1, 20, len(ids))
    write(tmp_path / "utt2dur", [(name,) for name in ids], seconds)
    return tmp_path


def write(path, pairs, values):
    lines = (f"{' '.join(pair)} {v}\n" for pair, v in zip(pairs, values, strict=True))
    path.write_text("".join(lines))


@pytest.fixture
def run(world, capsys):
    """Run a program on files of the world; return the exit code and the messages."""

    def run(program, *arguments):
        known = [a if a.startswith("--") else str(world / a) for a in arguments]
        code = command.main([program, *known])
        return code, capsys.readouterr().err

    return run


def classes(world, name):
    trials, scores = read_trials(world / "trials"), read_scores(world / name).values
    return scores[trials.is_target], scores[~trials.is_target]


def test_calibration_lowers_cllr_to_what_is_left(run, world):
    assert run("calibration-train", "trials", "a", "model.npz")[0] == 0
    code, err = run("score-calibrate", "model.npz", "a", "llrs")
    assert code == 0
    assert "600 llrs" in err
    before, after = classes(world, "a"), classes(world, "llrs")
    assert cllr(*after) < 0.05 + min_cllr(*after) < cllr(*before)
    assert min_cllr(*after) == pytest.approx(min_cllr(*before), abs=1e-6)


def test_fusion_is_better_than_either_system(run, world):
    for systems in ("a", "b", "ab"):
        model = f"{systems}.npz"
        assert run("calibration-train", "trials", *systems, model)[0] == 0
        program = "score-fuse" if len(systems) > 1 else "score-calibrate"
        assert run(program, model, *systems, f"{systems}.llrs")[0] == 0
    of = {systems: cllr(*classes(world, f"{systems}.llrs")) for systems in ("a", "b")}
    assert cllr(*classes(world, "ab.llrs")) < 0.8 * min(of.values())


def test_lines_of_a_system_may_come_in_any_order(run, world, rng):
    assert run("calibration-train", "trials", "a", "b", "model.npz")[0] == 0
    assert run("score-fuse", "model.npz", "a", "b", "one")[0] == 0
    lines = (world / "b").read_text().splitlines(keepends=True)
    (world / "b").write_text("".join(rng.permutation(lines)))
    assert run("score-fuse", "model.npz", "a", "b", "two")[0] == 0
    assert (world / "one").read_text() == (world / "two").read_text()


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (slice(2, None), "a: 2 of 600 pairs have no score in"),
        (slice(None), "b: 1 of 601 pairs have no trial in"),
    ],
)
def test_systems_must_score_the_same_trials(run, world, kept, message):
    assert run("calibration-train", "trials", "a", "b", "model.npz")[0] == 0
    lines = (world / "b").read_text().splitlines(keepends=True)[kept]
    lines += ["e0 stranger 3\n"] if len(lines) == 600 else []
    (world / "b").write_text("".join(lines))
    code, err = run("score-fuse", "model.npz", "a", "b", "llrs")
    assert code == 1
    assert message in err
    assert ("'e0 t0', 'e0 t1'" if "no score" in message else "'e0 stranger'") in err
    assert not (world / "llrs").exists()


def test_quality_measures_are_two_columns_each(run, world, rng):
    seconds = dict(
        line.split() for line in (world / "utt2dur").read_text().splitlines()
    )
    with ArkWriter(world, "x") as writer:
        for utt in seconds:
            writer[utt] = rng.normal(size=3)
    (world / "means").write_text((world / "utt2dur").read_text())
    magnitude = ["--magnitude", "x.scp"]
    measures = ["--duration", "utt2dur", *magnitude, "--cohort-mean", "means"]
    assert run("calibration-train", *measures, "trials", "a", "model.npz")[0] == 0
    model = load_model(world / "model.npz", Calibration)
    assert model.measures == ["duration", "magnitude", "cohort_mean"]
    assert model.weights_.shape == (7,)
    assert run("score-calibrate", *measures, "model.npz", "a", "llrs")[0] == 0
    scores, llrs = (read_scores(world / name) for name in ("a", "llrs"))
    lengths = np.log([float(seconds["e0"]), float(seconds["t0"])])
    sizes = [np.linalg.norm(dict(_vectors(world))[utt]) for utt in ("e0", "t0")]
    means = [float(seconds[utt]) for utt in ("e0", "t0")]
    quality = np.concatenate([np.sort(pair) for pair in (lengths, sizes, means)])
    expected = model.score(np.concatenate([scores.values[:1], quality])[None])
    np.testing.assert_allclose(llrs.values[0], expected[0], rtol=1e-5)


def _vectors(world):
    from asdkit.io.ark import read_arrays

    return read_arrays(f"scp:{world}/x.scp")


def test_a_model_has_the_mean_measure_of_its_utterances(run, world):
    lines = (world / "utt2dur").read_text().splitlines()
    seconds = {utt: float(value) for utt, value in map(str.split, lines)}
    plain = "".join(f"{utt} {seconds[utt]!r}\n" for utt in seconds)
    del seconds["e0"]
    (world / "utt2dur").write_text(plain.replace(plain.splitlines()[0], "e0 4"))
    train = ["calibration-train", "--duration", "utt2dur", "trials", "a", "model.npz"]
    assert run(*train)[0] == 0
    apply = ["score-calibrate", "--duration", "utt2dur"]
    assert run(*apply, "model.npz", "a", "one")[0] == 0
    table = {**seconds, "x": 3.0, "y": 5.0}
    (world / "utt2dur").write_text("".join(f"{u} {v!r}\n" for u, v in table.items()))
    (world / "spk2utt").write_text("e0 x y\n")
    models = ["--enroll-spk2utt", "spk2utt"]
    assert run(*apply, *models, "model.npz", "a", "two")[0] == 0
    assert (world / "one").read_text() == (world / "two").read_text()


def test_other_measures_or_systems_than_in_training_are_refused(run, world):
    train = ["calibration-train", "--duration", "utt2dur", "trials", "a", "b"]
    assert run(*train, "model.npz")[0] == 0
    code, err = run("score-fuse", "model.npz", "a", "b", "llrs")
    assert code == 1
    assert "expected the quality measures it was trained on, duration; got none" in err
    code, err = run("score-calibrate", "model.npz", "a", "llrs")
    assert code == 1
    assert "expected scores of 2 systems, got 1" in err
    assert "score-fuse for several" in err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("e0 long", "'e0': expected a duration > 0, got 'long'"),
        ("e0 0", "'e0': expected a duration > 0, got '0'"),
        ("e0 nan", "'e0': expected a duration > 0, got 'nan'"),
        ("other 3", "nothing for 'e0', which"),
    ],
)
def test_bad_durations_are_named(run, world, line, message):
    lines = (world / "utt2dur").read_text().splitlines()[1:]
    (world / "utt2dur").write_text("\n".join([line, *lines]) + "\n")
    train = ["calibration-train", "--duration", "utt2dur", "trials", "a", "model.npz"]
    code, err = run(*train)
    assert code == 1
    assert message in err
    assert not (world / "model.npz").exists()


@pytest.mark.parametrize(
    ("score", "message"), [("inf", "is infinite"), ("nan", "is NaN")]
)
def test_scores_that_are_not_finite_are_refused(run, world, score, message):
    lines = (world / "a").read_text().splitlines()[1:]
    (world / "a").write_text("\n".join([f"e0 t0 {score}", *lines]) + "\n")
    code, err = run("calibration-train", "trials", "a", "model.npz")
    assert code == 1
    assert f"the score of 'e0 t0' {message}" in err


def test_one_class_is_too_little(run, world):
    text = (world / "trials").read_text().replace(" target", " nontarget")
    (world / "trials").write_text(text)
    code, err = run("calibration-train", "trials", "a", "model.npz")
    assert code == 1
    assert "expected target and nontarget trials, got 0 target" in err


def test_separable_trials_are_refused_with_a_cure(run, world):
    (world / "trials").write_text("e t1 target\ne t2 nontarget\n")
    (world / "a").write_text("e t1 2\ne t2 1\n")
    code, err = run("calibration-train", "trials", "a", "model.npz")
    assert code == 1
    assert "hint: train on more trials, or on harder ones, or with --ridge" in err
    assert (
        command.main(
            ["calibration-train", "--ridge", "1e-4"]
            + [str(world / name) for name in ("trials", "a", "model.npz")]
        )
        == 0
    )


def test_scores_of_another_system_are_refused(run, world):
    """A calibration of scores around 40 is none of cosines."""
    assert run("calibration-train", "trials", "a", "model.npz")[0] == 0
    trials, scores = read_trials(world / "trials"), read_scores(world / "a")
    pairs = [trials.name(row).split() for row in range(len(trials))]
    write(world / "cosines", pairs, (scores.values - 40) / 400)
    code, err = run("score-calibrate", "model.npz", "cosines", "llrs")
    assert code == 1
    assert "model.npz: " in err
    assert "cosines: nine in ten lie within" in err
    assert not (world / "llrs").exists()


def test_systems_in_another_order_are_refused_if_it_shows(run, world):
    trials, scores = read_trials(world / "trials"), read_scores(world / "b")
    pairs = [trials.name(row).split() for row in range(len(trials))]
    write(world / "b", pairs, (scores.values - 40) / 1000)
    assert run("calibration-train", "trials", "a", "b", "model.npz")[0] == 0
    assert run("score-fuse", "model.npz", "a", "b", "llrs")[0] == 0
    code, err = run("score-fuse", "model.npz", "b", "a", "swapped")
    assert code == 1
    assert "hint: give the systems, in their order, that calibration-train" in err


def test_durations_in_another_unit_are_warned_of(run, world):
    dur = ["--duration", str(world / "utt2dur")]
    assert run("calibration-train", *dur, "trials", "a", "model.npz")[0] == 0
    lines = (world / "utt2dur").read_text().splitlines()
    frames = [f"{u} {100 * float(d):.0f}\n" for u, d in map(str.split, lines)]
    (world / "frames").write_text("".join(frames))
    dur[1] = str(world / "frames")
    code, err = run("score-calibrate", *dur, "model.npz", "a", "llrs")
    assert code == 0
    assert "WARNING" in err
    assert "--duration, the smaller of both: " in err
    assert "% are far outside of 0." in err


def test_vectors_of_another_network_are_refused(run, world, rng):
    ids = [line.split()[0] for line in (world / "utt2dur").read_text().splitlines()]
    for name, scale in (("one", 1.0), ("other", 30.0)):
        with ArkWriter(world, name) as writer:
            for utt in ids:
                writer[utt] = scale * rng.normal(size=20)
    one, other = (f"--magnitude=scp:{world}/{x}.scp" for x in ("one", "other"))
    assert run("calibration-train", one, "trials", "a", "model.npz")[0] == 0
    assert run("score-calibrate", one, "model.npz", "a", "llrs")[0] == 0
    code, err = run("score-calibrate", other, "model.npz", "a", "others")
    assert code == 1
    assert "--magnitude, the smaller of both: 100 % are far outside of" in err


def test_scores_of_other_rows_are_warned_of_in_training(run, world):
    trials, scores = read_trials(world / "trials"), read_scores(world / "a")
    pairs = [trials.name(row).split() for row in range(len(trials))]
    write(world / "shifted", pairs, np.roll(scores.values, 1))
    _, err = run("calibration-train", "trials", "shifted", "model.npz")
    assert "shifted: EER" in err
    assert "the scores look shifted, 1 row too low" in err
