"""An x-vector network of Kaldi's as a network like any other, through the programs."""

from pathlib import Path

import numpy as np
import pytest

import asdkit
from asdkit.__main__ import main
from asdkit.io.ark import read_arrays
from asdkit.models.networks import load_network

GOLDEN = Path(__file__).parents[1] / "golden"
XVECTOR = GOLDEN / "kaldi_xvector"
FRONT_END = ["--voiced", "true", "--cmn-window", "300", "--subtract-mean", "false"]
SMALL = ["--chunk-frames", "60", "--batch-size", "8", "--num-epochs", "1"]


def run(*words):
    assert main([str(word) for word in words]) == 0


@pytest.fixture(scope="module")
def exp(tmp_path_factory):
    """A data directory of Kaldi's with features and decisions, and the network."""
    root = tmp_path_factory.mktemp("kaldi")
    data = root / "kaldi"
    data.mkdir()
    for name in ("utt2spk", "spk2utt", "utt2num_frames"):
        text = (GOLDEN / "kaldi/data/test" / name).read_text()
        (data / name).write_text(text)
    for kind, name in (("mfcc", "feats"), ("vad", "vad")):
        ark = GOLDEN / f"kaldi/feats/{kind}_test.ark"
        content, place, lines = ark.read_bytes(), 0, []
        for utt, _ in read_arrays(f"ark:{ark}"):
            place = content.index(f"{utt} \0B".encode(), place) + len(utt) + 1
            lines.append(f"{utt} {ark}:{place}\n")
        (data / f"{name}.scp").write_text("".join(lines))
    run("kaldi-import", data, root / "data")
    net = root / "xvector_nnet_1a"
    net.mkdir()
    for name in ("final.raw", "extract.config"):
        (net / name).write_bytes((XVECTOR / name).read_bytes())
    (net / "max_chunk_size").write_text("10000\n")
    (net / "min_chunk_size").write_text("25\n")
    run("kaldi-import", net, root / "net")
    return root


def differences(ours, theirs):
    return [np.linalg.norm(ours[utt] - x) / np.linalg.norm(x) for utt, x in theirs]


def test_its_x_vectors_are_kaldis(exp):
    run("nnet-extract", exp / "data", exp / "net", exp / "out")
    ours = dict(read_arrays(f"scp:{exp}/out/embedding.scp"))
    theirs = list(read_arrays(f"ark:{XVECTOR}/tdnn6.ark"))
    assert len(theirs) == 24
    assert max(differences(ours, theirs)) < 2e-5


def test_features_that_are_prepared_already_are_left_alone(exp, tmp_path):
    """As data/train_no_sil of Kaldi's recipes, which lacks its sliding mean."""
    data = tmp_path / "no_sil"
    data.mkdir()
    for name in ("utt2spk", "spk2utt"):
        text = (GOLDEN / "kaldi/data/test" / name).read_text()
        (data / name).write_text(text)
    ark = XVECTOR / "feats_test.ark"
    content, place, lines = ark.read_bytes(), 0, []
    for utt, _ in read_arrays(f"ark:{ark}"):
        place = content.index(f"{utt} \0B".encode(), place) + len(utt) + 1
        lines.append(f"{utt} {ark}:{place}\n")
    (data / "feats.scp").write_text("".join(lines))
    run("kaldi-import", data, tmp_path / "data")
    given = "--voiced", "false", "--cmn-window", "0"
    run("nnet-extract", *given, tmp_path / "data", exp / "net", tmp_path / "out")
    ours = dict(read_arrays(f"scp:{tmp_path}/out/embedding.scp"))
    theirs = read_arrays(f"ark:{XVECTOR}/tdnn6.ark")
    assert max(differences(ours, theirs)) < 2e-5


