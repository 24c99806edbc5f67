"""Spoofed corpora: what is planned, made, listed and skipped."""

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import AsdkitError, DataError
from asdkit.corpora import spoofed
from asdkit.corpora.leaks import check_leaks
from asdkit.corpora.spoof_plan import plan_spoofs
from asdkit.corpora.spoofed import write_spoofed
from asdkit.data.cuts import read_cuts
from asdkit.data.manifests import read_manifests, read_utterances, write_manifests
from asdkit.io.tables import read_table
from asdkit.simulation.attacks import ATTACKS, Attack

LPC = {"A01": "lpc"}


def cuts_of(data):
    return list(read_cuts(data, features=False))


def test_a_conversion_says_what_the_other_said_in_the_victims_name(
    speech, toys, change
):
    change(speech, text=lambda item: f"text of {item.id}")
    write_spoofed(speech, "out", "wav", {"C": "convert"})
    (spoofs,) = [plan_spoofs(cuts_of(speech), {"C": "convert"})]
    made = {item.utt: item for item in read_utterances("out")}
    for spoof, material in zip(spoofs, toys, strict=True):
        item = made[spoof.utt]
        assert item.spk == spoof.victim[:2]
        assert item.text == f"text of {spoof.other}"
        for utt, samples in (
            (spoof.victim, material.samples),
            (spoof.other, material.other),
        ):
            expected, _ = soundfile.read(f"{utt}.flac", dtype="float32")
            np.testing.assert_array_equal(samples, expected)


def test_a_speaker_keeps_the_voice_of_a_synthesizer(speech, toys, change):
    """The generator is that of the speaker; of other attacks, of the utterance."""
    change(speech, text=lambda item: "hello")
    write_spoofed(speech, "out", "wav", {"T": "read", "N": "noise"})

    def first(name):
        samples, _ = soundfile.read(f"wav/{name[:2]}/{name}.flac")
        return samples[:100] / samples[:4000].std()

    np.testing.assert_allclose(first("s0-u1-T"), first("s0-u2-T"), atol=0.1)
    assert np.corrcoef(first("s0-u1-T"), first("s1-u1-T"))[0, 1] < 0.5
    assert np.corrcoef(first("s0-u1-N"), first("s0-u2-N"))[0, 1] < 0.5


def test_originals_are_listed_as_they_are_or_not_at_all(speech):
    before = read_manifests(speech)
    write_spoofed(speech, "out", "wav", LPC)
    after = read_manifests("out")
    assert len(after.supervisions) == 20
    for utt, item in before.supervisions.items():
        assert after.recordings[item.recording_id] == before.recordings[utt]
        found = after.supervisions[utt]
        assert (found.start, found.duration) == (item.start, item.duration)
        assert found.custom == {"attack": "bonafide"}
        spoof = after.supervisions[f"{utt}-A01"]
        assert spoof.speaker == item.speaker
        assert spoof.duration == pytest.approx(item.duration)
        assert spoof.custom == {"attack": "A01"}
    table = read_table("out/utt2attack")
    assert table == {
        utt: "A01" if utt.endswith("A01") else "bonafide" for utt in after.supervisions
    }
    write_spoofed(speech, "alone", "wav", LPC, with_bonafide=False)
    assert set(read_table("alone/utt2attack").values()) == {"A01"}
    assert not (spoofed.Path("out") / "feats.scp").exists()


def test_a_segment_is_imitated_not_its_recording(speech, toys):
    manifests = read_manifests(speech)
    item = manifests.supervisions["s0-u4"]
    item.start, item.duration = 0.5, 0.25
    write_manifests(
        speech, manifests.recordings.values(), manifests.supervisions.values()
    )
    write_spoofed(speech, "out", "wav", {"N": "noise"})
    samples = toys[4].samples
    expected, _ = soundfile.read("s0-u4.flac", dtype="float32")
    np.testing.assert_array_equal(samples, expected[8000:12000])
    found = read_manifests("out").supervisions
    assert (found["s0-u4"].start, found["s0-u4-N"].start) == (0.5, 0)


def test_spoofs_are_not_imitated_again(speech, toys, change):
    write_spoofed(speech, "once", "wav", {"A01": "noise"})
    write_spoofed("once", "twice", "wav2", {"A02": "noise"})
    assert len(toys) == 20
    assert set(read_table("twice/utt2attack").values()) == {"bonafide", "A02"}
    change("once", custom=lambda item: {"attack": "A09"})
    with pytest.raises(DataError, match="expected bona fide utterances, got none"):
        write_spoofed("once", "never", "wav3", {"A02": "noise"})


