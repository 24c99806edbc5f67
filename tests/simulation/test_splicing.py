import numpy as np
import pytest

from asdkit.simulation.splicing import Splicer


@pytest.fixture
def splicer():
    return Splicer(max_stretches=4, min_sec=0.1, max_sec=0.4, fade_ms=5.0)


def test_stretches_do_not_overlap_and_are_as_long_as_asked(splicer, rng):
    numbers = set()
    for _ in range(300):
        plan = splicer.plan(16000, 12000, 8000, rng)
        starts, stops, offsets = plan.T
        lengths = stops - starts
        assert (starts >= 0).all()
        assert (stops <= 16000).all()
        assert (starts[1:] >= stops[:-1]).all()
        assert (lengths >= 800).all()
        assert (lengths <= 3200).all()
        assert (offsets + lengths <= 12000).all()
        assert lengths.sum() <= 6000
        numbers.add(len(plan))
    assert numbers == {1, 2, 3, 4}


def test_outside_of_stretches_nothing_changes_inside_it_is_the_spoof(splicer, rng):
    bonafide = 0.1 * rng.standard_normal(16000).astype(np.float32)
    spoof = 0.02 * rng.standard_normal(16000).astype(np.float32)
    plan = splicer.plan(16000, 16000, 8000, rng)
    samples = splicer.apply(bonafide, spoof, plan, 8000)
    assert samples.dtype == np.float32
    outside = np.ones(16000, bool)
    gain = np.linalg.norm(bonafide) / np.linalg.norm(spoof)
    for start, stop, offset in plan:
        outside[start:stop] = False
        inner = slice(start + 40, stop - 40)  # 5 ms are faded
        piece = spoof[offset + 40 : offset + stop - start - 40]
        np.testing.assert_allclose(samples[inner], gain * piece, rtol=1e-5)
    np.testing.assert_array_equal(samples[outside], bonafide[outside])


def test_fades_leave_no_step(splicer):
    """Between a constant and another, no step is larger than the ramp's."""
    plan = np.array([[1000, 2000, 0]])
    bonafide, spoof = np.ones(4000, np.float32) / 2, -np.ones(4000, np.float32) / 2
    samples = splicer.apply(bonafide, spoof, plan, 8000)
    assert np.abs(np.diff(samples)).max() == pytest.approx(1 / 41, rel=1e-3)


def test_an_utterance_shorter_than_a_stretch_has_none(splicer, rng):
    assert len(splicer.plan(500, 16000, 8000, rng)) == 0
    plan = splicer.plan(900, 16000, 8000, rng)
    assert (plan[:, 1] - plan[:, 0]).tolist() == [800]
