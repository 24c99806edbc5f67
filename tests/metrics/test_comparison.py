import numpy as np
import pytest
from scipy import stats

from asdkit.base.errors import FitError
from asdkit.metrics import eer as of_eer
from asdkit.metrics import weighted
from asdkit.metrics.bootstrap import Speakers, interval, replicate
from asdkit.metrics.comparison import (
    compare,
    draw_seeds,
    holm,
    require_draws,
    two_sided_p,
)

EER = {"EER": weighted.eer}


def draw(rng, lifts, num_speakers=40, per_speaker=5, between=0.4, seed_spread=0.0):
    """Systems of several seeds on the same trials.

    Args:
        rng: a generator.
        lifts: for every system, how far its targets are above nontargets, per seed.
        num_speakers: in the test set.
        per_speaker: trials of each class.
        between: deviation of an offset that a speaker has in all systems.
        seed_spread: deviation of what a seed adds to the lift.

    Returns:
        for every system, every seed, the scores of both classes; their speakers.
    """
    spk = np.repeat(np.arange(num_speakers), per_speaker)
    shared = [
        (between * rng.normal(size=num_speakers))[spk] + 0.7 * rng.normal(size=len(spk))
        for _ in range(2)
    ]
    systems = [
        [
            [
                shared[0] + lift + seed_spread * rng.normal() + noise(rng, spk),
                shared[1] + noise(rng, spk),
            ]
            for lift in seeds
        ]
        for seeds in lifts
    ]
    return systems, [Speakers(spk), Speakers(spk)]


def noise(rng, spk):
    return 0.7 * rng.normal(size=len(spk))


def run(systems, speakers, num_replicates=200, seed=0):
    """Compare every system with the first, by EER."""
    files = [scores for seeds in systems for scores in seeds]
    drawn = replicate(files, speakers, EER, num_replicates, seed)
    values = [[of_eer.eer(*scores) for scores in seeds] for seeds in systems]
    of_files = np.concatenate(values)[:, None]
    replicates = draw_seeds(drawn, of_files, [len(seeds) for seeds in systems], seed)
    estimates = np.array([[np.mean(seeds)] for seeds in values])
    return compare(estimates, replicates, [(s, 0) for s in range(1, len(systems))])


def test_holm_is_the_hand_worked_example():
    """Sorted: 0.005 x 4, 0.01 x 3, 0.03 x 2, and 0.04 x 1, which must not fall."""
    found = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(found, [0.03, 0.06, 0.06, 0.02], rtol=1e-12)


def test_holm_of_one_changes_nothing_and_none_exceeds_one():
    assert holm(np.array([0.3])).tolist() == [0.3]
    np.testing.assert_array_equal(holm(np.array([0.9, 0.6, 0.6])), [1, 1, 1])


def test_holm_rejects_what_its_step_down_procedure_rejects(rng):
    """Written out: from the smallest p on, until one exceeds level / those left."""
    for _ in range(200):
        p = rng.uniform(0, 0.1, size=6)
        rejected = np.zeros(6, dtype=bool)
        for step, at in enumerate(np.argsort(p)):
            if p[at] > 0.05 / (6 - step):
                break
            rejected[at] = True
        np.testing.assert_array_equal(holm(p) <= 0.05, rejected)


def test_p_is_small_where_the_interval_leaves_zero_out(rng):
    for shift in rng.uniform(-3, 3, size=200):
        values = shift + rng.normal(size=999)
        p = two_sided_p(values)
        for level in (0.05, 0.2):
            if abs(p - level) > 0.003:  # quantiles lie between two replicates
                low, high = interval(values, 1 - level)
                assert (p <= level) == (low > 0 or high < 0)


def test_p_of_systems_that_never_differ_is_one():
    assert two_sided_p(np.zeros(99)) == 1
    assert two_sided_p(np.ones(99)) == pytest.approx(0.02)


