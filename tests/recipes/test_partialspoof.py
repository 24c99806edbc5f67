"""egs/partialspoof/v1 as a user runs it, on ASVspoof 2019's layout in miniature."""

import re
from pathlib import Path

import pytest

from asdkit.base.options import choice_of
from asdkit.bin import cm_train, localizer_tune
from asdkit.countermeasures.registry import LOCALIZERS
from asdkit.nnet.registry import MODELS

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "egs" / "partialspoof" / "v1"
NETS = sorted(path.stem for path in (RECIPE / "conf" / "small").glob("*.conf"))
TINY = """\
--network=resnet18
--channels=2
--pooling=tap
--embedding-dim=8
--objective=frame_labels
--loss=cross_entropy
--chunk-frames=160
--batch-size=8
--num-epochs=2
--averaging=best
"""


@pytest.fixture
def recipe(tmp_path, copied):
    """Copy the recipe and what it sources; return its directory."""
    here = copied(tmp_path, "partialspoof/v1")
    (here / "conf" / "tiny.conf").write_text(TINY)
    return here


@pytest.mark.parametrize("net", NETS)
def test_every_conf_says_what_cm_train_takes(net, parse_conf):
    names = [net, f"small/{net}"]
    argv = [f"--config={RECIPE / 'conf' / name}.conf" for name in names]
    args = parse_conf(cm_train, argv)
    assert args.objective == "frame_labels"
    stride = MODELS[args.network](**choice_of(args, "network", MODELS)[1]).frame_stride
    assert args.chunk_frames % stride == 0


@pytest.mark.parametrize("method", LOCALIZERS)
def test_every_grid_is_one(method, parse_conf):
    conf = RECIPE / "conf" / f"grid_{method}.conf"
    args = parse_conf(localizer_tune, [f"--method={method}", f"--config={conf}"])
    _, grid = choice_of(args, "method", LOCALIZERS)
    assert all(len(values) > 1 for values in grid.values())
    LOCALIZERS[method](**{name: values[0] for name, values in grid.items()})


@pytest.mark.slow
def test_spliced_speech_ends_in_a_table(asvspoof2019, recipe, by_stage):
    options = ["--net", "tiny", "--methods", "median"]
    printed = by_stage(recipe, "--corpus", asvspoof2019, *options)
    rows = re.findall(r"^\| (.*) \|$", printed, re.MULTILINE)
    rows = [row.split(" | ") for row in rows]
    assert [row[:4] for row in rows[2:4]] == [
        ["tiny", "dev", "median", "1"],
        ["tiny", "eval", "median", "1"],
    ]
    assert all(0 <= float(cell) <= 100 for row in rows[2:4] for cell in row[4:])
    dev = {row[2]: row[8] for row in rows[2:4] if row[1] == "dev"}
    for name, seed, method, f1, _ in rows[6:]:  # chosen by what is in the table, too
        assert (name, seed, f1) == ("tiny", "seed0", dev[method])
