import numpy as np
import soundfile

from asdkit.__main__ import main
from asdkit.data.manifests import read_utterances


def test_a_long_recording_is_cut(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rec" / "ann").mkdir(parents=True)
    samples = rng.normal(size=16000 * 7) / 8
    samples[16000 * 4 : 16000 * 5] /= 1e4
    soundfile.write("rec/ann/1.wav", samples, 16000)
    for program in (
        "data-prepare rec data",
        "feats-compute data mfcc",
        "vad-compute data vad",
        "data-segment --max-sec 5 data cut",
    ):
        assert main(program.split()) == 0
    first, second = read_utterances("cut")
    assert (first.utt, second.utt) == ("ann-1-0001", "ann-1-0002")
    np.testing.assert_allclose([first.duration, second.start], [4.1, 4.9], atol=0.05)
