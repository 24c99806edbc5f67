"""Fixtures that all tests share."""

import contextlib
import importlib
import importlib.util
import io
import logging
import multiprocessing
from pathlib import Path

import kaldiio
import numpy as np
import pytest
import soundfile
import torch

# Beside this file, which pytest does not import from a package.
_SPEC = importlib.util.spec_from_file_location(
    "chromium", Path(__file__).with_name("browser.py")
)
chromium = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(chromium)

NO_K2 = pytest.mark.skip(reason="needs k2: tools/setup.sh --k2")
KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # of MPEG 2, III
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def pytest_collection_modifyitems(items):
    """Skip what needs k2, or a browser, where there is none."""
    absent = {}
    if importlib.util.find_spec("k2") is None:
        absent["k2"] = NO_K2
    if lacking := chromium.missing():
        reason = f"needs {' and '.join(lacking)}: {chromium.INSTALL}"
        absent["browser"] = pytest.mark.skip(reason=reason)
    for item in items:
        for name, mark in absent.items():
            if item.get_closest_marker(name):
                item.add_marker(mark)


@pytest.fixture
def browser():
    """Start headless Chromium, with flags if need be; it ends with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda *flags: stack.enter_context(chromium.Browser(*flags))


@pytest.fixture(
    params=["cpu", pytest.param("cuda", marks=[pytest.mark.gpu, NO_GPU])],
)
def device(request):
    """Where to compute: the same is asked of both."""
    return request.param


@pytest.fixture(scope="session")
def torchaudio():
    """An oracle, and what self-supervised encoders need; asdkit does without."""
    try:
        return importlib.import_module("torchaudio")
    except Exception as error:  # a broken one raises whatever it runs into
        pytest.skip(f"torchaudio cannot be imported here: {error}")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def mp3_frames():
    """Encode (L,) samples at 16 kHz as MP3 frames; the first states their number."""

    def encode(samples):
        stream, rate = io.BytesIO(), 16000
        soundfile.write(stream, samples, rate, format="MP3", bitrate_mode="VARIABLE")
        data, frames = stream.getvalue(), []
        while data:
            assert data[:2] == b"\xff\xf3"  # the header of MPEG 2, layer III
            size = 72 * 1000 * KBPS[data[2] >> 4] // rate + (data[2] >> 1 & 1)
            frames.append(data[:size])
            data = data[size:]
        return frames

    return encode


@pytest.fixture
def golden():
    """The folder of files that Kaldi's own binaries wrote; see its README."""
    return Path(__file__).parent / "golden" / "kaldi"


@pytest.fixture
def damaged(monkeypatch):
    """Let archives of NaN be written, as other tools write them."""
    monkeypatch.setattr("asdkit.io.ark._refuse_nonfinite", lambda *_: None)


@pytest.fixture(autouse=True)
def _fresh_log_level():
    """Leave no program's --log-level to the tests that come after."""
    logger = logging.getLogger("asdkit")
    level = logger.level
    yield
    logger.setLevel(level)


def write_table(path, table):
    path.write_text("".join(f"{key} {value}\n" for key, value in sorted(table.items())))


@pytest.fixture
def table():
    """Write a table from a dictionary."""
    return write_table


@pytest.fixture
def lab(tmp_path, rng, monkeypatch):
    """Three speakers with two utterances each, features, VAD, trials, and more.

    The current directory is the lab's; paths are relative to it.
    """
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data" / "lab"
    data.mkdir(parents=True)
    (tmp_path / "wav").mkdir()
    utts = [f"s{spk}-u{i}" for spk in range(3) for i in range(2)]
    wavs, feats, vads = {}, {}, {}
    for n, utt in enumerate(utts):
        suffix = ["wav", "flac", "ogg"][n % 3]
        rate = [8000, 16000, 44100][n % 3]
        samples = rng.standard_normal(rate + 100 * n) * 0.1
        soundfile.write(f"wav/{utt}.{suffix}", samples, rate)
        wavs[utt] = f"wav/{utt}.{suffix}"
        feats[utt] = rng.standard_normal((90 + n, 3)).astype(np.float32)
        vads[utt] = np.ones(90 + n, np.float32)
    kaldiio.save_ark("feats.ark", feats, scp=str(data / "feats.scp"))
    kaldiio.save_ark("vad.ark", vads, scp=str(data / "vad.scp"))
    write_table(data / "wav.scp", wavs)
    write_table(data / "utt2spk", {utt: utt[:2] for utt in utts})
    write_table(data / "spk2utt", {f"s{k}": f"s{k}-u0 s{k}-u1" for k in range(3)})
    write_table(data / "spk2gender", {"s0": "f", "s1": "m", "s2": "f"})
    write_table(data / "spk2age", {"s0": 6, "s1": 7, "s2": 8})
    write_table(data / "text", {utt: f"THIS IS {utt.upper()}" for utt in utts})
    write_table(data / "utt2num_frames", {utt: len(x) for utt, x in feats.items()})
    write_table(data / "enroll.spk2utt", {"model": "s0-u0 s1-u0"})
    (data / "trials").write_text(
        "s0-u0 s0-u1 target\ns0-u0 s1-u0 nontarget\nmodel s2-u1 nontarget\n"
    )
    return data


