"""X-vector networks of Kaldi's, in and out, against what Kaldi's own binaries gave."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import asdkit
from asdkit.__main__ import main
from asdkit.base.errors import DataError
from asdkit.features.frontend import FrontEnd
from asdkit.io.ark import read_arrays
from asdkit.kaldi.nnet3.reader import read_nnet3
from asdkit.kaldi.nnet3.writer import write_nnet3
from asdkit.kaldi.xvector_networks import export_network, import_network, read_xvector
from asdkit.models.networks import TrainedNetwork, save_network
from asdkit.nnet.registry import build

GOLDEN = Path(__file__).parents[1] / "golden"
XVECTOR = GOLDEN / "kaldi_xvector"
NETWORK = XVECTOR / "final.raw"
# name: configuration, and options of nnet3-xvector-compute.
VARIANTS = {
    "tdnn6": ("extract.config", {}),
    "tdnn7": ("extract7.config", {}),
    "tdnn6_chunk100": ("extract.config", {"chunk_size": 100}),
    "tdnn6_chunk100_nopad": ("extract.config", {"chunk_size": 100, "pad_input": False}),
}


@pytest.fixture(scope="module")
def feats():
    """What Kaldi's networks were given: without a sliding mean, and without pauses."""
    vad = dict(read_arrays(f"ark:{GOLDEN}/kaldi/feats/vad_test.ark"))
    mfcc = read_arrays(f"ark:{GOLDEN}/kaldi/feats/mfcc_test.ark")
    front_end = FrontEnd(delta_order=0)
    return {utt: front_end(x, vad[utt] > 0) for utt, x in mfcc}


def read(name, network=NETWORK, **options):
    config, given = VARIANTS[name]
    sizes = {"chunk_size": 10000, "min_chunk_size": 25}
    config = XVECTOR / config
    return read_xvector(network, nnet_config=config, **sizes | given | options).network


def expected(name):
    return dict(read_arrays(f"ark:{XVECTOR}/{name}.ark"))


def share_of_norm(ours, theirs):
    norms = np.linalg.norm(theirs, axis=1)
    return (np.linalg.norm(ours - theirs, axis=1) / norms).max()


def in_one_batch(network, frames):
    lengths = torch.tensor([len(x) for x in frames])
    batch = torch.full((len(frames), int(lengths.max()), frames[0].shape[1]), 1e3)
    for row, x in zip(batch, frames, strict=True):
        row[: len(x)] = torch.from_numpy(x)
    with torch.inference_mode():
        return network(batch, lengths).numpy()


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("file", ["final.raw", "final.txt.gz"])
def test_xvectors_are_kaldis_in_a_batch_of_mixed_lengths(feats, name, file):
    theirs = expected(name)
    network = read(name, XVECTOR / file)
    ours = in_one_batch(network, [feats[utt] for utt in theirs])
    assert share_of_norm(ours, np.stack([*theirs.values()])) < 2e-5


@pytest.mark.parametrize("name", VARIANTS)
def test_xvectors_are_kaldis_one_by_one(feats, name):
    network, theirs = read(name), expected(name)
    ours = [in_one_batch(network, [feats[utt]])[0] for utt in theirs]
    assert share_of_norm(np.stack(ours), np.stack([*theirs.values()])) < 2e-5


def test_on_a_gpu_too(feats, device):
    theirs = expected("tdnn6_chunk100")
    network = read("tdnn6_chunk100").to(device)
    ours = []
    for utt in theirs:
        with torch.inference_mode():
            x = torch.from_numpy(feats[utt]).to(device)
            ours.append(network(x[None])[0].cpu().numpy())
    assert share_of_norm(np.stack(ours), np.stack([*theirs.values()])) < 1e-3


def test_short_utterances_are_extended_by_their_first_and_last_frame(feats):
    """By a network without padding, of what nnet3-xvector-compute would make itself."""
    frames = next(iter(feats.values()))[:12]
    padded = np.concatenate([frames[:1]] * 6 + [frames] + [frames[-1:]] * 7)
    ours = in_one_batch(read("tdnn6"), [frames, padded])
    np.testing.assert_allclose(ours[0], ours[1], rtol=1e-5, atol=1e-6)
    assert read("tdnn6").min_frames == 1
    assert read("tdnn6", pad_input=False).min_frames == 25


def test_the_last_chunk_counts_by_its_frames(feats):
    frames = np.concatenate([*feats.values()])[:250]
    network = read("tdnn6_chunk100")
    parts = in_one_batch(network, [frames[:100], frames[100:200], frames[200:]])
    ours = in_one_batch(network, [frames])[0]
    np.testing.assert_allclose(ours, [0.4, 0.4, 0.2] @ parts, rtol=1e-4, atol=1e-5)


def test_too_short_a_chunk_is_left_out_where_there_is_another(feats):
    frames = np.concatenate([*feats.values()])[:110]
    network = read("tdnn6_chunk100", min_chunk_size=5)
    ours = in_one_batch(network, [frames, frames[:100]])
    np.testing.assert_allclose(ours[0], ours[1], rtol=1e-5)
    assert network.min_frames == network.context == 15


