"""The front end with a slope, against torchaudio's; networks behind it."""

import numpy as np
import pytest
import torch

from asdkit.base.filterbanks import htk_mel_banks
from asdkit.batches.batches import Batch
from asdkit.distillation.adversarial import Adversary
from asdkit.losses import registry as losses
from asdkit.nnet.log_mel import LogMel
from asdkit.nnet.registry import build

TINY = {"channels": 4, "embedding_dim": 8}
NAMES = ["resnet_se34", "resnet_se34_fast"]


@pytest.fixture
def samples(rng):
    return torch.from_numpy(rng.uniform(-0.3, 0.3, (2, 4000))).float()


def test_frames_are_what_the_definition_says(samples):
    """In double precision; the window is one sample short of symmetric."""
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = np.lib.stride_tricks.sliding_window_view(samples, 400, axis=1)[:, ::160]
    power = np.abs(np.fft.rfft(frames * window, 512)) ** 2  # (N, T, F)
    banks = htk_mel_banks(512, 0, 8000, 40, 16000).double().numpy()
    found, num_frames = LogMel()(samples, None)
    assert num_frames is None
    expected = np.log(power @ banks + 1e-6).transpose(0, 2, 1)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_frames_are_those_of_torchaudio(samples, torchaudio):
    """Its window stands in the middle of 512 samples, so ours begin 56 later."""
    options = {"n_fft": 512, "win_length": 400, "hop_length": 160, "n_mels": 40}
    theirs = torchaudio.transforms.MelSpectrogram(
        **options, window_fn=torch.hamming_window, center=False
    )
    found, _ = LogMel()(samples[:, 56:], None)
    expected = (theirs(samples) + 1e-6).log()  # (N, D, T)
    torch.testing.assert_close(found[:, :, : expected.shape[2]], expected)


def test_bands_without_a_frequency_are_counted(caplog):
    """As torchaudio warns; a network learns to do without them."""
    LogMel(128)
    assert "log-mel: 1 of 128 bands fall between the frequencies" in caplog.text
    caplog.clear()
    LogMel(40)
    assert not caplog.text


def test_preemphasis_reflects_the_first_sample(samples):
    emphasized = samples.clone()
    emphasized[:, 1:] -= 0.97 * samples[:, :-1]
    emphasized[:, 0] -= 0.97 * samples[:, 1]
    expected, _ = LogMel()(emphasized, None)
    found, _ = LogMel(preemphasis_coefficient=0.97)(samples, None)
    torch.testing.assert_close(found, expected)


def test_no_frame_reaches_beyond_an_utterance_s_end(samples):
    found, num_frames = LogMel()(samples, torch.tensor([4000, 719]))
    assert num_frames.tolist() == [23, 2]
    alone, _ = LogMel()(samples[1:, :719], None)
    torch.testing.assert_close(found[1:, :, :2], alone)
    assert (found[1, :, 2:] == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_front_end_and_network_in_one_are_the_two_in_turn(name, samples, shake):
    network = shake(build(f"{name}_samples", **TINY))
    plain = build(name, **TINY).eval()
    plain.load_state_dict(network.state_dict())
    feats = network.log_mel(samples, None)[0].mT
    torch.testing.assert_close(network(samples[..., None]), plain(feats))
    assert network.log_mel.preemphasis_coefficient == (0.97 if name == NAMES[0] else 0)


@pytest.mark.parametrize("name", NAMES)
def test_an_adversary_changes_samples(name, samples):
    network = build(f"{name}_samples", **TINY)
    loss = losses.build("cross_entropy", 8, 2)
    length = torch.full((2,), 4000)
    batch = Batch(["a", "b"], samples[..., None], length, torch.tensor([0, 1]))
    changed = Adversary("fgsm", 0.002)(network, loss, batch)
    change = (changed - batch.feats).abs()
    assert change.max() <= 0.002 + 1e-7
    # The last 160 samples, less those of half a shift, are in no frame.
    assert (change > 0.0019).float().mean() > 0.9
    values = [loss(network.eval()(x), batch.labels) for x in (batch.feats, changed)]
    assert values[1] > values[0]
