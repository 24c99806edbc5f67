"""Checks of mixtures: EM steps, posteriors, and what belongs together."""

from pathlib import Path

import kaldiio
import numpy as np
import pytest
import torch

from asdkit.base.errors import DataError
from asdkit.io.ark import read_arrays
from asdkit.io.kaldi_posteriors import FrameLists
from asdkit.kaldi.parity.experiment import Experiment, NotFoundError
from asdkit.kaldi.parity.mixtures import (
    _dense,
    _rectangle,
    check_posteriors,
    name,
    read_aligner,
    read_all,
    read_diagonal,
    read_full,
    steps,
    to_posteriors,
    with_lists,
)

LISTS = FrameLists(
    np.array([0, 2, 2, 5]),
    np.array([1, 3, 0, 1, 2], np.int32),
    np.array([0.75, 0.25, 0.5, 0.25, 0.25], np.float32),
)


def paths(*names):
    return [Path(name) for name in names]


def test_models_that_follow_each_other_are_pairs():
    found = [name(*pair) for pair in steps(paths("0.ie", "1.ie", "3.ie", "final.ie"))]
    assert found == ["0 -> 1", "3 -> final"]
    for alone in (["final.ie"], ["0.ie"], ["0.ie", "2.ie"]):
        with pytest.raises(NotFoundError, match="models of two iterations beside"):
            list(steps(paths(*alone)))


def test_lists_become_posteriors_and_a_table():
    dense = np.zeros((3, 4), np.float32)
    dense[0, [1, 3]] = [0.75, 0.25]
    dense[2, :3] = [0.5, 0.25, 0.25]
    posteriors = to_posteriors(LISTS, 4)
    assert posteriors.num_gauss == 4
    np.testing.assert_array_equal(_dense(posteriors), dense)
    square = FrameLists(np.array([0, 2, 4]), np.array([1, 3, 0, 2], np.int32))
    assert torch.equal(_rectangle(square), torch.tensor([[1, 3], [0, 2]]))


def test_posteriors_of_the_full_ubm_are_kaldis(few, agree):
    assert agree(check_posteriors(few)) == [True]


def test_without_a_diagonal_file_it_is_made_of_the_full_one(copied):
    (copied / "extractor" / "final.dubm").unlink()
    aligner = read_aligner(Experiment(copied))
    full = read_full(copied / "extractor" / "final.ubm")
    np.testing.assert_allclose(full.diagonal().means_, full.means_)
    assert aligner.num_gauss == len(full.weights_)


def test_models_are_read_as_kaldi_means_them(golden):
    """Weights sum to one; variances are inverses of what the file has."""
    diag = read_diagonal(golden / "diag_ubm" / "final.dubm")
    full = read_full(golden / "full_ubm" / "final.ubm")
    for gmm in (diag, full):
        assert gmm.weights_.sum() == pytest.approx(1, abs=1e-4)
    assert (diag.vars_ > 0).all()
    assert (np.linalg.eigvalsh(full.covars_) > 0).all()


def test_frames_come_with_their_lists(few):
    lists = read_all(few, "diag_ubm", "gselect*.gz")
    pairs = list(with_lists(few, lists))
    assert len(pairs) == len(lists)
    for frames, found in pairs:
        assert len(found.splits) == len(frames) + 1


def test_lists_without_frames_or_of_other_frames_are_refused(few, copied):
    lists = read_all(few, "diag_ubm", "gselect*.gz")
    with pytest.raises(DataError, match="no voiced frames of 1 utterances"):
        list(with_lists(few, {**lists, "nobody": LISTS}))
    first = min(lists)
    with pytest.raises(
        DataError, match=rf"'{first}': \d+ voiced frames but lists of 3"
    ):
        list(with_lists(few, {first: LISTS}))
    path = copied / "feats" / "vad_train.ark"
    kaldiio.save_ark(str(path), {u: x * 0 for u, x in read_arrays(f"ark:{path}")})
    with pytest.raises(DataError, match="no voiced frames of"):
        list(with_lists(Experiment(copied), lists))
