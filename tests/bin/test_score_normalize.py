import numpy as np
import pytest

from asdkit import __main__ as command
from asdkit.backends.center import Center
from asdkit.backends.cosine import Cosine
from asdkit.backends.pipeline import Pipeline
from asdkit.io.ark import ArkWriter
from asdkit.io.store import save_arrays

NUM_UTTS, NUM_SPKS, DIM = 60, 20, 6


@pytest.fixture
def world(tmp_path, rng):
    """A back-end, its training data, five test utterances and all their scores."""
    train = {f"c{i:02d}": rng.normal(1, 1, DIM) for i in range(NUM_UTTS)}
    test = {f"t{i}": rng.normal(1, 1, DIM) for i in range(5)}
    for name, of in (("train", train), ("test", test)):
        with ArkWriter(tmp_path, name) as writer:
            for utt, x in of.items():
                writer[utt] = x
    backend = Pipeline([Center(), Cosine()]).fit(
        np.stack(list(train.values())), np.zeros(NUM_UTTS)
    )
    save_arrays(tmp_path / "backend.npz", "Pipeline", *backend.to_state())
    utt2spk = {utt: f"s{i % NUM_SPKS:02d}" for i, utt in enumerate(train)}
    lines = (f"{utt} {spk}\n" for utt, spk in utt2spk.items())
    (tmp_path / "utt2spk").write_text("".join(lines))
    pairs = [(a, b) for a in test for b in test if a < b]
    scores = {f"{a} {b}": cosine(backend, test[a], test[b]) for a, b in pairs}
    lines = (f"{pair} {score:.9g}\n" for pair, score in scores.items())
    (tmp_path / "scores").write_text("".join(lines))
    return backend, train, test, utt2spk, scores


def cosine(backend, a, b):
    a, b = (x - backend.steps[0].mean_ for x in (a, b))
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


@pytest.fixture
def run(tmp_path, capsys):
    """Normalize; return the exit code and the messages."""

    def run(*options, cohort="train", scores="scores"):
        ark = [f"scp:{tmp_path}/{name}.scp" for name in (cohort, "test")]
        paths = [str(tmp_path / name) for name in (scores, "normalized")]
        arguments = [*options, str(tmp_path / "backend.npz"), *ark, *paths]
        code = command.main(["score-normalize", *arguments])
        return code, capsys.readouterr().err

    return run


def read(path):
    pairs = (line.rpartition(" ") for line in path.read_text().splitlines())
    return {pair: float(value) for pair, _, value in pairs}


def expected_of(world, cohort, num_top):
    """The definition, trial by trial."""
    backend, _, test, _, scores = world

    def stats(utt):
        values = np.sort([cosine(backend, test[utt], c) for c in cohort])[-num_top:]
        return values.mean(), values.std()

    normalized = {}
    for pair, score in scores.items():
        parts = [(score - mean) / std for mean, std in map(stats, pair.split())]
        normalized[pair] = sum(parts) / 2
    return normalized


@pytest.mark.parametrize(("num_top", "kept"), [("7", 7), ("0", NUM_UTTS)])
def test_scores_are_normalized_by_utterances(run, world, tmp_path, num_top, kept):
    assert run("--num-top", num_top)[0] == 0
    expected = expected_of(world, list(world[1].values()), kept)
    assert read(tmp_path / "normalized") == pytest.approx(expected, abs=1e-5)


def test_scores_are_normalized_by_speakers(run, world, tmp_path):
    _, train, _, utt2spk, _ = world
    spks = [f"s{i:02d}" for i in range(NUM_SPKS)]
    cohort = [np.mean([train[u] for u in train if utt2spk[u] == s], 0) for s in spks]
    options = ["--num-top", "5", "--cohort-utt2spk", str(tmp_path / "utt2spk")]
    code, err = run(*options)
    assert code == 0
    assert "20 speakers of 60 utterances, 0 without" in err
    expected = expected_of(world, cohort, 5)
    assert read(tmp_path / "normalized") == pytest.approx(expected, abs=1e-5)


def test_models_are_the_means_of_their_utterances(run, world, tmp_path):
    backend, train, test, _, _ = world
    (tmp_path / "spk2utt").write_text("m t0 t1\n")
    mean = (test["t0"] + test["t1"]) / 2
    score = cosine(backend, mean, test["t2"])
    (tmp_path / "models").write_text(f"m t2 {score:.9g}\n")
    table = tmp_path / "means"
    options = ["--enroll-spk2utt", str(tmp_path / "spk2utt"), "--num-top", "0"]
    code, _ = run(*options, "--cohort-means", str(table), scores="models")
    assert code == 0
    sides = [
        [cosine(backend, x, c) for c in train.values()] for x in (mean, test["t2"])
    ]
    expected = np.mean([(score - np.mean(s)) / np.std(s) for s in sides])
    assert read(tmp_path / "normalized") == pytest.approx({"m t2": expected}, abs=1e-5)
    means = {"m": np.mean(sides[0]), "t2": np.mean(sides[1])}
    assert read(table) == pytest.approx(means, abs=1e-6)