def test_what_cannot_be_made_is_counted(speech, toys, caplog, change):
    change(
        speech,
        text=lambda item: {"s0-u0": None, "s0-u1": "..."}.get(item.id, "hello"),
    )
    spoofs = plan_spoofs(cuts_of(speech), {"T": "read", "N": "noise"})
    assert len([spoof for spoof in spoofs if spoof.attack == "T"]) == 8
    assert "T: of 10 utterances: 2 have no transcript: skipped" in caplog.text
    assert "N:" not in caplog.text


def test_an_attack_that_fits_nothing_is_an_error_before_any_work(
    speech, tmp_path, change
):
    with pytest.raises(AsdkitError, match="10 have no transcript"):
        write_spoofed(speech, "out", "wav", {"A01": "lpc", "A02": "espeak"})
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "wav").exists()
    change(speech, speaker=lambda item: "one")
    with pytest.raises(AsdkitError, match="10 have no other speaker"):
        plan_spoofs(cuts_of(speech), {"A01": "world_vc"})


def test_an_interrupted_run_goes_on(speech, toys, monkeypatch, tmp_path):
    write_spoofed(speech, "whole", "all", {"N": "noise"})
    del toys[:]
    write = spoofed.write_flac

    def interrupt(path, *args):
        if len(toys) == 4:
            raise KeyboardInterrupt
        write(path, *args)

    monkeypatch.setattr(spoofed, "write_flac", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_spoofed(speech, "out", "wav", {"N": "noise"})
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(spoofed, "write_flac", write)
    write_spoofed(speech, "out", "wav", {"N": "noise"})
    assert len(toys) == 4 + 7  # three files were there
    files = sorted((tmp_path / "all").rglob("*.flac"))
    assert len(files) == 10
    for path in files:
        again = tmp_path / "wav" / path.relative_to(tmp_path / "all")
        assert again.read_bytes() == path.read_bytes()


def test_other_options_make_everything_anew(speech, toys):
    write_spoofed(speech, "out", "wav", {"N": "noise"})
    write_spoofed(speech, "out", "wav", {"N": "noise"})
    assert len(toys) == 10
    write_spoofed(speech, "out", "wav", {"N": "noise"}, seed=1)
    assert len(toys) == 20


def test_the_share_of_a_rank_is_what_one_process_would_write(
    speech, tmp_path, monkeypatch
):
    attacks = {"A01": "lpc", "A02": "griffin_lim", "A03": "replay"}
    write_spoofed(speech, "one", "alone", attacks)
    for rank in range(2):
        monkeypatch.setattr(spoofed, "share", lambda x, rank=rank: x[rank::2])
        monkeypatch.setattr(spoofed, "is_main", lambda: False)
        write_spoofed(speech, "two", "together", attacks)
    files = sorted((tmp_path / "alone").rglob("*.flac"))
    assert len(files) == 30
    for path in files:
        again = tmp_path / "together" / path.relative_to(tmp_path / "alone")
        assert again.read_bytes() == path.read_bytes()


def test_an_id_that_is_taken_is_an_error(speech, tmp_path):
    manifests = read_manifests(speech)
    item = manifests.supervisions["s0-u1"]
    item.id = "s0-u0-A01"
    write_manifests(
        speech, manifests.recordings.values(), manifests.supervisions.values()
    )
    with pytest.raises(DataError, match="id of an utterance that is there"):
        write_spoofed(speech, "out", "wav", LPC)
    assert not (tmp_path / "out").exists()


def test_equalized_both_classes_are_written_and_listed_alike(speech, toys):
    write_spoofed(speech, "plain", "wav", {"N": "noise"})
    write_spoofed(speech, "out", "wav2", {"N": "noise"}, equalize=True)
    before, after = read_manifests("plain"), read_manifests("out")
    assert after.supervisions.keys() == before.supervisions.keys()
    for utt, item in after.supervisions.items():
        assert item.custom == before.supervisions[utt].custom
        assert item.speaker == before.supervisions[utt].speaker
        path = after.recordings[item.recording_id].sources[0].source
        assert path == f"wav2/{utt[:2]}/{utt}.flac"
        samples, _ = soundfile.read(path)
        assert item.duration == pytest.approx(len(samples) / 16000)
        level = 10 * np.log10(np.mean(samples**2))
        assert -33 < level < -23
        assert abs(samples.mean()) < 1e-3
    lengths = [round(16000 * x.duration) for x in after.supervisions.values()]
    assert lengths != [round(16000 * x.duration) for x in before.supervisions.values()]


def test_without_equalize_nothing_changes(speech, toys):
    write_spoofed(speech, "out", "wav", {"N": "noise"})
    stamp = (spoofed.Path("wav") / spoofed.STAMP).read_text()
    assert "equalize" not in stamp
    assert not spoofed.Path("wav/s0/s0-u0.flac").exists()


def test_a_rank_equalizes_as_one_process_does(speech, toys, monkeypatch):
    write_spoofed(speech, "one", "wav", {"N": "noise"}, equalize=True)
    monkeypatch.setattr(spoofed, "share", lambda items: list(reversed(items)))
    write_spoofed(speech, "two", "wav2", {"N": "noise"}, equalize=True)
    for utt in "s0-u0", "s1-u2-N":
        one, two = (spoofed.Path(f"{x}/{utt[:2]}/{utt}.flac") for x in ("wav", "wav2"))
        assert one.read_bytes() == two.read_bytes()


def test_one_class_alone_is_not_equalized(speech, toys):
    with pytest.raises(AsdkitError, match="--equalize true is for both classes"):
        write_spoofed(
            *(speech, "out", "wav", {"N": "noise"}), with_bonafide=False, equalize=True
        )


@pytest.fixture
def leaky(monkeypatch):
    """An attack with an offset, in blocks of 256 samples, that is never silent."""

    def make(material, rng):
        blocks = material.samples[: len(material.samples) // 256 * 256]
        return 0.05 + 2.5 * blocks

    monkeypatch.setitem(ATTACKS, "leaky", Attack(make))


def test_what_leaks_does_so_no_more_behind_the_chain(speech, leaky):
    write_spoofed(speech, "plain", "wav", {"A01": "leaky"})
    _, leak = check_leaks("plain")
    assert "alone tells A01 from bona fide speech" in leak
    options = {"equalize": True, "speech_sec": 1.0, "in_rooms": True}
    write_spoofed(speech, "out", "wav2", {"A01": "leaky"}, **options)
    assert check_leaks("out")[1] == ""


def test_speech_is_cut_to_the_law_and_has_no_text(speech, toys, change):
    change(speech, text=lambda item: "one two")
    write_spoofed(speech, "out", "wav", {"N": "noise"}, equalize=True, speech_sec=1.0)
    for item in read_utterances("out"):
        most = min(1.0, 0.5 + 0.4 * int(item.utt[4]) + 0.1 * int(item.utt[1]))
        assert min(0.5, most) + 0.2 - 0.02 <= item.duration <= most + 0.6 + 0.02
    assert all(x.text is None for x in read_manifests("out").supervisions.values())


def test_synthesizers_read_on_where_speech_is_cut(speech, toys, change):
    change(speech, text=lambda item: f"text of {item.id}")
    write_spoofed(speech, "out", "wav", {"T": "read"}, equalize=True, speech_sec=3.0)
    read = {material.text.replace(",", "") for material in toys}
    expected = "text of s0-u4 text of s0-u0 text of s0-u1 text of s0-u2"
    assert expected in read
    assert "text of s2-u0" in {text[:13] for text in read}
    assert any("," in material.text for material in toys)


def test_what_a_synthesizer_reads_is_as_noisy_as_the_original(
    speech, monkeypatch, change
):
    silent = Attack(lambda x, rng: np.zeros(20000), needs_text=True)
    monkeypatch.setitem(ATTACKS, "silent", silent)
    change(speech, text=lambda item: "hello")
    write_spoofed(speech, "out", "wav", {"T": "silent"}, equalize=True)
    for path in spoofed.Path("wav").rglob("*-T.flac"):
        samples, _ = soundfile.read(path)
        assert -35 < 10 * np.log10(np.mean(samples**2)) < -20


def test_steps_of_the_chain_are_refused_without_it(speech, toys):
    for options in {"speech_sec": 3.0}, {"in_rooms": True}:
        with pytest.raises(AsdkitError, match="are steps of --equalize true"):
            write_spoofed(speech, "out", "wav", {"N": "noise"}, **options)
