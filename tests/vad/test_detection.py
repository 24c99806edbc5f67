"""Decisions of a data directory are those of the detector, whatever the batches."""

from itertools import pairwise

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.data.feats_info import VadInfo, read_vad_info
from asdkit.io.ark import ArkWriter, read_arrays, read_scp
from asdkit.io.tables import read_table, write_table
from asdkit.vad.detection import EnergyDetector, compute_vad, read_batches


def write_feats(feats, folder="ark2"):
    with ArkWriter(folder, "feats") as writer:
        for utt, matrix in feats.items():
            writer[utt] = matrix
    write_table("data/feats.scp", read_table(writer.scp))


@pytest.fixture
def feats(speech, rng):
    """Energies in the first column, of utterances whose features have 3 columns."""
    found = {f"u{n}": rng.normal(size=(10 + n, 3)).astype("f4") for n in range(6)}
    (speech / "recordings.jsonl.gz").unlink()
    write_feats(found)
    return found


def is_loud(energy):
    return energy > 0


@pytest.mark.parametrize("max_frames", [1, 25, 10_000])
def test_batches_are_whole_utterances_in_order(feats, max_frames):
    locations = read_scp("data/feats.scp").items()
    batches = list(read_batches(locations, max_frames))
    assert [utt for utts, _ in batches for utt in utts] == list(feats)
    for utts, matrices in batches:
        sizes = [len(matrix) for matrix in matrices]
        assert sum(sizes) <= max_frames or len(sizes) == 1
        for utt, matrix in zip(utts, matrices, strict=True):
            np.testing.assert_array_equal(matrix, feats[utt])
    # The next utterance never fits into a batch that has ended.
    for (_, now), (_, then) in pairwise(batches):
        assert sum(map(len, now)) + len(then[0]) > max_frames


def test_decisions_are_written_where_they_are_looked_for(feats):
    detector = EnergyDetector(is_loud)
    description = VadInfo("energy", {"vad_energy_threshold": 0.0})
    compute_vad("data", "exp/vad", detector, description)
    for place in ("data/vad.scp", "exp/vad/vad.scp"):
        found = dict(read_arrays(f"scp:{place}"))
        assert found.keys() == feats.keys()
        for utt, decisions in found.items():
            np.testing.assert_array_equal(decisions, feats[utt][:, 0] > 0)
    info = read_vad_info("data")
    assert (info.method, info.options) == tuple(description)
    compute_vad("data", "exp/vad", detector)  # by whom is not said any more
    assert read_vad_info("data") is None


def test_most_utterances_hold_speech_or_it_is_an_error(feats, tmp_path):
    quiet = dict.fromkeys(list(feats)[:3])
    write_feats({u: x - 100 if u in quiet else x for u, x in feats.items()}, "ark3")
    compute_vad("data", "exp/vad", EnergyDetector(is_loud))
    quiet["u3"] = None
    write_feats({u: x - 100 if u in quiet else x for u, x in feats.items()}, "ark4")
    with pytest.raises(DataError, match="4 of 6 utterances have no speech"):
        compute_vad("data", "exp/other", EnergyDetector(is_loud))
    assert not (tmp_path / "exp/other/vad.scp").exists()


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros((0, 3), "f4"), "'u9': expected frames, got shape"),
        (np.zeros(4, "f4"), r"'u9': expected frames, got shape \(4,\)"),
        (np.full((4, 3), np.nan, "f4"), "'u9': energy is NaN or infinite"),
    ],
)
def test_frames_without_energy_are_named(feats, damaged, matrix, message):
    write_feats(feats | {"u9": matrix}, "ark5")
    with pytest.raises(DataError, match=message):
        compute_vad("data", "exp/vad", EnergyDetector(is_loud))


def test_no_features_are_an_error(feats):
    write_table("data/feats.scp", {})
    with pytest.raises(DataError, match=r"feats\.scp: expected features, got none"):
        compute_vad("data", "exp/vad", EnergyDetector(is_loud))