@pytest.fixture
def speech(tmp_path, rng, monkeypatch):
    """A data directory of ten utterances of three speakers: audio, features, VAD.

    Utterance i of speaker k lasts 0.4 i + 0.1 k seconds more than 0.5; s2 has only
    one.  A feature's first column is the number of its frame; every third frame is
    voiced.  The current directory is ``tmp_path``.
    """
    from asdkit.data.manifests import Utterance, write_utterances
    from asdkit.io.ark import ArkWriter

    monkeypatch.chdir(tmp_path)
    utterances, feats, vads = [], {}, {}
    for spk, number in ("s0", 5), ("s1", 4), ("s2", 1):
        for i in range(number):
            utt, sec = f"{spk}-u{i}", 0.5 + 0.4 * i + 0.1 * int(spk[1])
            samples = 0.1 * rng.standard_normal(round(16000 * sec))
            soundfile.write(f"{utt}.flac", samples, 16000)
            utterances.append(
                Utterance(utt, spk, f"{utt}.flac", False, 0.0, sec, 0, 16000)
            )
            feats[utt] = rng.standard_normal((round(100 * sec) - 2, 5))
            feats[utt][:, 0] = np.arange(len(feats[utt]))
            vads[utt] = (np.arange(len(feats[utt])) % 3 == 0).astype(float)
    data = tmp_path / "data"
    write_utterances(data, utterances)
    for name, arrays in ("feats", feats), ("vad", vads):
        with ArkWriter("ark", name) as writer:
            for utt, array in arrays.items():
                writer[utt] = array
        (data / f"{name}.scp").write_text(writer.scp.read_text())
    return data


@pytest.fixture
def run_in_child():
    """Run a function in a process of its own; return its exit code."""

    def run(function, *args):
        return fork(function, [args])[0]

    return run


@pytest.fixture
def run_forked():
    """Run a function once per tuple of arguments, side by side; return exit codes."""
    return fork


def fork(function, arguments):
    """Fork, because the children shall see what the test has defined."""

    def run(*args):
        torch.set_num_threads(1)
        function(*args)

    context = multiprocessing.get_context("fork")
    children = [context.Process(target=run, args=args) for args in arguments]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
        child.kill()
    return [child.exitcode for child in children]


@pytest.fixture
def aasist_state(rng):
    """Make random weights in the layout that the authors of AASIST publish.

    Takes the channels of the last blocks: 64 is AASIST, 24 AASIST-L.
    """

    def make(wide):
        shapes = {"pos_S": (1, 23, wide), "master1": (1, 1, wide)}
        shapes |= {"master2": (1, 1, wide), "out_layer.weight": (2, 160)}
        shapes |= {"out_layer.bias": (2,)}

        def norm(name, dim):
            for part in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{name}.{part}"] = (dim,)
            shapes[f"{name}.num_batches_tracked"] = ()

        def layer(name, *size):
            shapes[f"{name}.weight"], shapes[f"{name}.bias"] = size, size[:1]

        norm("first_bn", 1)
        before = 1
        for n, channels in enumerate((32, 32, wide, wide, wide, wide)):
            name = f"encoder.{n}.0"
            if n:
                norm(f"{name}.bn1", before)
            layer(f"{name}.conv1", channels, before, 2, 3)
            norm(f"{name}.bn2", channels)
            layer(f"{name}.conv2", channels, channels, 2, 3)
            if before != channels:
                layer(f"{name}.conv_downsample", channels, before, 1, 3)
            before = channels
        graphs = dict.fromkeys(("GAT_layer_S", "GAT_layer_T"), (wide, wide))
        for way in "12":
            graphs[f"HtrgGAT_layer_ST{way}1"] = wide, 32
            graphs[f"HtrgGAT_layer_ST{way}2"] = 32, 32
        for name, (old, new) in graphs.items():
            weights, masters = ["att_weight"], [""]
            if name.startswith("Htrg"):
                weights = [f"att_weight{kind}" for kind in ("11", "22", "12", "M")]
                masters = ["", "M"]
                layer(f"{name}.proj_type1", old, old)
                layer(f"{name}.proj_type2", old, old)
            shapes.update((f"{name}.{weight}", (new, 1)) for weight in weights)
            for master in masters:
                for kind in ("att_proj", "proj_with_att", "proj_without_att"):
                    layer(f"{name}.{kind}{master}", new, old)
            norm(f"{name}.bn", new)
        for name, dim in {"S": wide, "T": wide, "hS1": 32, "hT1": 32}.items():
            layer(f"pool_{name}.proj", 1, dim)
        for name in ("hS2", "hT2"):
            layer(f"pool_{name}.proj", 1, 32)
        state = {}
        for name, shape in shapes.items():
            values = rng.normal(0, 0.2, shape)
            if name.endswith("running_var"):
                values = rng.uniform(0.5, 2, shape)
            state[name] = torch.as_tensor(values, dtype=torch.float32)
            if name.endswith("tracked"):
                state[name] = torch.tensor(100)
        return state

    return make


@pytest.fixture
def draw_voices():
    """A function that writes synthesized voices, in a folder for each speaker."""
    from asdkit.simulation.corpus import DrawnCorpus

    def write(folder, num_spks, num_utts, mean_sec, suffix):
        drawn = DrawnCorpus(num_spks, 1, num_utts, mean_sec, prefix=folder.name)
        for x in drawn.utterances():
            path = folder / x.spk / f"{x.utt[-2:]}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, drawn.speak(x), 16000)

    return write
