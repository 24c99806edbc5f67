"""Localization of partial spoofs, from scores of frames that are drawn."""

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.countermeasures.localization import Localizer, assess, stretch
from asdkit.data.manifests import (
    Utterance,
    read_manifests,
    write_manifests,
    write_utterances,
)
from asdkit.io.ark import ArkWriter, read_arrays
from asdkit.io.rttm import read_rttm
from asdkit.io.tables import read_table, write_table

SPOOFED = [0.5, 1.0]  # seconds of every second utterance


@pytest.fixture
def corpus(tmp_path, rng, monkeypatch):
    """Six utterances of two seconds, and scores of frames that are often wrong."""
    monkeypatch.chdir(tmp_path)
    utts = [f"u{n}" for n in range(6)]
    for utt in utts:
        soundfile.write(f"{utt}.wav", np.zeros(32000), 16000)
    write_utterances(
        "data",
        [Utterance(u, "s", f"{u}.wav", False, 0.0, 2.0, 0, 16000) for u in utts],
    )
    manifests = read_manifests("data")
    for n, item in enumerate(manifests.supervisions.values()):
        item.custom = {"attack": "A01", "spoofed": [SPOOFED]}
        item.custom = item.custom if n % 2 else {"attack": "bonafide"}
    write_manifests(
        "data", manifests.recordings.values(), manifests.supervisions.values()
    )
    with ArkWriter("ark", "feats") as writer:
        for utt in utts:
            writer[utt] = np.zeros((198, 2))
    write_table("data/feats.scp", read_table(writer.scp))
    with ArkWriter("exp", "frames") as writer:
        for n, utt in enumerate(utts):
            middles = 0.0125 + 0.01 * np.arange(198)
            inside = (middles >= SPOOFED[0]) & (middles < SPOOFED[1]) & (n % 2 == 1)
            scores = np.where(inside, -2, 2) + 2 * rng.standard_normal(198)
            writer[utt] = scores
    return utts


def test_a_score_stands_for_the_frames_that_it_came_from():
    assert stretch(np.array([1.0, 2.0]), 6).tolist() == [1, 1, 1, 2, 2, 2]
    assert stretch(np.array([1.0, 2.0, 3.0]), 4).tolist() == [1, 2, 2, 3]


@pytest.mark.k2
def test_structure_finds_the_spoofed_segment(corpus):
    Localizer().localize("data", "exp/frames.scp", "exp")
    turns = read_rttm("exp/rttm")
    for n, utt in enumerate(corpus):
        spoofs = [turn for turn in turns[utt] if turn.label == "spoof"]
        assert len(spoofs) == n % 2
        for turn in spoofs:
            assert turn.start == pytest.approx(SPOOFED[0], abs=0.05)
            assert turn.start + turn.duration == pytest.approx(SPOOFED[1], abs=0.05)
        assert sum(turn.duration for turn in turns[utt]) == pytest.approx(2, abs=0.01)
    quality = assess("data", "exp")
    assert quality[2:] == (1, 1, 1)
    assert 0.1 < quality.frame_eer < 0.25
    assert quality.range_eer == pytest.approx(quality.frame_eer, abs=0.02)


@pytest.mark.k2
def test_an_utterance_is_as_spoofed_as_its_worst_segment(corpus):
    Localizer().localize("data", "exp/frames.scp", "exp")
    scores = {utt: float(x) for utt, x in read_table("exp/scores").items()}
    frames = dict(read_arrays("scp:exp/frames.scp"))
    paths = dict(read_arrays("scp:exp/bonafide.scp"))
    spoofed = frames["u1"][paths["u1"] == 0]
    assert scores["u1"] == pytest.approx(spoofed.mean(), abs=1e-5)
    assert scores["u0"] == pytest.approx(frames["u0"].mean(), abs=1e-5)


@pytest.mark.k2
def test_a_threshold_moves_decisions(corpus):
    shares = []
    for threshold in (-3.0, 0.0, 3.0):
        Localizer(threshold=threshold).localize("data", "exp/frames.scp", "exp")
        paths = [path for _, path in read_arrays("scp:exp/bonafide.scp")]
        shares.append(np.mean(np.concatenate(paths)))
    assert shares[0] > shares[1] > shares[2]


def test_metrics_follow_the_segments_that_were_written(corpus, tmp_path):
    """Two of three spoofs are found, a quarter second is said to be one and is not."""
    lines = [
        "SPEAKER u1 1 0.5 0.5 <NA> <NA> spoof <NA> <NA>",
        "SPEAKER u3 1 0.6 0.4 <NA> <NA> spoof <NA> <NA>",
        "SPEAKER u5 1 1.5 0.25 <NA> <NA> spoof <NA> <NA>",
        "SPEAKER u0 1 0.0 2.0 <NA> <NA> bonafide <NA> <NA>",
    ]
    (tmp_path / "exp" / "rttm").write_text("\n".join(lines) + "\n")
    quality = assess("data", "exp")
    assert quality[2:] == pytest.approx((2 / 3, 2 / 3, 2 / 3))


def test_nothing_spoofed_cannot_be_assessed(corpus, tmp_path):
    manifests = read_manifests("data")
    for item in manifests.supervisions.values():
        item.custom = {"attack": "bonafide"}
    write_manifests(
        "data", manifests.recordings.values(), manifests.supervisions.values()
    )
    (tmp_path / "exp" / "rttm").write_text("")
    with pytest.raises(DataError, match="spoofed and bona fide parts, got only one"):
        assess("data", "exp")
