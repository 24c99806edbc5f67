"""Print the speaker variance of i-vector targets, and their precision.

e.g.: python local/describe_targets.py exp/ivectors/target{,_lda}.npz
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from asdkit.base.exits import exit_code
from asdkit.distillation.stored_teachers import StoredVectors, TeacherReader
from asdkit.io.tables import read_table


def describe(target: str, utt2spk: dict[str, str]) -> dict[str, float]:
    """Compute the numbers of one back-end's targets, in units of their mean square."""
    teacher = TeacherReader(
        teacher="scp:exp/ivectors/train/ivector.scp",
        teacher_transform=target,
        teacher_precision="scp:exp/ivectors/train/precision.scp",
    ).read()
    assert isinstance(teacher, StoredVectors)
    x, p = teacher.x, teacher.precision  # (U, R) each
    assert p is not None
    _, spk = np.unique([utt2spk[utt] for utt in teacher.utts], return_inverse=True)
    n = np.bincount(spk)[:, None]  # (K, 1)
    means = np.zeros((len(n), x.shape[1]))
    np.add.at(means, spk, x)
    squares = (x - (means / n)[spk]) ** 2 * (n / (n - 1))[spk]  # without bias
    weight = p / p.mean()
    return {
        "within speakers": squares.mean() / (x**2).mean(),
        "within, weighted": (weight * squares).mean() / (weight * x**2).mean(),
        "posterior variance": (1 / p).mean() / (x**2).mean(),
        "median weight": float(np.median(weight)),
        "largest weight": float(weight.max()),
    }


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="+", help="back-ends of stage 4")
    args = parser.parse_args()
    utt2spk = read_table("data/train/utt2spk")
    for target in args.targets:
        numbers = describe(target, utt2spk)
        print(target, *(f"{name} {x:.3f}" for name, x in numbers.items()), sep=", ")


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
