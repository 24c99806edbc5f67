"""What localization is worth, and which options are best."""

from pathlib import Path

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.countermeasures.localization import (
    MedianLocalizer,
    localize,
)
from asdkit.countermeasures.localization_quality import (
    assess,
    sweep,
    write_conf,
)
from asdkit.data.manifests import (
    read_manifests,
    write_manifests,
)
from asdkit.io.ark import ArkWriter
from asdkit.io.tables import write_table


def run(localizer):
    localize("data", "exp/frames.scp", "exp", localizer)


def write(utt_paths, scores=None):
    """Write what `localize` would: paths, zero scores of frames, and of utterances."""
    with ArkWriter("exp", "bonafide") as paths, ArkWriter("exp", "smoothed") as soft:
        for utt, path in utt_paths.items():
            paths[utt] = path
            soft[utt] = np.zeros(len(path)) if scores is None else scores[utt]
    write_table("exp/scores", dict.fromkeys(utt_paths, 0.0))


def path_of(*spoofs):
    """(198,) ones; zeros from one second to another."""
    path = np.ones(198, np.float32)
    for start, stop in spoofs:
        path[round((start - 0.0075) / 0.01) : round((stop - 0.0075) / 0.01)] = 0
    return path


def test_metrics_follow_the_segments_that_were_written(partial_corpus):
    """Two of three spoofs are found, a quarter second is said to be one and is not."""
    found = {"u1": [(0.5, 1.0)], "u3": [(0.6, 1.0)], "u5": [(1.5, 1.75)]}
    write({utt: path_of(*found.get(utt, [])) for utt in partial_corpus})
    quality = assess("data", "exp")
    assert quality[2:5] == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert quality.utt_eer == 0.5  # all utterances score the same


def test_what_does_not_belong_together_is_refused(partial_corpus):
    paths = {utt: path_of() for utt in partial_corpus}
    write(paths, {utt: np.zeros(150) for utt in partial_corpus})
    with pytest.raises(DataError, match="'u0': 150 scores for 198 frames"):
        assess("data", "exp")
    write(paths | {"u9": path_of()})
    with pytest.raises(DataError, match="'u9' is not in it"):
        assess("data", "exp")
    write_table("exp/scores", {"u1": 0.0})
    with pytest.raises(DataError, match=r"scores: .* have no score: 'u0'"):
        assess("data", "exp")
    write_table("exp/scores", {"u1": "1d3"})
    with pytest.raises(DataError, match=r"scores:1: expected .* got 'u1 1d3'"):
        assess("data", "exp")


def test_nothing_spoofed_cannot_be_assessed(partial_corpus):
    manifests = read_manifests("data")
    for item in manifests.supervisions.values():
        item.custom = {"attack": "bonafide"}
    write_manifests(
        "data", manifests.recordings.values(), manifests.supervisions.values()
    )
    write({utt: path_of() for utt in partial_corpus})
    with pytest.raises(DataError, match="spoofed and bona fide parts, got only one"):
        assess("data", "exp")


def test_a_sweep_is_what_every_point_gives_and_the_best_is_first(partial_corpus):
    grid = {"threshold": [-1.0, 0.0, 1.0], "filter_sec": [0.05, 0.3]}
    for select in ("f1", "frame_eer"):
        points = sweep("data", "exp/frames.scp", "median", grid, select)
        rates = [getattr(point.quality, select) for point in points]
        assert rates == sorted(rates, reverse=select == "f1")
        assert len({tuple(point.options.values()) for point in points}) == 6
        for options, quality in points:
            run(MedianLocalizer(**options))
            expected = assess("data", "exp")
            assert quality[2:] == pytest.approx(expected[2:], abs=1e-5)
            if select == "frame_eer":
                assert quality[:2] == pytest.approx(expected[:2], abs=1e-5)
            else:
                assert np.isnan(quality[:2]).all()
    write_conf("exp/best.conf", "median", points[0], "frame_eer", "data")
    first, *rest = Path("exp/best.conf").read_text().splitlines()
    rate = 100 * points[0].quality.frame_eer
    assert first == f"--method=median  # frame_eer {rate:.2f} % on data"
    best = points[0].options
    assert rest == [
        f"--threshold={best['threshold']}",
        f"--filter-sec={best['filter_sec']}",
    ]


def test_the_first_of_equals_is_chosen(partial_corpus):
    grid = {"threshold": [50.0, 60.0]}
    points = sweep("data", "exp/frames.scp", "threshold", grid)
    assert points[0].options == {"threshold": 50.0}
    assert points[0].quality.f1 == points[1].quality.f1
