import numpy as np
import pytest
import soundfile
from lhotse import Recording, RecordingSet

from asdkit.base.errors import DataError
from asdkit.batches.noises import (
    SNR_DB,
    DrawnNoises,
    DrawnRooms,
    RecordedNoises,
    RecordedRooms,
    draw_babble,
    read_recordings,
)
from asdkit.data.cuts import read_cuts

KINDS = {"music-1": 2.0, "noise-1": 0.3, "speech-1": 1.0, "speech-2": 1.5, "hum": 1.0}


def slope_db(noise):
    """Level of the upper half of the spectrum against the lower, in dB."""
    low, high = np.array_split(np.abs(np.fft.rfft(noise)) ** 2, 2)
    return 10 * np.log10(high.sum() / low.sum())


@pytest.fixture(params=["lhotse", "kaldi"])
def musan(request, tmp_path, rng, table):
    """Five recordings, listed in lhotse's way or in Kaldi's."""
    directory = tmp_path / "musan"
    directory.mkdir()
    paths = {}
    for reco, sec in KINDS.items():
        paths[reco] = tmp_path / f"{reco}.wav"
        soundfile.write(paths[reco], 0.1 * rng.standard_normal(int(16000 * sec)), 16000)
    if request.param == "kaldi":
        table(directory / "wav.scp", paths)
    else:
        for kind in ("music", "noise", "speech", "hum"):
            RecordingSet.from_recordings(
                Recording.from_file(path, recording_id=reco)
                for reco, path in paths.items()
                if reco.startswith(kind)
            ).to_file(directory / f"musan_recordings_{kind}.jsonl.gz")
    return directory


def test_drawn_rooms_are_reproducible_and_differ():
    rooms = DrawnRooms()
    first, again = (rooms.draw(np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    rng = np.random.default_rng(0)
    lengths = [len(rooms.draw(rng)) / 16000 for _ in range(200)]
    assert 0.1 <= min(lengths) < 0.15
    assert 0.75 < max(lengths) <= 0.8


def test_drawn_noise_has_colors_and_the_ratios_of_noise(rng):
    drawn = [DrawnNoises().draw(8001, rng) for _ in range(100)]
    assert {len(noise) for noise, _ in drawn} == {8001}
    assert all(noise.dtype == np.float32 for noise, _ in drawn)
    slopes = [slope_db(noise) for noise, _ in drawn]
    assert min(slopes) < -20
    assert max(slopes) > -5
    snrs = [snr for _, snr in drawn]
    assert SNR_DB["noise"][0] <= min(snrs) < 2
    assert 13 < max(snrs) <= SNR_DB["noise"][1]


def test_half_of_drawn_noise_is_babble_where_there_is_speech(speech, rng):
    cuts = list(read_cuts(speech, features=False))
    snrs = [DrawnNoises(cuts).draw(800, rng)[1] for _ in range(300)]
    assert max(snrs) > 25
    assert np.mean(np.array(snrs) < 10) == pytest.approx(0.5 * 10 / 15, abs=0.08)


def test_babble_is_a_sum_of_voices_of_equal_energy(speech):
    cuts = list(read_cuts(speech, features=False))[:1]
    energies = [
        np.sum(draw_babble(cuts, 8000, np.random.default_rng(i)) ** 2)
        for i in range(100)
    ]
    # One and the same voice, whole, 3 to 7 times.
    assert {round(np.sqrt(energy)) for energy in energies} == {3, 4, 5, 6, 7}


def test_both_kinds_of_directories_are_read(musan):
    recordings = {item.id: item for item in read_recordings(musan)}
    assert {key: item.duration for key, item in recordings.items()} == KINDS


def test_recorded_noise_has_the_ratios_of_its_kind(musan, rng, caplog):
    caplog.set_level("INFO")
    noises = RecordedNoises(musan)
    assert "2 of noise, 1 of music, 2 of speech" in caplog.text
    drawn = [noises.draw(5000, rng) for _ in range(200)]
    assert all(noise.shape == (5000,) for noise, _ in drawn)
    snrs = np.array([snr for _, snr in drawn])
    assert np.mean(snrs > 15) == pytest.approx(0.75 / 3, abs=0.1)
    assert np.mean(snrs < 5) == pytest.approx(1 / 9, abs=0.07)


def test_recorded_rooms_come_whole_and_at_the_rate_in_use(musan, rng):
    rooms = RecordedRooms(musan, sample_frequency=8000)
    lengths = {len(rooms.draw(rng)) for _ in range(60)}
    assert lengths == {int(8000 * sec) for sec in KINDS.values()}


def test_missing_recordings_are_found_before_training(musan):
    (musan.parent / "hum.wav").unlink()
    with pytest.raises(DataError, match=r"hum\.wav: no such file"):
        RecordedNoises(musan)


def test_an_empty_directory_and_commands_are_refused(tmp_path, table):
    with pytest.raises(DataError, match=r"expected \*recordings"):
        read_recordings(tmp_path)
    table(tmp_path / "wav.scp", {"a": "cat a.wav |"})
    with pytest.raises(DataError, match=r"cat a\.wav \|: no such file"):
        read_recordings(tmp_path)
    command = {"type": "command", "channels": [0], "source": "cat a.wav"}
    recording = Recording.from_dict(
        {
            "id": "a",
            "sources": [command],
            "sampling_rate": 16000,
            "num_samples": 100,
            "duration": 100 / 16000,
        }
    )
    path = tmp_path / "recordings.jsonl.gz"
    RecordingSet.from_recordings([recording]).to_file(path)
    with pytest.raises(DataError, match="'a': expected a file, got a command"):
        read_recordings(tmp_path)