def test_from_a_recording_in_python(exp):
    """Up to what MFCCs differ by: Kaldi's float32 FFT is coarse."""
    conf = {name: GOLDEN / f"kaldi/{name}.conf" for name in ("mfcc", "vad")}
    net = asdkit.load(exp / "net", features=conf["mfcc"], vad=conf["vad"])
    theirs = list(read_arrays(f"ark:{XVECTOR}/tdnn6.ark"))[:4]
    paths = [str(GOLDEN / f"kaldi/wav/{utt}.flac") for utt, _ in theirs]
    ours = dict(zip([utt for utt, _ in theirs], net.embed_many(paths), strict=True))
    assert max(differences(ours, theirs)) < 1e-3


def test_a_network_that_knows_its_front_end_starts_from_audio(exp, tmp_path):
    golden = GOLDEN / "kaldi"
    conf = "--mfcc-config", golden / "mfcc.conf", "--vad-config", golden / "vad.conf"
    run("kaldi-import", *conf, exp / "xvector_nnet_1a", tmp_path / "net")
    utt, theirs = next(iter(read_arrays(f"ark:{XVECTOR}/tdnn6.ark")))
    ours = asdkit.load(tmp_path / "net").embed(str(golden / f"wav/{utt}.flac"))
    assert np.linalg.norm(ours - theirs) < 1e-3 * np.linalg.norm(theirs)


def test_it_is_trained_further_and_goes_back(exp, tmp_path):
    names = "--network", "kaldi_xvector", "--loss", "cross_entropy"
    start = "--init-from", exp / "net/network.pt", "--learning-rate", "0.001"
    run("nnet-train", *names, *start, *FRONT_END, *SMALL, exp / "data", tmp_path / "n")
    before = load_network(exp / "net/network.pt").network.state_dict()
    trained = load_network(tmp_path / "n/network.pt")
    after = trained.network.state_dict()
    assert before.keys() == after.keys()
    moved = {name for name in before if not before[name].equal(after[name])}
    used = {f"components.{n}." for n in range(18)}  # up to tdnn6.affine
    assert {name.rpartition(".")[0] + "." for name in moved} <= used
    assert "components.0.linear_params" in moved
    assert "components.2.stats_mean" in moved
    assert len(trained.options["classes"]) == 6
    change = max((after[x] - before[x]).abs().max() for x in moved if "linear" in x)
    assert change < 0.1  # it went on, and did not begin again
    run("kaldi-export", tmp_path / "n/network.pt", tmp_path / "back")
    run("kaldi-import", tmp_path / "back", tmp_path / "again")


def test_another_network_learns_from_it(exp, tmp_path):
    names = "--network", "xvector", "--channels", "8", "--last-channels", "8"
    teacher = "--objective", "mse", "--teacher", exp / "net", "--embedding-dim", "32"
    out = tmp_path / "student"
    run("nnet-train", *names, *teacher, *FRONT_END, *SMALL, exp / "data", out)
    student = load_network(out / "network.pt")
    assert student.options["teacher"]["teacher"] == str(exp / "net")


def test_a_teacher_of_other_frames_is_refused(exp, tmp_path, capsys):
    teacher = "--objective", "mse", "--teacher", exp / "net"
    words = ["nnet-train", *teacher, *SMALL, exp / "data", tmp_path / "student"]
    assert main([str(word) for word in words]) == 1
    assert "cmn_window" in capsys.readouterr().err


def test_a_teacher_without_a_classifier_has_no_classes_to_give(exp, tmp_path, capsys):
    names = "--network", "xvector", "--objective", "kl", "--teacher", exp / "net"
    words = ["nnet-train", *names, *FRONT_END, *SMALL, exp / "data", tmp_path / "l"]
    assert main([str(word) for word in words]) == 1
    assert "6 of 6 classes are not among the 0 of the t" in capsys.readouterr().err


def test_its_size_is_printed(exp, capsys):
    run("nnet-info", exp / "net")
    run("model-info", exp / "net/network.pt")
    out = capsys.readouterr().out
    assert "27,922" in out
    assert "NaturalGradientAffineComponent" in out
