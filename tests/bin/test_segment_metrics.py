"""segment-metrics prints what `asdkit.countermeasures.localization_quality` finds."""

import json

import numpy as np
import pytest

from asdkit.__main__ import main
from asdkit.countermeasures.localization_quality import assess
from asdkit.data.supervisions import bonafide_frames, read_supervisions
from asdkit.io.ark import ArkWriter, read_arrays
from asdkit.io.tables import write_table
from asdkit.segmentation.segments import FrameTimes


@pytest.fixture
def localized(one_attack):
    """All frames are decided right; in the folder "none", all as bona fide."""
    assert main(["spoof-splice", "--max-sec=0.4", "data", "spliced", "wav"]) == 0
    assert main(["feats-compute", "--type=fbank", "spliced", "exp/feats"]) == 0
    known = read_supervisions("spliced")
    frames = {utt: len(x) for utt, x in read_arrays("scp:spliced/feats.scp")}
    for folder in ("right", "none"):
        with (
            ArkWriter(folder, "bonafide") as paths,
            ArkWriter(folder, "smoothed") as smoothed,
        ):
            for utt, num in frames.items():
                labels = bonafide_frames(known[utt], FrameTimes(0.01, 0.0125), num)
                paths[utt] = labels if folder == "right" else np.ones(num)
                smoothed[utt] = labels - 0.5
        is_spliced = {utt: utt.endswith("spliced") for utt in frames}
        write_table(f"{folder}/scores", {u: -1.0 * x for u, x in is_spliced.items()})


def test_every_localization_is_a_row_of_what_it_is_worth(localized, capsys):
    assert main(["segment-metrics", "spliced", "right", "none", "--json"]) == 0
    (table,) = json.loads(capsys.readouterr().out)
    for row, folder in zip(table["rows"], ("right", "none"), strict=True):
        values = list(row.values())
        assert values[0] == folder
        quality = assess("spliced", folder)
        np.testing.assert_allclose(
            np.array(values[1:], float), 100 * np.array(quality), atol=1e-9
        )
    right, none = table["rows"]
    assert list(right.values())[3:6] == [100, 100, 100]
    assert list(none.values())[4:6] == [0, 0]


def test_a_folder_without_decisions_is_one_line(localized, capsys):
    assert main(["segment-metrics", "spliced", "exp"]) == 1
    assert "exp/bonafide.scp: cannot read it: No such file" in capsys.readouterr().err
