"""Fixtures that all tests share."""

import importlib
import importlib.util
import io
import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

NO_K2 = pytest.mark.skip(reason="needs k2: tools/setup.sh --k2")
KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # of MPEG 2, III
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def pytest_collection_modifyitems(items):
    """Skip what needs k2 where there is none."""
    if importlib.util.find_spec("k2") is None:
        for item in items:
            if item.get_closest_marker("k2"):
                item.add_marker(NO_K2)


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
