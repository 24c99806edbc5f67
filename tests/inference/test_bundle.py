"""Bundles, and the commands for those who use one: without torch, on any recording."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from untrained import write_bundle, write_pair

import asdkit
from asdkit.__main__ import main
from asdkit.backends.calibration import Calibration
from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.bundle import Bundle
from asdkit.inference.bundle_sources import Sources
from asdkit.inference.bundling import make_bundle
from asdkit.inference.voices import read_voice
from asdkit.io.store import load_model, save_arrays, save_model
from asdkit.metrics.decision_costs import DecisionCosts
from asdkit.models.networks import load_network, save_network

pytestmark = pytest.mark.slow

RATE = 16000
HEAVY = ["torch", "lhotse", "scipy", "kaldiio", "tqdm", "onnx"]
GUARD = """
import sys

BLOCKED = set(sys.argv.pop(1).split(","))

class Guard:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise AssertionError(f"{name} is imported")

sys.meta_path.insert(0, Guard)
from asdkit.__main__ import main

sys.exit(main())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A bundle of two untrained networks, and recordings."""
    folder = tmp_path_factory.mktemp("bundle")
    write_pair(folder)
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal(0.9, 0.1, 99), rng.normal(0.4, 0.1, 99)])
    calibration = Calibration(ridge=1e-3).fit(scores[:, None], np.arange(198) < 99)
    save_model(folder / "calibration.npz", calibration)
    speech = rng.normal(0, 0.1, 3 * RATE).astype(np.float32)
    speech[::5000] *= 2
    soundfile.write(folder / "a.wav", speech, RATE)
    soundfile.write(folder / "b.flac", 0.8 * speech[::-1], RATE)
    write_bundle(folder, calibration=folder / "calibration.npz")
    return folder


@pytest.fixture
def inside(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def said(capsys, words, code=0):
    """Run a command; return what it prints, or its error line."""
    capsys.readouterr()
    assert main(words.split()) == code
    done = capsys.readouterr()
    return done.out if code == 0 else done.err


@pytest.mark.parametrize(
    "words",
    [
        "verify a.wav b.flac --model model --json",
        "verify a.wav a.wav b.flac --model model",
        "detect a.wav --model model",
        "enroll --model model --profiles p.sqlite ann a.wav b.flac",
        "identify --model model --profiles p.sqlite a.wav",
        "profile-list --model model --profiles p.sqlite",
        "profile-remove --profiles p.sqlite ann",
        "model-info model",
    ],
)
def test_users_need_neither_torch_nor_lhotse(inside, words):
    argv = [sys.executable, "-c", GUARD, ",".join(HEAVY), *words.split()]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_bundle_embeds_what_the_network_embeds(inside):
    bundle, network = asdkit.load("model"), asdkit.load("net")
    assert isinstance(bundle, Bundle)
    np.testing.assert_allclose(bundle.embed("a.wav"), network.embed("a.wav"), atol=1e-3)
    expected = float(network.score("a.wav", "b.flac"))
    calibrated = asdkit.load("calibration.npz").calibrate(expected)
    verdict = bundle.verify("a.wav", "b.flac")
    assert float(verdict.score) == pytest.approx(float(calibrated), abs=1e-2)
    assert verdict.decision == ("accept" if float(calibrated) > 0 else "reject")
    detected = float(asdkit.load("cm").detect("a.wav"))
    assert float(bundle.detect("a.wav")) == pytest.approx(detected, abs=1e-3)


def test_without_a_calibration_there_is_no_decision(inside, capsys):
    text = said(capsys, "detect a.wav b.flac --model model")
    assert text.count("undecided") == 2
    text = said(capsys, "detect --fail-on undecided a.wav --model model", code=1)
    assert "1 of 1: undecided" in text


def test_json_has_numbers_and_the_sentence(inside, capsys):
    found = json.loads(said(capsys, "verify a.wav b.flac --model model --json"))[0]
    assert found["rows"][0]["threshold"] == 0
    assert found["notes"][0].startswith("This is probably ")


def sound(make, rate=RATE):
    def write():
        soundfile.write("odd.wav", make(), rate, "FLOAT")

    return write


NOISE = np.random.default_rng(1).normal(0, 0.1, (2, 2 * RATE)).astype(np.float32)


@pytest.mark.parametrize(
    ("write", "answer"),
    [
        (sound(lambda: np.zeros(RATE)), "no speech: found 0.00 s in its 1.00 s"),
        (sound(lambda: NOISE[0][:800]), "too little speech: found 0.0"),
        (sound(lambda: NOISE[0][:6400]), "expected 0.5 s or more"),
        (sound(lambda: NOISE[0] * np.nan), "NaN or infinite"),
        (sound(lambda: NOISE.T), "its 2 channels differ: maybe two people"),
        (sound(lambda: NOISE[0][:0]), "expected audio, got no samples"),
        (lambda: open("odd.wav", "wb").close(), "got an empty file"),
    ],
    ids=["silence", "50 ms", "0.4 s", "NaN", "two people", "no samples", "empty"],
)
def test_a_recording_that_will_not_do_is_refused_in_a_line(
    inside, capsys, write, answer
):
    write()
    for words in ("verify a.wav odd.wav", "detect odd.wav"):
        text = said(capsys, f"{words} --model model", code=1)
        line = next(x for x in text.splitlines() if "error: " in x)
        assert answer in line
        assert "odd.wav" in line


@pytest.mark.parametrize(
    ("write", "note"),
    [
        (sound(lambda: NOISE[0], 8000), "recorded at 8000 Hz: nothing above 4000 Hz"),
        (sound(lambda: np.clip(20 * NOISE[0], -1, 1)), "of its samples are clipped"),
        (sound(lambda: np.resize(NOISE[0], 70 * RATE)), "only its first 60 s are used"),
        (sound(lambda: NOISE[0], 44100), ""),
        (sound(lambda: NOISE[[0, 0]].T), ""),
    ],
    ids=["8 kHz", "clipped", "long", "44.1 kHz", "twice the same channel"],
)
def test_what_makes_a_decision_less_certain_is_said(inside, capsys, write, note):
    write()
    assert note in said(capsys, "verify a.wav odd.wav --model model")


def test_a_channel_can_be_chosen(inside, capsys):
    sound(lambda: NOISE.T)()
    bundle = asdkit.load("model")
    second = bundle.embed("odd.wav", channel=1)
    np.testing.assert_array_equal(second, bundle.embed((NOISE[1], RATE)))
    text = said(capsys, "detect --channel 2 odd.wav --model model", code=1)
    assert "expected a channel below 2, got channel 2" in text


def test_directories_and_lists_are_searched(inside, capsys):
    (inside / "list.txt").write_text("one a.wav\nb.flac\n")
    text = said(capsys, "detect list.txt --model model")
    assert "a.wav" in text
    assert "b.flac" in text
    assert "expected sound files" in said(capsys, "detect cm --model model", code=1)


def copy(folder, tmp_path):
    import shutil

    return shutil.copytree(folder / "model", tmp_path / "copy")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"version": 2}, "expected version 1, got 2"),
        ({"files": {"../net/network.pt": "0"}}, "is no name of a file in it"),
        ({"files": 3}, "damaged"),
        ({"decision": {"p_target": 2}}, "expected 0 < p_target < 1"),
        ({"max_sec": None}, "damaged"),
        ({"max_sec": float("nan")}, "max_sec: expected a number above 0, got nan"),
        ({"min_speech_sec": -1}, "min_speech_sec: expected a number above 0, got -1"),
        ({"min_speech_sec": 10**400}, "damaged: OverflowError"),
        ({"num_top": -1}, "num_top: expected 0 or more"),
        ({"files": {"..": "0"}}, "missing from the bundle, or not a file"),
        (
            {"decision": {"c_miss": float("inf")}},
            r"bundle\.json: damaged: expected 0 <",
        ),
    ],
)
def test_an_index_that_is_wrong_is_refused(folder, tmp_path, change, problem):
    there = copy(folder, tmp_path)
    about = json.loads((there / "bundle.json").read_text())
    (there / "bundle.json").write_text(json.dumps({**about, **change}))
    with pytest.raises(AsdkitError, match=problem):
        Bundle.open(there)


def test_the_threshold_is_where_both_decisions_cost_the_same():
    """Written out: the expected cost of accepting equals that of rejecting."""
    costs = DecisionCosts(p_target=0.03, c_miss=5, c_fa=2)
    ratio = np.exp(costs.threshold)
    posterior = 0.03 * ratio / (0.03 * ratio + 0.97)
    assert posterior * 5 == pytest.approx((1 - posterior) * 2)
    with pytest.raises(AsdkitError, match="costs above 0"):
        DecisionCosts(c_fa=0)


def test_a_bundle_refuses_what_a_network_takes(inside):
    with pytest.raises(AsdkitError, match="a bundle has no use for backend="):
        asdkit.load("model", backend="x.npz")
    with pytest.raises(AsdkitError, match="does not decide about speakers"):
        asdkit.load("net").verify("a.wav", "b.flac")
    with pytest.raises(AsdkitError, match="two recordings or more, got 1"):
        asdkit.load("model").verify("a.wav")


def test_everything_that_a_bundle_can_hold(models, tmp_path, capsys):
    """Back-end, cohort, calibrations of both kinds, and a card, from the programs."""
    for line in (
        "backend-train --steps center,length-norm,cosine data/utt2spk "
        "scp:exp/audio/out/embedding.scp {0}/cosine.npz",
        "backend-score {0}/cosine.npz exp/trials scp:exp/audio/out/embedding.scp "
        "{0}/scores",
        "score-normalize --num-top 0 --cohort-utt2spk data/utt2spk {0}/cosine.npz "
        "scp:exp/audio/out/embedding.scp scp:exp/audio/out/embedding.scp {0}/scores "
        "{0}/normalized",
        "calibration-train --ridge 1e-3 exp/trials {0}/normalized {0}/cal.npz",
        "score-calibrate {0}/cal.npz {0}/normalized {0}/llrs",
        "speakers-draw --num-spks 4 --num-sessions 2 --mean-sec 1.2 --prefix other "
        "{0}/data {0}/wav",
        "nnet-extract {0}/data exp/audio {0}/out",
        "trials-make {0}/data {0}/trials",
        "backend-score {0}/cosine.npz {0}/trials scp:{0}/out/embedding.scp {0}/x",
        "score-normalize --num-top 0 --cohort-utt2spk data/utt2spk {0}/cosine.npz "
        "scp:exp/audio/out/embedding.scp scp:{0}/out/embedding.scp {0}/x {0}/y",
        "score-calibrate {0}/cal.npz {0}/y {0}/other_llrs",
        "bundle-make --backend {0}/cosine.npz --cohort scp:exp/audio/out/embedding.scp "
        "--cohort-utt2spk data/utt2spk --calibration {0}/cal.npz --cm exp/cm_audio "
        "--cm-key spoof/utt2attack --cm-scores exp/cm_audio/scores "
        "--card-data {0}/data --card-trials {0}/trials --card-scores {0}/other_llrs "
        "--calibration-utt2spk data/utt2spk --card-recordings 4 --p-target 0.1 "
        "--licence CC0-1.0 --data synthesized exp/audio {0}/model",
    ):
        assert main(line.format(tmp_path).split()) == 0, line
    bundle = asdkit.load(tmp_path / "model")
    lines = (tmp_path / "llrs").read_text().splitlines()
    for line in lines[:3]:
        enroll, test, llr = line.split()
        verdict = bundle.verify(models.audio[enroll], models.audio[test])
        assert float(verdict.score) == pytest.approx(float(llr), abs=0.05)
        assert verdict.score.is_calibrated
        assert verdict.spoof.score.is_calibrated
    capsys.readouterr()
    assert main(["model-info", str(tmp_path / "model")]) == 0
    text = capsys.readouterr().out
    assert "It cannot say how the threshold does" in text
    assert "women and girls" in text
    assert "CC0-1.0" in text
    capsys.readouterr()
    assert main(["model-info", "--json", str(tmp_path / "model")]) == 0
    rows = json.loads(capsys.readouterr().out)[1]["rows"]
    whole = {row["group"]: row for row in rows}["whole recordings"]
    assert (whole["recordings"], whole["refused"]) == (4, 0)
    assert "SNR 10 dB" in [row["group"] for row in rows]


def test_a_bundle_that_localizes_tells_stretches_and_draws_them(
    folder, tmp_path, write_untrained, capsys, monkeypatch
):
    crop = {"crop": "whole", "chunk_frames": 100, "batch_size": 4}
    write_untrained(tmp_path, "senet9", classes=("spoof", "bonafide"), **crop)
    trained = load_network(tmp_path / "network.pt")
    trained.options["objective"] = {"name": "frame_labels"}
    save_network(tmp_path / "network.pt", trained)
    conf = tmp_path / "fsa.conf"
    conf.write_text("--method=fsa\n--threshold=1e4\n")  # all frames are below it
    sources = Sources(localizer=conf)
    make_bundle(tmp_path, tmp_path / "model", sources, DecisionCosts(), DecisionCosts())
    words = f"detect --model {tmp_path}/model {folder}/a.wav --picture {tmp_path}/svg"
    read = []
    monkeypatch.setattr(
        "asdkit.inference.bundle.read_voice",
        lambda *place: read.append(place[0]) or read_voice(*place),
    )
    (table,) = json.loads(said(capsys, f"{words} --json"))
    assert len(read) == 1  # a picture needs no second decoding
    (stretch,) = table["rows"][0]["spoofed s"]
    assert (stretch["start"], stretch["end"]) == (0.0, 3.0)
    assert "spoofed stretches: 0.00 to 3.00 s" in table["notes"][0]
    assert "<title>spoofed, 0.00 to 3.00 s" in (tmp_path / "svg/a.svg").read_text()
    words = f"detect --model {folder}/model {folder}/a.wav --picture {tmp_path}/no"
    assert "does not localize: there is nothing to mark" in said(capsys, words, 1)


def put(there, name, file=None):
    """Put a file into a bundle, with its checksum."""
    about = json.loads((there / "bundle.json").read_text())
    if file is not None:
        (there / name).write_bytes(file.read_bytes())
    about["files"][name] = hashlib.sha256((there / name).read_bytes()).hexdigest()
    (there / "bundle.json").write_text(json.dumps(about))


@pytest.mark.parametrize(
    ("more", "value", "problem"),
    [
        (1, 1.0, r"expected \(K, \d+\) embeddings, got shape \(3, \d+\)"),
        (0, np.nan, "an embedding is not finite"),
    ],
)
def test_a_cohort_that_does_not_fit_is_refused(folder, tmp_path, more, value, problem):
    there = copy(folder, tmp_path)
    dim = Bundle.open(there).speaker.embedding_dim
    x = np.full((3, dim + more), value)
    save_arrays(there / "cohort.npz", "Cohort", {}, {"x": x})
    put(there, "cohort.npz")
    with pytest.raises(DataError, match=problem):
        Bundle.open(there).score(folder / "a.wav", folder / "a.wav")


@pytest.mark.parametrize("offset", [np.nan, -np.inf])
def test_a_calibration_that_is_not_finite_decides_nothing(folder, tmp_path, offset):
    there = copy(folder, tmp_path)
    model = load_model(there / "calibration.npz", Calibration)
    model.offset_ = np.array(offset)
    save_model(there / "calibration.npz", model)
    put(there, "calibration.npz")
    with pytest.raises(DataError, match="expected finite weights and offset"):
        Bundle.open(there).verify(folder / "a.wav", folder / "b.flac")


def test_a_graph_in_the_place_of_another_is_refused(folder, tmp_path):
    there = copy(folder, tmp_path)
    put(there, "speaker.onnx", folder / "model" / "cm.onnx")
    with pytest.raises(DataError, match=r"speaker\.onnx: expected a graph that embeds"):
        Bundle.open(there).embed(folder / "a.wav")


def test_pickles_are_not_opened(folder, tmp_path):
    there = copy(folder, tmp_path)
    np.savez(there / "calibration.npz", asdkit=np.array([{}], dtype=object))
    put(there, "calibration.npz")
    with pytest.raises(DataError, match="not an asdkit model, or damaged"):
        Bundle.open(there).verify(folder / "a.wav", folder / "b.flac")


def test_what_makes_it_uncertain_is_said_of_an_identification(inside, capsys):
    sound(lambda: NOISE[0], 8000)()
    said(capsys, "enroll --model model --profiles q.sqlite ann a.wav")
    text = said(capsys, "identify --model model --profiles q.sqlite odd.wav")
    assert "recorded at 8000 Hz" in text
    assert "the countermeasure is not calibrated" in text
