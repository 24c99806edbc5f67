"""Checks of the extractor: i-vectors of Kaldi's models, and steps of EM."""

import dataclasses

import kaldiio
import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.features.frontend import FrontEnd
from asdkit.io.ark import read_arrays
from asdkit.kaldi.parity.experiment import Experiment
from asdkit.kaldi.parity.ivectors import _collect, check_ivectors, read_extractor


@pytest.mark.parametrize("part", ["train", "test"])
def test_ivectors_are_kaldis(few, agree, part):
    assert agree(check_ivectors(few, part)) == [True]


def test_another_front_end_is_seen(few, agree):
    other = dataclasses.replace(few, frontend=FrontEnd(delta_window=3, cmn_window=100))
    assert agree(check_ivectors(other, "test")) == [False]


def test_the_difference_is_a_share_of_the_vectors_length(copied):
    """A vector twice as long is off by half of its own length."""
    path = copied / "ivectors" / "test.ark"
    doubled = {utt: 2 * x for utt, x in read_arrays(f"ark:{path}")}
    kaldiio.save_ark(str(path), doubled)
    (finding,) = check_ivectors(Experiment(copied, num_utts=1), "test")
    vector = next(iter(doubled.values()))
    largest = np.abs(vector).max() / 2 / np.linalg.norm(vector)
    assert finding.difference.relative == pytest.approx(largest, rel=1e-3)


def test_ivectors_of_others_are_no_agreement(copied):
    path = copied / "ivectors" / "test.ark"
    others = {f"x{utt}": x for utt, x in read_arrays(f"ark:{path}")}
    kaldiio.save_ark(str(path), others)
    with pytest.raises(DataError, match="nothing of it can be compared"):
        list(check_ivectors(Experiment(copied, num_utts=2), "test"))


def test_statistics_are_sums_over_the_voiced_frames(few, golden):
    """Occupations add up to the frames, of all Gaussians and utterances together."""
    num_gauss = len(read_extractor(golden / "extractor" / "0.ie").m_)
    batches, totals = _collect(few, num_gauss)
    vad = dict(read_arrays(f"ark:{golden}/feats/vad_train.ark"))
    num_frames = sum((x != 0).sum() for x in vad.values())
    occupied = sum(float(n.sum()) for n, _ in batches)
    assert occupied == pytest.approx(num_frames, rel=1e-3)
    assert float(totals.n.sum()) == pytest.approx(occupied, rel=1e-4)
    first = sum(f.double().sum(0) for _, f in batches)
    np.testing.assert_allclose(first, totals.f, rtol=1e-3, atol=0.05)
