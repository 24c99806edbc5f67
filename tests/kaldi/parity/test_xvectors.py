"""An x-vector experiment, laid out as Kaldi's voxceleb/v2 leaves it.

Features, decisions, network and the x-vectors of the test are Kaldi's own.  Kaldi made
no others of this network; x-vectors to train on, mean, LDA, PLDA and scores are made
here, by code that is held against Kaldi's numbers elsewhere, so these stages show where
the report looks, not that it is right.
"""

import shutil
from pathlib import Path

import kaldiio
import numpy as np
import pytest
import torch

from asdkit.__main__ import main
from asdkit.backends import kaldi_format as backend
from asdkit.backends.adaptation import adapt_plda
from asdkit.backends.center import Center
from asdkit.backends.lda import Lda
from asdkit.backends.length_norm import LengthNorm
from asdkit.backends.plda import Plda
from asdkit.features.frontend import FrontEnd
from asdkit.io.ark import read_arrays
from asdkit.io.kaldi import read_object, write_object, write_text
from asdkit.io.tables import read_table
from asdkit.io.trials import read_trials
from asdkit.kaldi.parity.experiment import Experiment
from asdkit.kaldi.parity.stages import STAGES, compare
from asdkit.kaldi.xvector_networks import read_xvector

GOLDEN = Path(__file__).parents[2] / "golden"
NAMES = [stage.name for stage in STAGES if stage.section == "x-vectors"]


@pytest.fixture(scope="module")
def expdir(tmp_path_factory):
    root = tmp_path_factory.mktemp("egs")
    for part in ("train", "test"):
        data = root / "data" / part
        data.mkdir(parents=True)
        for path in (GOLDEN / "kaldi/data" / part).iterdir():
            shutil.copy(path, data)
        for kind, name in (("mfcc", "feats"), ("vad", "vad")):
            ark = root / f"{kind}_{part}.ark"
            shutil.copy(GOLDEN / f"kaldi/feats/{kind}_{part}.ark", ark)
            table(root, ark, data / f"{name}.scp")
    no_sil = root / "data/test_no_sil"
    no_sil.mkdir()
    shutil.copy(GOLDEN / "kaldi_xvector/feats_test.ark", root / "no_sil.ark")
    table(root, root / "no_sil.ark", no_sil / "feats.scp")
    net = root / "exp/xvector_nnet_1a"
    for part in ("train", "test"):
        place = net / f"xvectors_{part}"
        place.mkdir(parents=True)
        if part == "train":
            extract(root, place / "xvector.1.ark")
        else:
            shutil.copy(GOLDEN / "kaldi_xvector/tdnn6.ark", place / "xvector.1.ark")
        table(root, place / "xvector.1.ark", place / "xvector.scp")
    for name in ("final.raw", "extract.config"):
        shutil.copy(GOLDEN / "kaldi_xvector" / name, net)
    (net / "max_chunk_size").write_text("10000\n")
    (net / "min_chunk_size").write_text("25\n")
    make_back_end(root, net / "xvectors_train")
    return root


def table(root, ark, scp):
    data, lines, place = ark.read_bytes(), [], 0
    for utt, _ in read_arrays(f"ark:{ark}"):
        place = data.index(f"{utt} \0B".encode(), place) + len(utt) + 1
        lines.append(f"{utt} {ark.relative_to(root)}:{place}\n")
    scp.write_text("".join(lines))


def extract(root, ark):
    network = read_xvector(
        GOLDEN / "kaldi_xvector/final.raw", min_chunk_size=25
    ).network
    vad = dict(read_arrays(f"ark:{root}/vad_train.ark"))
    found = {}
    for utt, feats in read_arrays(f"ark:{root}/mfcc_train.ark"):
        frames = FrontEnd(delta_order=0)(feats, vad[utt] > 0)
        with torch.inference_mode():
            found[utt] = network(torch.from_numpy(frames[None]))[0].numpy()
    kaldiio.save_ark(str(ark), found)


