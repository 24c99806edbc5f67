"""Classification by one number alone, and the chance that it separates by luck.

A number that has nothing to do with what the classes are, such as the length of a
file, should tell nothing.  Where it does, a classifier may learn it.
"""

from __future__ import annotations

import numpy as np

NUM_FOLDS = 5
PRIOR = 0.5  # added to the count of every value


def eer_either_way(bonafide: np.ndarray, spoof: np.ndarray) -> float:
    """Return the equal error rate of one number, in the direction that is better.

    Ties are broken at random: between neighboring thresholds the error rates are
    interpolated.  So a number that is the same everywhere has 0.5, and one that says
    nothing of most files does not look better than it is.

    Args:
        bonafide: (N,) numbers.
        spoof: (M,) numbers.

    Returns:
        a fraction in [0, 0.5]; 0.5 is chance.

    Example:
        >>> eer_either_way(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
        0.0
        >>> eer_either_way(np.array([1.0, 1.0]), np.array([1.0]))
        0.5
    """
    return min(eer_at_random(bonafide, spoof), eer_at_random(spoof, bonafide))


def eer_at_random(target: np.ndarray, nontarget: np.ndarray) -> float:
    """Return the equal error rate where ties are broken at random.

    Args:
        target: (N,) scores; higher means target.
        nontarget: (M,) scores.

    Returns:
        a fraction in [0, 1]; 0.5 is chance.
    """
    values = np.unique(np.r_[target, nontarget])
    miss = np.searchsorted(np.sort(target), values, "right") / len(target)
    kept = 1 - np.searchsorted(np.sort(nontarget), values, "right") / len(nontarget)
    miss, kept = np.r_[0.0, miss], np.r_[1.0, kept]  # first a threshold below all
    after = int(np.argmax(miss >= kept))  # the last one, above all, has 1 and 0
    gap, gap_after = kept[after - 1] - miss[after - 1], miss[after] - kept[after]
    weight = gap / (gap + gap_after)
    return float(miss[after - 1] + weight * (miss[after] - miss[after - 1]))


def log_odds(
    values: np.ndarray, is_bonafide: np.ndarray, fold: np.ndarray
) -> np.ndarray:
    """Score a number without an order by how often each class has it elsewhere.

    The score of a file is the logarithm of the share of its value among bona fide
    files over that among spoofs, both counted in the other folds, with half a file
    added to every value.  It is a classifier with a direction of its own: an equal
    error rate above 0.5 is chance, too.

    Args:
        values: (U,) numbers of which few are different, e.g. remainders.
        is_bonafide: (U,) bool.
        fold: (U,) int, of files that are left out together, e.g. a speaker's.

    Returns:
        (U,) scores; higher means bona fide.
    """
    distinct, index = np.unique(values, return_inverse=True)
    num_folds = int(fold.max()) + 1
    n = np.zeros((2, num_folds, len(distinct)))
    np.add.at(n, (is_bonafide.astype(int), fold, index), 1)
    elsewhere = n.sum(axis=1, keepdims=True) - n + PRIOR  # (2, folds, values)
    share = elsewhere / elsewhere.sum(axis=2, keepdims=True)
    return np.log(share[1] / share[0])[fold, index]


def folds_of(groups: np.ndarray, seed: int = 0) -> np.ndarray:
    """Deal groups, e.g. speakers, into `NUM_FOLDS` folds at random: (U,) -> (U,) int.

    Where there are fewer groups than folds, each file is a group.
    """
    distinct, index = np.unique(groups, return_inverse=True)
    if len(distinct) < NUM_FOLDS:
        distinct, index = np.arange(len(groups)), np.arange(len(groups))
    dealt = np.random.default_rng(seed).permutation(len(distinct)) % NUM_FOLDS
    return dealt[index]


def chance_of(eer: float, num_bonafide: int, num_spoofs: int) -> float:
    """Bound the probability that a number without information separates so well.

    At an equal error rate e the two distribution functions are 1 - 2 e apart, so the
    two-sample Kolmogorov-Smirnov statistic, of either sign, is at least that.  It holds
    for all distributions, and whatever the threshold and the direction; files are taken
    as independent.

    Args:
        eer: a fraction in [0, 0.5].
        num_bonafide: number of bona fide files.
        num_spoofs: number of spoofed files.

    Returns:
        a probability in [0, 1], no smaller than the true one.

    Source: F. Wei and R. Dudley, "Two-sample Dvoretzky-Kiefer-Wolfowitz inequalities",
    Statistics and Probability Letters 82, 2012; with their constant for small samples.

    Example:
        >>> chance_of(0.2, 10, 10) > 0.05, chance_of(0.2, 100, 100) < 1e-10
        (True, True)
    """
    size = num_bonafide * num_spoofs / (num_bonafide + num_spoofs)
    apart = max(0.0, 1 - 2 * eer)
    return float(min(1.0, 2.16863 * np.exp(-2 * size * apart**2)))
