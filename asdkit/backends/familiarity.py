"""Tell whether scores come from the system that a model was trained on.

A calibration maps any number to a log-likelihood ratio, even a cosine by a map made for
PLDA, or seconds by a map made for frames.  So a model records the range of its training
data.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MOST = 0.5  # share of the values that may be out of range
NEAR, FAR = 0.1, 1.0  # how far out, in widths of the range: to warn, to refuse
NARROW = 20.0  # times narrower than in training
ENOUGH = 50  # values that have a spread


def range_of(x: np.ndarray) -> np.ndarray:
    """(N, F) values -> (4, F) least, 5 % quantile, 95 % quantile, greatest."""
    return np.quantile(x, [0, 0.05, 0.95, 1], axis=0)


def strange_columns(
    x: np.ndarray, seen: np.ndarray | None, names: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Compare values with the range of those that a model was trained on.

    Args:
        x: (N, F) values.
        seen: (4, F) result of `range_of` in training; None for models from older
            versions.
        names: names of the columns, for messages.

    Returns:
        what is far from it, and what is not quite like it.

    Example:
        >>> cosines = range_of(np.linspace(-0.2, 0.9, 100)[:, None])
        >>> strange_columns(np.linspace(-80, 20, 100)[:, None], cosines, ["scores"])[0]
        ['scores: 96 % are far outside of -0.2 to 0.9, where training was']
    """
    far: list[str] = []
    odd: list[str] = []
    if seen is None:
        return far, odd
    for column, name in enumerate(names):
        values, (least, low, high, greatest) = x[:, column], seen[:, column]
        width = greatest - least
        shares = [
            np.mean((values < least - out * width) | (values > greatest + out * width))
            for out in (NEAR, FAR)
        ]
        where = f"outside of {least:.4g} to {greatest:.4g}, where training was"
        if shares[1] > MOST:
            far.append(f"{name}: {100 * shares[1]:.0f} % are far {where}")
        elif shares[0] > MOST:
            odd.append(f"{name}: {100 * shares[0]:.0f} % are {where}")
        elif len(values) >= ENOUGH:
            spread = float(np.subtract(*np.quantile(values, [0.95, 0.05])))
            if spread * NARROW < high - low:
                far.append(
                    f"{name}: nine in ten lie within {spread:.3g} of each other, "
                    f"within {high - low:.3g} in training"
                )
    return far, odd
