import json

import numpy as np
import pytest
import torch

from asdkit.features.frontend import FrontEnd
from asdkit.gmm.full import FullGmm
from asdkit.gmm.statistics import first_order
from asdkit.gmm.ubm import Ubm
from asdkit.ivector import system as module
from asdkit.ivector.extractor import IvectorExtractor
from asdkit.ivector.stored_statistics import Statistics
from asdkit.ivector.system import IvectorSystem


@pytest.fixture
def batches(rng):
    """Frames of 12 utterances in two batches; the last one is shorter."""
    splits = np.arange(0, 700, 100), np.array([0, 50, 60, 61, 200, 210, 300])
    utts = [f"a{i}" for i in range(6)], [f"b{i}" for i in range(6)]
    return [
        (names, 2 * rng.standard_normal((x[-1], 3)).astype(np.float32), x)
        for names, x in zip(utts, splits, strict=True)
    ]


@pytest.fixture
def train(rng, batches):
    """Train a system on these frames."""
    full = FullGmm.of(
        np.full(5, 0.2), 2 * rng.standard_normal((5, 3)), np.tile(np.eye(3), (5, 1, 1))
    )

    def train(num_iters=2, min_post=0.1, seed=0):
        extractor = IvectorExtractor(4, num_iters, gaussian_min_count=10, seed=seed)
        system = IvectorSystem(
            FrontEnd(cmn_window=0), Ubm(full.diagonal(), full), extractor, 3, min_post
        )
        statistics = Statistics(batches)
        totals = statistics.align(system.aligner())
        extractor.fit(full, statistics, totals)
        return system, totals

    return train


def test_extraction_does_for_every_utterance_what_it_should(
    train, batches, monkeypatch
):
    monkeypatch.setattr(module, "BATCH", 4)
    system, _ = train()
    found = dict(system.extract(batches))
    sure = {utt: precision for utt, _, precision in system.posteriors(batches)}
    assert [*found] == [*sure] == batches[0][0] + batches[1][0]
    aligner, posterior = system.aligner(), system.extractor.posterior()
    for utts, frames, splits in batches:
        for utt, part in zip(utts, np.split(frames, splits[1:-1]), strict=True):
            x = torch.from_numpy(part)
            n, f = first_order(x, aligner.align(x), np.array([0, len(x)]))
            expected = posterior.mean(n, f)[0].numpy()
            np.testing.assert_allclose(found[utt], expected, atol=1e-5)
            expected = posterior.precision(n)[0].numpy()
            np.testing.assert_allclose(sure[utt], expected, rtol=1e-5)


def test_what_was_stored_extracts_the_same(train, batches):
    system, _ = train()
    options, arrays = system.to_state()
    again = IvectorSystem.from_state(json.loads(json.dumps(options)), arrays)
    assert again.frontend == FrontEnd(cmn_window=0)
    for (utt, ours), (other, theirs) in zip(
        again.extract(batches), system.extract(batches), strict=True
    ):
        assert utt == other
        assert np.array_equal(ours, theirs)


def test_a_training_goes_on_with_more_iterations(train):
    saved, totals = train(num_iters=2)
    system, _ = train(num_iters=3)
    assert system.resume(saved, totals)
    assert system.extractor is saved.extractor
    assert system.extractor.num_iters == 3


@pytest.mark.parametrize("options", [{"min_post": 0.2}, {"seed": 1}, {"num_iters": 1}])
def test_another_training_is_not_gone_on_with(train, options):
    saved, totals = train(num_iters=2)
    system, _ = train(**({"num_iters": 2} | options))
    mine = system.extractor
    assert not system.resume(saved, totals)
    assert system.extractor is mine


def test_other_data_is_not_gone_on_with(train):
    saved, totals = train()
    assert not train()[0].resume(saved, totals._replace(n=2 * totals.n))