def same_numbers(one, other):
    assert one.nodes == other.nodes
    assert one.components == other.components
    assert one.arrays.keys() == other.arrays.keys()
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name])


@pytest.fixture
def expdir(tmp_path):
    """A network as train_xvector.sh leaves it."""
    folder = tmp_path / "xvector_nnet_1a"
    folder.mkdir()
    for name in ("final.raw", "extract.config"):
        (folder / name).write_bytes((XVECTOR / name).read_bytes())
    (folder / "max_chunk_size").write_text("10000\n")
    (folder / "min_chunk_size").write_text("25\n")
    return folder


def test_a_network_that_goes_back_has_the_same_numbers(expdir, tmp_path):
    net, back = tmp_path / "net", tmp_path / "back"
    assert main(["kaldi-import", str(expdir), str(net)]) == 0
    assert main(["kaldi-export", str(net / "network.pt"), str(back)]) == 0
    same_numbers(read_nnet3(expdir / "final.raw"), read_nnet3(back / "final.raw"))
    for name in ("max_chunk_size", "min_chunk_size", "extract.config"):
        assert (back / name).read_text().strip() == (expdir / name).read_text().strip()
    import_network(back, tmp_path / "again")


def test_a_network_trained_here_gives_the_same_in_nnet3(tmp_path, rng):
    """Also of lengths that our own pooling sees padded."""
    for pooling in ("stats", "tap"):
        options = {"channels": 12, "last_channels": 20, "pooling": pooling}
        network = build("xvector", feat_dim=7, embedding_dim=9, **options)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm1d):
                module.running_mean.normal_(0, 0.3)
                module.running_var.uniform_(0.5, 2)
        loss = asdkit.losses.registry.build("cross_entropy", 9, 2)
        kept = {"name": "xvector", "feat_dim": 7, "embedding_dim": 9, **options}
        about = {"loss": {"name": "cross_entropy"}, "classes": ["a", "b"]}
        about |= {"network": kept, "features": {}}
        save_network(tmp_path / "net.pt", TrainedNetwork(network, loss, about))
        export_network(tmp_path / "net.pt", tmp_path / pooling)
        again = read_xvector(tmp_path / pooling).network
        frames = [rng.normal(size=(n, 7)).astype(np.float32) for n in (40, 25, 61)]
        ours = in_one_batch(network.eval(), frames)
        assert share_of_norm(in_one_batch(again, frames), ours) < 1e-5


def test_what_nnet3_does_not_have_is_refused(tmp_path, capsys):
    network = build("xvector", channels=4, last_channels=4, pooling="asp", feat_dim=5)
    loss = asdkit.losses.registry.build("cross_entropy", 256, 2)
    kept = {"name": "xvector", "channels": 4, "last_channels": 4, "pooling": "asp"}
    about = {"loss": {"name": "cross_entropy"}, "classes": ["a", "b"]}
    about |= {"network": {**kept, "feat_dim": 5}, "features": {}}
    path = tmp_path / "network.pt"
    save_network(path, TrainedNetwork(network, loss, about))
    assert main(["kaldi-export", str(path), str(tmp_path / "out")]) == 1
    assert "nnet3 has no attentive pooling" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_a_configuration_a_classifier_is_no_embedding(tmp_path, capsys):
    assert main(["kaldi-import", str(NETWORK), str(tmp_path / "net")]) == 0
    capsys.readouterr()
    alone = tmp_path / "final.raw"
    alone.write_bytes(NETWORK.read_bytes())
    assert main(["kaldi-import", str(alone), str(tmp_path / "none")]) == 1
    error, hint = capsys.readouterr().err.splitlines()[-2:]
    assert "its output is that of a classifier, 'output.log-softmax'" in error
    assert "--nnet-config FILE" in hint
    assert not (tmp_path / "none").exists()


def test_numbers_in_the_files_beside_it_are_checked(expdir):
    (expdir / "min_chunk_size").write_text("many\n")
    with pytest.raises(DataError, match="expected a number of frames, got 'many'"):
        read_xvector(expdir)


NUMBER = re.compile(r"(?<=\s)-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?=\s)")


def test_what_is_written_is_kaldis_own_text_but_for_the_digits_of_numbers(tmp_path):
    """Byte for byte, as nnet3-copy --binary=false wrote the golden network."""
    network = read_xvector(NETWORK).network
    write_nnet3(tmp_path / "ours", network.lines, network.described_components())
    ours = (tmp_path / "ours").read_text()
    theirs = gzip.decompress((XVECTOR / "final.txt.gz").read_bytes()).decode()
    assert NUMBER.sub("#", ours) == NUMBER.sub("#", theirs)
    numbers = ([float(x) for x in NUMBER.findall(text)] for text in (ours, theirs))
    np.testing.assert_allclose(*numbers, rtol=1e-6, atol=1e-6)
