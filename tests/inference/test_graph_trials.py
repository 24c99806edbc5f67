"""Error rates of graphs against those of the training path."""

import numpy as np
import pytest
import soundfile

from asdkit.__main__ import main
from asdkit.base.errors import AsdkitError
from asdkit.data.manifests import Utterance, write_utterances
from asdkit.features.mel import Fbank
from asdkit.inference.export import Exported
from asdkit.inference.graph import graph_of
from asdkit.inference.graph_trials import TrialSet, _goal, error_rates, error_table
from asdkit.inference.onnx_file import to_onnx
from asdkit.inference.onnx_model import OnnxModel
from asdkit.io.trials import read_trials
from asdkit.metrics.eer import eer

pytest.importorskip("onnx")


@pytest.fixture
def trials(tmp_path, rng, monkeypatch):
    """Twelve recordings of three 'speakers', colors of noise; all their pairs."""
    monkeypatch.chdir(tmp_path)
    utterances = []
    for n in range(12):
        spk, utt = f"s{n % 3}", f"s{n % 3}-{n}"
        noise = rng.normal(0, 0.05, 8000)
        samples = np.convolve(noise, [1, (n % 3) - 1 + 0.3 * rng.normal()], "same")
        soundfile.write(f"{utt}.flac", samples, 16000)
        utterances.append(Utterance(utt, spk, f"{utt}.flac", False, 0.0, 0.5, 0, 16000))
    write_utterances("data", utterances)
    assert main(["trials-make", "data", "trials"]) == 0
    return "trials"


@pytest.mark.parametrize("form", ["waveform", "feats"])
def test_a_graph_errs_as_the_training_path_does(untrained, trials, form):
    model = untrained("xvector", Fbank(num_mel_bins=24, dither=0.0))
    found = TrialSet.read(model, trials, "data")
    graph = OnnxModel(to_onnx(graph_of(model, form), 100 if form == "feats" else 8000))
    pairs = read_trials(trials)
    scores = np.array(
        [
            float(model.score(*(f"{ids[row]}.flac" for ids, row in sides)))
            for sides in zip(
                [(pairs.enroll_ids, row) for row in pairs.enroll],
                [(pairs.test_ids, row) for row in pairs.test],
                strict=True,
            )
        ]
    )
    expected = eer(scores[pairs.is_target], scores[~pairs.is_target])
    assert error_rates({"x": graph}, found)["x"] == pytest.approx(expected, abs=1e-9)
    assert 0 < expected < 0.5


def test_the_table_has_both_and_says_whether_it_is_worth_it(untrained, trials):
    model = untrained("xvector", Fbank(num_mel_bins=24, dither=0.0))
    content = to_onnx(graph_of(model, "feats"), 100)
    exported = Exported(content, None, None, content)
    read = TrialSet.read(model, trials, "data")
    table = error_table(exported, "dynamic", read)
    text = str(table)
    rate = error_rates({"x": OnnxModel(content)}, read)["x"]  # a fraction
    assert table.to_json()["rows"][0]["EER %"] == pytest.approx(100 * rate)
    assert "missed, the size is 1.000 of it." in text
    assert "+0.0" in text
    assert _goal(0.019, 0.27).endswith("met.")
    assert _goal(0.05, 0.3).endswith("the loss is 5.0 % and the size is 0.300 of it.")


def test_what_has_no_such_trials_is_refused(untrained, trials, tmp_path):
    model = untrained("xvector", Fbank(num_mel_bins=24, dither=0.0))
    with pytest.raises(AsdkitError, match="--trials and --data belong together"):
        TrialSet.read(model, trials, None)
    (tmp_path / "other").write_text("s0-0 x target\ns0-0 s1-1 nontarget\n")
    with pytest.raises(AsdkitError, match="'x' has no recording in data"):
        TrialSet.read(model, "other", "data")
    crop = {"crop": "whole", "chunk_frames": 9, "batch_size": 2}
    cm = untrained("senet9", classes=("spoof", "bonafide"), **crop)
    with pytest.raises(AsdkitError, match="compares speakers, and this is a counter"):
        TrialSet.read(cm, trials, "data")
