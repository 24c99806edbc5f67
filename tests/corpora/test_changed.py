"""Changed copies of data directories: what changes, and what is carried along."""

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import AsdkitError
from asdkit.batches.noises import DrawnNoises
from asdkit.corpora.changed import Codecs, NoiseAdder, Rooms, write_changed
from asdkit.data.manifests import read_manifests, read_utterances, write_manifests
from asdkit.io.tables import read_table


def drawn(rate):
    return DrawnNoises(sample_frequency=rate)


def half(utt, samples, rate):
    return samples[: len(samples) // 2]


@pytest.mark.parametrize("snr_db", [20.0, 5.0, -5.0])
def test_the_ratio_of_energies_is_as_asked(rng, snr_db):
    samples = 0.01 * rng.standard_normal(8000).astype(np.float32)
    noise = NoiseAdder(drawn, snr_db)("utt", samples, 8000) - samples
    energies = np.sum(samples**2), np.sum(noise**2)
    assert 10 * np.log10(energies[0] / energies[1]) == pytest.approx(snr_db, abs=0.01)


def test_noise_depends_on_utterance_and_seed_only(rng):
    samples = 0.01 * rng.standard_normal(8000).astype(np.float32)
    first = NoiseAdder(drawn)("utt", samples, 16000)
    adder = NoiseAdder(drawn)
    other = adder("other", samples, 16000)
    np.testing.assert_array_equal(adder("utt", samples, 16000), first)
    assert not np.allclose(other, first)
    assert not np.allclose(NoiseAdder(drawn, seed=1)("utt", samples, 16000), first)


def test_what_would_clip_is_scaled_as_a_whole(rng):
    samples = np.sin(np.arange(4000)).astype(np.float32)
    quiet = NoiseAdder(drawn, 0.0)("utt", samples / 100, 16000)
    mixed = NoiseAdder(drawn, 0.0)("utt", samples, 16000)
    np.testing.assert_allclose(mixed, quiet / np.abs(quiet).max(), atol=1e-6)


def test_the_directory_lists_what_was_written(speech):
    write_changed(speech, "out", "wav", half)
    for utterance in read_utterances("out"):
        samples, rate = soundfile.read(utterance.source)
        before, _ = soundfile.read(f"{utterance.utt}.flac")
        assert utterance.source == f"wav/{utterance.spk}/{utterance.utt}.flac"
        assert utterance.duration == pytest.approx(len(samples) / rate)
        np.testing.assert_array_equal(samples, before[: len(before) // 2])


def test_attacks_and_trials_are_carried_features_are_not(speech, tmp_path):
    manifests = read_manifests(speech)
    for item in manifests.supervisions.values():
        item.custom = {"attack": "A07"}
    write_manifests(
        speech,
        manifests.recordings.values(),
        manifests.supervisions.values(),
        {"trials": ["s0-u0 s1-u1 nontarget"]},
    )
    write_changed(speech, "out", "wav", half)
    supervisions = read_manifests("out").supervisions
    assert all(item.custom == {"attack": "A07"} for item in supervisions.values())
    assert read_table("out/utt2attack") == dict.fromkeys(supervisions, "A07")
    assert read_table("out/trials") == {"s0-u0": "s1-u1 nontarget"}
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert not names & {"feats.scp", "vad.scp", "utt2num_frames"}


def test_a_segment_becomes_a_recording_of_its_own(speech):
    """What is heard is the segment, not the recording it was cut from."""
    manifests = read_manifests(speech)
    item = manifests.supervisions["s0-u4"]
    item.start, item.duration = 0.5, 0.25
    write_manifests(
        speech, manifests.recordings.values(), manifests.supervisions.values()
    )
    write_changed(speech, "out", "wav", lambda utt, samples, rate: samples)
    before, _ = soundfile.read("s0-u4.flac")
    samples, _ = soundfile.read("wav/s0/s0-u4.flac")
    np.testing.assert_array_equal(samples, before[8000:12000])
    assert read_manifests("out").supervisions["s0-u4"].start == 0


def test_a_failure_leaves_no_directory(speech, tmp_path):
    def fail(utt, samples, rate):
        raise RuntimeError(utt)

    with pytest.raises(RuntimeError, match="s0-u0"):
        write_changed(speech, "out", "wav", fail)
    assert not (tmp_path / "out").exists()


def test_codecs_are_drawn_per_utterance_and_noted(speech):
    codecs = Codecs("none,alaw,gsm", seed=3)
    write_changed(speech, "out", "wav", codecs, note=lambda utt: {"codec": "x"})
    assert set(read_table("out/utt2codec").values()) == {"x"}
    drawn = {utt: codecs.codec_of(utt) for utt in read_manifests("out").supervisions}
    assert len(set(drawn.values())) > 1
    assert drawn == {
        utt: Codecs("none,alaw,gsm", seed=3).codec_of(utt) for utt in drawn
    }
    assert any(Codecs("none,alaw,gsm").codec_of(utt) != drawn[utt] for utt in drawn)
    with pytest.raises(AsdkitError, match="got 'mp4'"):
        Codecs("mp3,mp4")


def test_rooms_are_drawn_per_utterance_and_keep_the_level(rng):
    rooms = Rooms(seed=1)
    assert len({rooms.environment_of(f"u{i}") for i in range(300)}) == 27
    samples = 0.01 * rng.standard_normal(8000).astype(np.float32)
    heard = rooms("u0", samples, 16000)
    assert heard.std() == pytest.approx(samples.std(), rel=1e-3)
    np.testing.assert_array_equal(Rooms(seed=1)("u0", samples, 16000), heard)
    assert not np.allclose(rooms("u1", samples, 16000), heard)
    with pytest.raises(AsdkitError, match="got 'abd'"):
        Rooms("aaa,abd")