def make_back_end(root, place):
    utts, x = zip(*read_arrays(f"ark:{place}/xvector.1.ark"), strict=True)
    x = np.stack(x).astype(float)
    utt2spk = read_table(root / "data/train/utt2spk")
    spk = np.array([utt2spk[utt] for utt in utts])
    center = Center().fit(x)
    lda = Lda(4).fit(center.transform(x), spk)
    y = LengthNorm().transform(lda.transform(center.transform(x)))
    plda = Plda().fit(y, spk)
    write_text(place / "mean.vec", center.mean_.astype(np.float32))
    write_object(place / "transform.mat", backend.lda_to_kaldi(lda))
    write_object(place / "plda", backend.plda_to_kaldi(plda))
    x = np.stack([x for _, x in read_arrays(f"ark:{GOLDEN}/kaldi_xvector/tdnn6.ark")])
    z = LengthNorm().transform(lda.transform(center.transform(x.astype(float))))
    adapted = adapt_plda(plda, z, 0.75, 0.25)
    write_object(place / "plda_adapt", backend.plda_to_kaldi(adapted))
    trials = read_trials(root / "data/test/trials")
    x = dict(read_arrays(f"ark:{GOLDEN}/kaldi_xvector/tdnn6.ark"))
    enroll = np.stack([x[utt] for utt in trials.enroll_ids]).astype(float)
    test = np.stack([x[utt] for utt in trials.test_ids]).astype(float)
    n = np.ones(len(enroll))
    mean, transform = (read_object(place / x) for x in ("mean.vec", "transform.mat"))
    for name in ("", "_adapt"):
        model = read_object(place / f"plda{name}")
        pipeline = backend.pipeline_from_kaldi(mean, transform, model, place)
        scores = pipeline.score_trials(enroll, n, test, trials.enroll, trials.test)
        pairs = zip(trials.enroll, trials.test, scores, strict=True)
        text = "".join(
            f"{trials.enroll_ids[a]} {trials.test_ids[b]} {score:.9g}\n"
            for a, b, score in pairs
        )
        (root / f"exp/scores_test{name}").write_text(text)
    scores = root / "exp/scores_test_adapt"
    scores.rename(root / "exp/xvector_nnet_1a/scores_test_adapt")


@pytest.fixture(scope="module")
def rows(expdir):
    return [row for row in compare(Experiment(expdir)) if row.section == "x-vectors"]


@pytest.mark.parametrize("name", [name for name in NAMES if name[-7:] != ", train"])
def test_every_stage_agrees_with_kaldi(rows, name):
    found = [row for row in rows if row.stage == name]
    assert found
    assert {row.verdict for row in found} == {"ok"}, found


def test_what_was_not_kept_is_not_found(rows):
    """Kaldi deletes the features that a network was trained on."""
    found = {row.stage: row.verdict for row in rows}
    assert found["CMN and voiced frames, train"] == "not found"
    assert found["x-vectors, train"] == "ok"


def test_x_vectors_are_much_closer_than_what_is_allowed(rows):
    found = {row.stage: row.finding for row in rows if row.finding}
    assert found["x-vectors, test"].difference.relative < 2e-5
    assert found["CMN and voiced frames, test"].difference.absolute < 2e-5
    assert found["network in and out"].difference == (0, 0)


def test_a_lab_sees_one_table(expdir, capsys):
    assert main(["kaldi-parity", str(expdir)]) == 0
    out = capsys.readouterr().out
    assert "x-vectors, test" in out
    assert " 0 differ" in out


def test_a_difference_is_seen(expdir, tmp_path, capsys):
    copy = Path(shutil.copytree(expdir, tmp_path / "egs"))
    mean = copy / "exp/xvector_nnet_1a/xvectors_train/mean.vec"
    write_text(mean, read_object(mean) * 1.01)
    (copy / "exp/xvector_nnet_1a/min_chunk_size").write_text("120\n")
    assert main(["kaldi-parity", str(copy)]) == 1
    assert "rows of the table differ" in capsys.readouterr().err


def test_an_experiment_without_x_vectors_says_nothing_of_them():
    experiment = Experiment(GOLDEN / "kaldi", num_utts=1)
    assert not any(experiment.exists(x) for x in ("xvector_net", "xvectors"))


def test_a_lab_leaves_and_comes_back(expdir, tmp_path, monkeypatch):
    """Data, network and back-end through the programs, to Kaldi's scores; and back."""

    def run(*words):
        assert main([str(word) for word in words]) == 0

    monkeypatch.chdir(tmp_path)
    source, net = expdir / "data/test", expdir / "exp/xvector_nnet_1a"
    plain = Path(shutil.copytree(source, tmp_path / "source"))
    (plain / "wav.scp").unlink()  # paths of another root than those of features
    run("kaldi-import", "--root", expdir, plain, "data")
    run("kaldi-import", net, "exp/net")
    run("kaldi-import", net / "xvectors_train/plda", "exp/backend.npz")
    run("nnet-extract", "data", "exp/net", "exp/test")
    vectors = "scp:exp/test/embedding.scp"
    run("backend-score", "exp/backend.npz", "data/trials", vectors, "exp/scores")
    ours, theirs = (
        {(a, b): float(x) for a, b, x in map(str.split, path.open())}
        for path in (Path("exp/scores"), expdir / "exp/scores_test")
    )
    assert ours.keys() == theirs.keys()
    spread = np.std([*theirs.values()])
    assert max(abs(ours[pair] - theirs[pair]) for pair in ours) < 1e-2 * spread
    run("score-metrics", "data/trials", "exp/scores")
    run("kaldi-export", "exp/net/network.pt", "back/xvector_nnet_1a")
    run("kaldi-export", "exp/backend.npz", "back/backend")
    for name in ("transform.mat", "plda"):
        same = (net / "xvectors_train" / name).read_bytes()
        assert (Path("back/backend") / name).read_bytes() == same