def test_enrolled_vectors_may_be_others(run, world, tmp_path):
    """An enrolled t0 that is not the t0 of the test: two embeddings of one name."""
    backend, _, test, _, _ = world
    with ArkWriter(tmp_path, "enroll") as writer:
        writer["t0"] = test["t1"]
    score = cosine(backend, test["t1"], test["t2"])
    (tmp_path / "one").write_text(f"t0 t2 {score:.7g}\n")
    (tmp_path / "two").write_text(f"t1 t2 {score:.7g}\n")
    enroll = ["--enroll-vectors", f"scp:{tmp_path}/enroll.scp", "--num-top", "7"]
    assert run(*enroll, scores="one")[0] == 0
    ours = read(tmp_path / "normalized")["t0 t2"]
    assert run("--num-top", "7", scores="two")[0] == 0
    assert ours == read(tmp_path / "normalized")["t1 t2"]
    other = cosine(backend, test["t1"], test["t0"])
    (tmp_path / "both").write_text(f"t0 t2 {score:.7g}\nt0 t0 {other:.7g}\n")
    code, err = run(*enroll, "--cohort-means", f"{tmp_path}/means", scores="both")
    assert code == 1
    assert "t0: names both a model and another test utterance" in err


def test_a_small_cohort_is_used_whole_and_said(run, world, tmp_path):
    code, err = run("--cohort-utt2spk", str(tmp_path / "utt2spk"))
    assert code == 0
    assert "WARNING" in err
    assert "20 members, fewer than the 300" in err


def test_trials_in_the_cohort_are_counted(run, world):
    code, err = run("--num-top", "3", cohort="test")
    assert code == 0
    assert "cohort: 5 of the trials' embeddings are in it" in err


def test_unknown_utterances_are_named(run, world, tmp_path):
    (tmp_path / "scores").write_text("t0 nobody 1\n")
    code, err = run()
    assert code == 1
    assert "'nobody'" in err
    assert not (tmp_path / "normalized").exists()


def test_an_embedding_of_zeros_is_named(run, world, tmp_path):
    with ArkWriter(tmp_path, "test") as writer:
        for utt in ("t0", "t1"):
            writer[utt] = np.float32(world[0].steps[0].mean_) * (utt == "t0")
    backend = Pipeline([Cosine()])
    save_arrays(tmp_path / "backend.npz", "Pipeline", *backend.to_state())
    (tmp_path / "scores").write_text("t0 t1 0\n")
    code, err = run("--num-top", "9")
    assert code == 1
    assert "the same against 1 of 2 embeddings: 't1'" in err


def test_speakers_of_other_data_are_refused(run, world, tmp_path):
    (tmp_path / "utt2spk").write_text("c00 s00\nx s00\n")
    code, err = run("--cohort-utt2spk", str(tmp_path / "utt2spk"))
    assert code == 1
    assert "only 1 of its 60 utterances are in" in err


def test_nan_scores_are_refused(run, world, tmp_path):
    (tmp_path / "scores").write_text("t0 t1 nan\n")
    code, err = run()
    assert code == 1
    assert "scores:1: the score of 't0 t1' is NaN" in err


def test_scores_of_another_backend_are_refused(run, world, tmp_path):
    """The normalized scores of one with the statistics of the other are noise."""
    save_arrays(tmp_path / "backend.npz", "Pipeline", *Pipeline([Cosine()]).to_state())
    code, err = run("--num-top", "7")
    assert code == 1
    assert "scores: 10 of 10 sampled scores are not what" in err
    assert "hint: give the back-end, vectors and spk2utt that the scores" in err
    assert not (tmp_path / "normalized").exists()


def test_scores_that_are_normalized_already_are_refused(run, world, tmp_path):
    lines = (f"{pair} {3 * score - 1:.7g}\n" for pair, score in world[4].items())
    (tmp_path / "scores").write_text("".join(lines))
    code, err = run("--num-top", "7")
    assert code == 1
    assert "hint: these are calibrated, normalized or negated scores" in err


@pytest.mark.parametrize("form", [".6g", ".7g", ".4f"])
def test_scores_may_be_rounded_as_other_programs_do(run, world, tmp_path, form):
    lines = (f"{pair} {score:{form}}\n" for pair, score in world[4].items())
    (tmp_path / "scores").write_text("".join(lines))
    assert run("--num-top", "7")[0] == 0
