import numpy as np

from asdkit.metrics.table import verification_table


def test_every_system_is_a_line_and_columns_are_aligned():
    target, nontarget = np.array([1.0, 2.0, 3.0]), np.array([-1.0, 0.0, 0.5, 2.5])
    table = verification_table(
        {"good": (target + 9, nontarget), "a/longer/name": (target, nontarget)}
    )
    lines = table.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split() == [
        "scores",
        *("EER", "%", "Kaldi", "EER", "%", "minDCF(0.01)", "minDCF(0.001)"),
        *("Cllr", "minCllr", "target", "nontarget"),
    ]
    assert lines[1].split()[:5] == ["good", "0.0000", "0.0000", "0.0000", "0.0000"]
    assert lines[1].split()[-2:] == ["3", "4"]
    # One of four nontargets is above one of three targets.
    assert lines[2].split()[:3] == ["a/longer/name", "29.1667", "33.3333"]