def test_replicates_are_means_on_drawn_speakers_and_deviations_of_drawn_seeds(rng):
    """Written out: repeat the trials of drawn speakers, average the drawn seeds."""
    systems, speakers = draw(rng, [(1.5, 0.8, 2.4), (1.8,)], 8, 3)
    files = [scores for seeds in systems for scores in seeds]
    drawn = replicate(files, speakers, EER, 25, seed=3)
    values = np.array([[of_eer.eer(*scores)] for scores in files])
    found = draw_seeds(drawn, values, [3, 1], seed=3)[..., 0]

    of_speakers = np.random.default_rng(3)
    eers = []
    for _ in range(25):
        chosen = of_speakers.integers(8, size=8)
        repeated = [
            [
                np.concatenate([c[s.first == spk] for spk in chosen])
                for c, s in zip(scores, speakers, strict=True)
            ]
            for scores in files
        ]
        eers.append([of_eer.eer(*classes) for classes in repeated])
    np.testing.assert_allclose(found[:, 1], [row[3] for row in eers], atol=1e-12)

    of_seeds = np.random.default_rng([3, 1])
    chosen = of_seeds.multinomial(2, [1 / 3] * 3, size=25)
    squares = of_seeds.chisquare(2, size=25)
    a, b, c = values[:3, 0]
    spread = np.var([a, b, c], ddof=1)
    by_trials = np.mean([np.var([x - a, y - b, z - c], ddof=1) for x, y, z, _ in eers])
    assert 0 < by_trials < spread
    share = np.sqrt((spread - by_trials) / spread)
    for r, (x, y, z, _) in enumerate(eers):
        seeds = [v for v, n in zip((a, b, c), chosen[r], strict=True) for _ in range(n)]
        assert len(seeds) == 2
        away = share * (np.mean(seeds) - np.mean([a, b, c]))
        expected = np.mean([x, y, z]) + away / np.sqrt(squares[r] / 2)
        assert found[r, 0] == pytest.approx(expected, abs=1e-12)


def test_without_clusters_it_is_the_paired_bootstrap_of_scipy(rng):
    """One target and one nontarget per speaker: speakers are then pairs of trials."""
    systems, speakers = draw(rng, [(1.0,), (1.5,)], 150, 1)
    (one,) = run(systems, speakers, 4000)

    def difference(a, b, c, d):
        return of_eer.eer(c, d) - of_eer.eer(a, b)

    theirs = stats.bootstrap(
        [x for (scores,) in systems for x in scores],
        difference,
        n_resamples=4000,
        paired=True,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(1),
    )
    # An end of either interval varies by about 0.0015 from one seed to the next.
    np.testing.assert_allclose(
        one.difference_interval, theirs.confidence_interval, atol=0.006
    )
    spread = np.diff(one.difference_interval)
    assert spread == pytest.approx(np.diff(theirs.confidence_interval), rel=0.08)


@pytest.mark.parametrize("num_seeds", [2, 3, 5, 10])
def test_seeds_alone_give_about_the_interval_of_student(rng, num_seeds):
    """Discrete draws in place of a normal number make it a little wider for two."""
    values = rng.normal(size=(num_seeds, 1))
    drawn = np.tile(values, (50_000, 1, 1))
    low, high = interval(draw_seeds(drawn, values, [num_seeds])[:, 0, 0])
    error = values.std(ddof=1) / np.sqrt(num_seeds)
    width = 2 * stats.t.ppf(0.975, num_seeds - 1) * error
    assert 0.9 <= (high - low) / width <= 1.35


def test_seeds_that_differ_no_more_than_their_trials_add_nothing(rng):
    """What speakers explain is counted once."""
    values = 0.01 * rng.normal(size=(3, 1))
    drawn = values + 0.02 * rng.normal(size=(500, 3, 1))
    found = draw_seeds(drawn, values, [3])[:, 0]
    np.testing.assert_allclose(found, drawn.mean(axis=1), atol=1e-15)


def test_seeds_that_are_all_equal_have_no_spread(rng):
    drawn = np.tile(rng.normal(size=(50, 1, 1)), (1, 2, 1))
    found = draw_seeds(drawn, np.full((2, 1), 0.1), [2])
    np.testing.assert_array_equal(found, drawn[:, :1])


def test_one_seed_is_taken_as_it_is(rng):
    drawn = rng.normal(size=(50, 1, 2))
    np.testing.assert_array_equal(draw_seeds(drawn, drawn[0], [1]), drawn)


def test_seeds_must_be_as_many_as_files(rng):
    drawn = rng.normal(size=(5, 3, 1))
    with pytest.raises(ValueError, match="3 files but 2 seeds"):
        draw_seeds(drawn, drawn[0], [1, 1])


