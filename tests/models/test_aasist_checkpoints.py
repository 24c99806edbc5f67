"""The published AASIST beside its definition, written out with the authors' names."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import torch.nn.functional as F

from asdkit.base.errors import DataError
from asdkit.batches.crops import crop_frames
from asdkit.batches.feature_config import FeatureConfig
from asdkit.features.waveform import Waveform
from asdkit.models.aasist_checkpoints import read_aasist
from asdkit.models.networks import load_network, save_network
from asdkit.nnet.sinc import SincFilters

SHARED = Path("/work/shared")
WIDTHS = {"aasist": 64, "aasist_l": 24}
# Of the nodes of frequency, of time, and of both when they are joined.
RATIOS = {"aasist": (0.5, 0.7, 0.5), "aasist_l": (0.4, 0.5, 0.7)}


def published_logits(state, samples, ratios):
    """(N, L) samples -> (N, 2), as the published program computes them."""

    def linear(name, x):
        return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    def norm(name, x):
        parts = "running_mean", "running_var", "weight", "bias"
        return F.batch_norm(x, *(state[f"{name}.{part}"] for part in parts))

    def norm_nodes(name, x):
        return F.selu(norm(name, x.flatten(0, 1)).view(x.shape))

    def conv(name, x, padding):
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], 1, padding)

    def pool(name, x, ratio):
        scores = linear(f"{name}.proj", x).sigmoid()
        best = scores.topk(max(int(x.shape[1] * ratio), 1), dim=1).indices
        return (x * scores).gather(1, best.expand(-1, -1, x.shape[2]))

    def attend(name, x):
        pairs = torch.tanh(linear(f"{name}.att_proj", x[:, :, None] * x[:, None]))
        weights = (pairs @ state[f"{name}.att_weight"] / 2.0).softmax(dim=-2)
        y = linear(f"{name}.proj_with_att", weights.squeeze(-1) @ x)
        return norm_nodes(f"{name}.bn", y + linear(f"{name}.proj_without_att", x))

    def join(name, t, s, master):
        """Time comes first."""
        x = torch.cat(
            [linear(f"{name}.proj_type1", t), linear(f"{name}.proj_type2", s)], 1
        )
        n = t.shape[1]
        pairs = torch.tanh(linear(f"{name}.att_proj", x[:, :, None] * x[:, None]))
        board = torch.zeros(*pairs.shape[:3], 1)
        first, second = slice(None, n), slice(n, None)
        for rows, columns, kinds in (
            (first, first, 11),
            (second, second, 22),
            (first, second, 12),
            (second, first, 12),
        ):
            weight = state[f"{name}.att_weight{kinds}"]
            board[:, rows, columns] = pairs[:, rows, columns] @ weight
        weights = (board / 100.0).softmax(dim=-2)
        heard = torch.tanh(linear(f"{name}.att_projM", x * master))
        heard = (heard @ state[f"{name}.att_weightM"] / 100.0).softmax(dim=-2)
        master = linear(f"{name}.proj_with_attM", heard.mT @ x) + linear(
            f"{name}.proj_without_attM", master
        )
        y = linear(f"{name}.proj_with_att", weights.squeeze(-1) @ x)
        y = norm_nodes(f"{name}.bn", y + linear(f"{name}.proj_without_att", x))
        return y[:, :n], y[:, n:], master

    x = SincFilters(70, 129)(samples[:, None])[:, None]
    x = F.selu(norm("first_bn", F.max_pool2d(x.abs(), (3, 3))))
    for n in range(6):
        name = f"encoder.{n}.0"
        y = conv(f"{name}.conv1", x, (1, 1))  # not of bn1, which nothing reads
        y = conv(f"{name}.conv2", F.selu(norm(f"{name}.bn2", y)), (0, 1))
        if f"{name}.conv_downsample.weight" in state:
            x = conv(f"{name}.conv_downsample", x, (0, 1))
        x = F.max_pool2d(y + x, (1, 3))
    s = attend("GAT_layer_S", x.abs().amax(3).transpose(1, 2) + state["pos_S"])
    t = attend("GAT_layer_T", x.abs().amax(2).transpose(1, 2))
    s, t = pool("pool_S", s, ratios[0]), pool("pool_T", t, ratios[1])
    ways = []
    for way in "12":
        graph = f"HtrgGAT_layer_ST{way}"
        t1, s1, master = join(f"{graph}1", t, s, state[f"master{way}"])
        s1, t1 = (
            pool(f"pool_hS{way}", s1, ratios[2]),
            pool(f"pool_hT{way}", t1, ratios[2]),
        )
        more = join(f"{graph}2", t1, s1, master)
        ways.append(
            [old + new for old, new in zip((t1, s1, master), more, strict=True)]
        )
    t, s, master = (torch.maximum(*pair) for pair in zip(*ways, strict=True))
    parts = [t.abs().amax(1), t.mean(1), s.abs().amax(1), s.mean(1), master[:, 0]]
    return linear("out_layer", torch.cat(parts, dim=1))


@pytest.fixture
def write_checkpoint(aasist_state, tmp_path):
    """Write random weights, changed by a function; return where."""

    def write(change=lambda state: None, wide=24):
        state = aasist_state(wide)
        change(state)
        torch.save(state, tmp_path / "published.pth")
        return tmp_path / "published.pth"

    return write


@pytest.mark.parametrize("name", WIDTHS)
def test_imported_weights_compute_the_published_logits(name, write_checkpoint, rng):
    path = write_checkpoint(wide=WIDTHS[name])
    trained = read_aasist(path)
    assert trained.options["network"]["name"] == name
    samples = torch.from_numpy(rng.normal(0, 0.1, (2, 9000))).float()
    with torch.no_grad():
        expected = published_logits(torch.load(path), samples, RATIOS[name])
        embeddings = trained.network(samples[:, :, None])
        found = trained.loss.logits(embeddings)
    assert (expected[0] - expected[1]).abs().max() > 1e-3  # it does depend on them
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    scores = trained.loss.scores(embeddings)
    torch.testing.assert_close(scores, found[:, 1] - found[:, 0])


def test_the_file_says_how_the_authors_prepare_an_utterance(write_checkpoint, tmp_path):
    save_network(tmp_path / "network.pt", read_aasist(write_checkpoint()))
    options = load_network(tmp_path / "network.pt").options
    features = FeatureConfig.read(options["features"])
    samples = Waveform(sample_frequency=16000.0)
    assert features == FeatureConfig.computed_by(samples, subtract_mean=False)
    assert features.description == options["features"]
    assert options["classes"] == ["spoof", "bonafide"]
    assert (options["data"]["crop"], options["data"]["chunk_frames"]) == (
        "first",
        64600,
    )
    assert options["network"]["pre_norm"] is False
    assert options["imported"]["file"] == "published.pth"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda s: s.pop("pool_S.proj.bias"), "'pool_S.proj.bias' .*is missing"),
        (
            lambda s: s.pop("encoder.3.0.bn1.weight"),
            "'encoder.3.0.bn1.weight' .*missing",
        ),
        (
            lambda s: s.update({"pos_S": torch.zeros(1, 22, 24)}),
            r"'pos_S': expected shape \(1, 23, 24\), got \(1, 22, 24\)",
        ),
        (
            lambda s: s.update({"extra.weight": torch.zeros(3)}),
            r"'extra.weight' of shape \(3,\) is not expected",
        ),
        (
            lambda s: s["out_layer.bias"].fill_(torch.nan),
            "'out_layer.bias' has values that are not finite",
        ),
        (
            lambda s: s.update({"out_layer.bias": "text"}),
            "expected a dictionary of named tensors, got str under 'out_layer.bias'",
        ),
        (lambda s: s.clear(), "expected a dictionary of named tensors, got nothing"),
    ],
)
def test_what_does_not_fit_is_named(change, problem, write_checkpoint):
    with pytest.raises(DataError, match=problem):
        read_aasist(write_checkpoint(change))


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    class Code:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"pos_S": Code()}, tmp_path / "evil.pth")
    with pytest.raises(DataError, match="not a checkpoint of tensors, or damaged"):
        read_aasist(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="the authors' weights are not here")
@pytest.mark.parametrize("name", ["AASIST", "AASIST-L"])
def test_the_published_weights_give_the_authors_logits(name):
    folder = SHARED / "pretrained/aasist"
    trained = read_aasist(folder / f"{name}.pth")
    audio = SHARED / "data/la762/ASVspoof2019_LA_eval/flac"
    lines = (folder / f"golden_{name}.txt").read_text().splitlines()
    assert len(lines) == 22
    for line in lines:
        utt, score, *logits = line.split()
        samples = soundfile.read(audio / f"{utt}.flac")[0][:, None]
        cropped = crop_frames(samples, "first", 64600).astype(np.float32)
        with torch.no_grad():
            embedding = trained.network(torch.from_numpy(cropped)[None])
            found = trained.loss.logits(embedding)[0].tolist()
            found_score = trained.loss.scores(embedding).item()
        assert found == pytest.approx([float(x) for x in logits], abs=1e-4)
        assert found_score == pytest.approx(float(score), abs=1e-4)
