"""Partially spoofed data directories, and the labels of their frames."""

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.corpora.spliced import write_spliced
from asdkit.data.cuts import read_cuts
from asdkit.data.manifests import read_manifests, write_manifests
from asdkit.data.supervisions import (
    bonafide_frames,
    read_supervisions,
    spoofed_parts,
)
from asdkit.io.tables import read_table
from asdkit.segmentation.segments import FrameTimes
from asdkit.simulation.splicing import Splicer

SPLICER = Splicer(min_sec=0.1, max_sec=0.2)


@pytest.fixture
def corpus(speech):
    """The fixture `speech`; each speaker's last utterance is of attack A02."""
    manifests = read_manifests(speech)
    for utt, item in manifests.supervisions.items():
        spoof = utt in ("s0-u4", "s1-u3")
        item.custom = {"attack": "A02" if spoof else "bonafide"}
    write_manifests(
        speech, manifests.recordings.values(), manifests.supervisions.values()
    )
    return speech


def cuts_of(data):
    return {cut.id: cut for cut in read_cuts(data, features=False)}


def test_every_bonafide_utterance_gets_a_partial_spoof(corpus):
    write_spliced(corpus, "out", "wav", SPLICER)
    attacks = read_table("out/utt2attack")
    spliced = {utt for utt in attacks if utt.endswith("-spliced")}
    # s2 has no spoof that could be spliced in; full spoofs are not listed.
    assert spliced == {f"s0-u{i}-spliced" for i in range(4)} | {
        f"s1-u{i}-spliced" for i in range(3)
    }
    assert {attacks[utt] for utt in spliced} == {"A02"}
    assert set(attacks) - spliced == {utt[:5] for utt in spliced} | {"s2-u0"}


def test_what_is_noted_is_where_the_audio_differs(corpus):
    write_spliced(corpus, "out", "wav", SPLICER, with_bonafide=False)
    for utt, cut in cuts_of("out").items():
        samples, rate = soundfile.read(f"wav/{utt[:2]}/{utt}.flac")
        before, _ = soundfile.read(f"{utt[:5]}.flac")
        inside = np.zeros(len(samples), bool)
        for start, stop in spoofed_parts(cut.supervisions[0]):
            inside[round(start * rate) : round(stop * rate)] = True
        np.testing.assert_array_equal(samples[~inside], before[~inside])
        assert np.mean(samples[inside] != before[inside]) > 0.9


def test_files_depend_on_ids_and_seed_only(corpus, tmp_path):
    write_spliced(corpus, "out", "wav", SPLICER)
    write_spliced(corpus, "again", "wav2", SPLICER)
    write_spliced(corpus, "other", "wav3", SPLICER, seed=1)
    name = "s0/s0-u3-spliced.flac"
    first = (tmp_path / "wav" / name).read_bytes()
    assert first == (tmp_path / "wav2" / name).read_bytes()
    assert first != (tmp_path / "wav3" / name).read_bytes()


def test_speakers_without_spoofs_cannot_be_spliced(corpus):
    manifests = read_manifests(corpus)
    for item in manifests.supervisions.values():
        item.custom = {"attack": "bonafide"}
    write_manifests(
        corpus, manifests.recordings.values(), manifests.supervisions.values()
    )
    with pytest.raises(DataError, match="no speaker has both bona fide and spoofed"):
        write_spliced(corpus, "out", "wav", SPLICER)


def test_frames_are_what_is_in_their_middle(corpus):
    item = read_manifests(corpus).supervisions["s0-u3"]
    item.custom = {"attack": "A02", "spoofed": [[0.1, 0.2], [0.5, 0.6]]}
    labels = bonafide_frames(item, FrameTimes(0.01, 0.0), 170)
    expected = np.ones(170, int)
    expected[10:20] = expected[50:60] = 0
    np.testing.assert_array_equal(labels, expected)


def test_whole_utterances_are_of_one_class(corpus):
    known = read_supervisions(corpus)
    assert (bonafide_frames(known["s0-u3"], FrameTimes(), 172) == 1).all()
    assert (bonafide_frames(known["s0-u4"], FrameTimes(), 212) == 0).all()
    assert spoofed_parts(known["s0-u4"]) == [(0.0, known["s0-u4"].duration)]


def test_supervisions_are_those_that_lhotse_reads(corpus):
    write_spliced(corpus, "out", "wav", SPLICER)
    expected = read_manifests("out").supervisions
    found = read_supervisions("out")
    assert list(found) == list(expected)
    for utt, item in found.items():
        assert item == (utt, expected[utt].duration, expected[utt].custom)