def test_a_large_difference_is_told_and_which_way(rng):
    systems, speakers = draw(rng, [(1.0,), (2.5,), (0.1,)])
    good, bad = run(systems, speakers)
    assert (good.verdict, bad.verdict) == ("better", "worse")
    assert good.change == pytest.approx(
        of_eer.eer(*systems[1][0]) / of_eer.eer(*systems[0][0]) - 1
    )
    assert good.change_interval.high < 0 < bad.change_interval.low
    assert good.adjusted_p == pytest.approx(2 * good.p)


def test_seeds_that_differ_much_leave_undecided_what_one_seed_would_decide(rng):
    systems, speakers = draw(rng, [(1.0, 1.0), (0.9, 2.4)])
    (one,) = run([systems[0][:1], systems[1][1:]], speakers)
    (all_of_them,) = run(systems, speakers)
    assert (one.verdict, all_of_them.verdict) == ("better", "cannot be told")


def test_the_same_scores_cannot_be_told_apart(rng):
    systems, speakers = draw(rng, [(1.0,)])
    (one,) = run([systems[0], systems[0]], speakers)
    assert (one.difference, one.p, one.verdict) == (0, 1, "cannot be told")


def test_there_is_no_change_from_zero(rng):
    """One replicate of the other without an error is enough to have no interval."""
    replicates = rng.uniform(0.1, 0.2, size=(99, 2, 1))
    replicates[5, 0] = 0
    estimates = np.array([[0.1], [0.15]])
    (one,) = compare(estimates, replicates, [(1, 0)])
    assert one.change == pytest.approx(0.5)
    assert np.isnan(one.change_interval).all()
    (other,) = compare(np.array([[0.0], [0.15]]), replicates, [(1, 0)])
    assert np.isnan(other.change)
    assert other.difference == 0.15


def test_draws_too_few_for_any_verdict_are_refused():
    require_draws(39, 1)
    with pytest.raises(FitError, match="38 draws cannot give p"):
        require_draws(38, 1)
    require_draws(1000, 25)
    with pytest.raises(FitError, match="correction for 26 comparisons") as error:
        require_draws(1000, 26)
    assert "--bootstrap 10400" in error.value.hint


def p_of_equal_systems(num_seeds, spread):
    lifts = [(1.5,) * num_seeds] * 2
    p = []
    for n in range(200):
        made = draw(np.random.default_rng(n), lifts, 30, seed_spread=spread)
        p.append(run(*made, 199)[0].p)
    return np.array(p)


@pytest.mark.slow
def test_p_is_about_uniform_where_systems_do_not_differ():
    p = p_of_equal_systems(1, 0.0)
    assert 0.02 <= np.mean(p < 0.05) <= 0.09
    assert 0.35 <= np.mean(p < 0.5) <= 0.65


@pytest.mark.slow
@pytest.mark.parametrize(("num_seeds", "spread"), [(2, 0.5), (3, 0.5), (5, 0.15)])
def test_few_seeds_do_not_make_equal_systems_differ(num_seeds, spread):
    """Whether seeds tell less or more than trials: plain draws gave up to 13 %."""
    assert 0 < np.mean(p_of_equal_systems(num_seeds, spread) < 0.05) <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize(("num_seeds", "spread"), [(1, 0.0), (5, 0.15)])
def test_intervals_cover_the_true_difference(num_seeds, spread):
    """Of 200 corpora all but some 5 % hold the difference of the models."""
    lifts = 1.2, 1.7
    sigma = np.sqrt(0.4**2 + 2 * 0.7**2)
    # EER of normal classes d apart: Phi(-d / 2 sigma), averaged over what seeds add.
    nodes, weights = np.polynomial.hermite_e.hermegauss(21)
    weights = weights / weights.sum()
    a, b = (
        weights @ stats.norm.cdf(-(lift + spread * nodes) / (2 * sigma))
        for lift in lifts
    )
    inside = [0, 0]
    for n in range(200):
        given = [(lift,) * num_seeds for lift in lifts]
        made = draw(np.random.default_rng(n), given, 50, seed_spread=spread)
        one = run(*made, 199)[0]
        inside[0] += (
            one.difference_interval.low <= b - a <= one.difference_interval.high
        )
        inside[1] += one.change_interval.low <= b / a - 1 <= one.change_interval.high
    assert all(180 <= count <= 199 for count in inside), inside
