import errno
import gzip
import os
import subprocess
import sys
import textwrap

import kaldiio
import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.ark import ArkWriter, load_array, read_arrays, read_scp, stack_vectors
from asdkit.io.tables import read_table, write_table


def write(directory, arrays, **options):
    with ArkWriter(directory, "feats", **options) as writer:
        for key, array in arrays.items():
            writer[key] = array
    return directory / "feats.scp"


@pytest.fixture
def arrays(rng):
    shapes = {"b": (5, 3), "a": (1, 3), "C": (7, 3)}
    return {k: rng.standard_normal(s).astype(np.float32) for k, s in shapes.items()}


def test_what_is_written_is_read(tmp_path, arrays):
    scp = write(tmp_path, arrays)
    assert list(read_scp(scp)) == ["C", "a", "b"]
    for rspecifier in (f"scp:{scp}", str(scp), f"ark:{tmp_path / 'feats.ark'}"):
        read = dict(read_arrays(rspecifier))
        assert read.keys() == arrays.keys()
        for key, array in arrays.items():
            np.testing.assert_array_equal(read[key], array)


def test_kaldiio_reads_what_is_written(tmp_path, arrays):
    scp = write(tmp_path, arrays)
    for key, array in kaldiio.load_scp(str(scp)).items():
        np.testing.assert_array_equal(array, arrays[key])


def test_what_kaldi_wrote_is_read(golden):
    feats = dict(read_arrays(f"ark:{golden}/feats/mfcc_test.ark"))
    assert len(feats) == 24
    assert {x.shape[1] for x in feats.values()} == {24}


def test_a_range_is_inclusive_as_in_kaldi(tmp_path, arrays):
    location = read_scp(write(tmp_path, arrays))["C"]
    np.testing.assert_array_equal(load_array("C", f"{location}[2:4]"), arrays["C"][2:5])
    np.testing.assert_array_equal(
        load_array("C", f"{location}[2:4,0:1]"), arrays["C"][2:5, :2]
    )
    np.testing.assert_array_equal(
        load_array("C", f"{location}[,1:2]"), arrays["C"][:, 1:]
    )
    with pytest.raises(DataError, match="range 9:12 of only 7"):
        load_array("C", f"{location}[9:12]")


def test_a_command_is_never_run(tmp_path):
    (tmp_path / "feats.scp").write_text(f"a touch {tmp_path}/ran |\n")
    with pytest.raises(DataError, match="commands are not run here"):
        read_scp(tmp_path / "feats.scp")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("suffix", ["", ":5", "[0:1]"])
def test_a_named_pipe_is_not_waited_for(tmp_path, suffix):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="cannot read 'a': expected a file, got some"):
        load_array("a", f"{tmp_path}/pipe{suffix}")


@pytest.mark.parametrize("end", [":" + "9" * 5000, f"[0:{'9' * 5000}]"])
def test_a_number_of_thousands_of_digits_is_no_place(tmp_path, arrays, end):
    """Python's own int() has a limit, and ends in a ValueError."""
    write(tmp_path, arrays)
    with pytest.raises(DataError):
        load_array("a", f"{tmp_path}/feats.ark{end}")


@pytest.mark.parametrize("size", [0, 3, 20, 60])
def test_a_truncated_archive_is_named(tmp_path, arrays, size):
    scp = write(tmp_path, {"a": arrays["C"]})
    ark = tmp_path / "feats.ark"
    ark.write_bytes(ark.read_bytes()[:size])
    with pytest.raises(DataError, match=r"feats\.ark"):
        dict(read_arrays(str(scp)))


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))]
)
def test_an_error_leaves_what_was_there(tmp_path, arrays, error):
    scp = write(tmp_path, arrays)
    before = scp.read_text()

    def fail():
        with ArkWriter(tmp_path, "feats") as writer:
            writer["z"] = arrays["a"]
            raise error

    with pytest.raises(type(error)):
        fail()
    assert scp.read_text() == before
    assert dict(read_arrays(str(scp))).keys() == arrays.keys()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["feats.ark", "feats.scp"]


@pytest.mark.slow
def test_ranks_write_one_table(tmp_path):
    """Three ranks, then one: the table is whole and no stale archive stays."""
    script = tmp_path / "write.py"
    script.write_text(
        textwrap.dedent(f"""
        import numpy as np
        from asdkit.base.distributed import leave, share
        from asdkit.io.ark import ArkWriter
        with ArkWriter({str(tmp_path / "out")!r}, "feats") as writer:
            for i in share(range(7)):
                writer[f"utt{{i}}"] = np.full((2, 3), i, np.float32)
        leave()
        """)
    )
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    for num_ranks, archives in ((3, 3), (1, 1)):
        command = [*launcher, f"--nproc-per-node={num_ranks}", str(script)]
        subprocess.run(command, check=True, capture_output=True)
        read = dict(read_arrays(str(tmp_path / "out" / "feats.scp")))
        assert [int(x[0, 0]) for x in read.values()] == list(range(7))
        assert len(list((tmp_path / "out").glob("*.ark"))) == archives


def test_bytes_without_a_blank_are_no_key(tmp_path):
    """A megabyte of gzip can be a gigabyte of them, read one by one."""
    path = tmp_path / "feats.ark.gz"
    path.write_bytes(gzip.compress(bytes(10**7)))
    with pytest.raises(DataError, match="expected a key, got"):
        list(read_arrays(f"ark:{path}"))


def test_tables_of_ranks_that_were_killed_do_not_stay(tmp_path):
    for name in (".feats.0.part", ".feats.3.part", ".vad.3.part"):
        (tmp_path / name).write_text("utt9 gone.ark:5\n")
    with ArkWriter(tmp_path, "feats") as writer:
        writer["utt1"] = np.ones((2, 3), np.float32)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"feats.ark", "feats.scp", ".vad.3.part"}
    assert list(dict(read_arrays(f"scp:{tmp_path}/feats.scp"))) == ["utt1"]


def test_vectors_are_stacked_or_the_culprit_is_named():
    keys, x = stack_vectors([("a", np.ones(2)), ("b", np.zeros(2))], "v.scp")
    assert (keys, x.shape, x.dtype) == (["a", "b"], (2, 2), np.float64)
    with pytest.raises(DataError, match=r"v.scp: 'b': expected \(2,\), got shape"):
        stack_vectors([("a", np.ones(2)), ("b", np.zeros(3))], "v.scp")
    with pytest.raises(DataError, match="'a' holds NaN"):
        stack_vectors([("a", np.array([np.nan]))], "v.scp")
    with pytest.raises(DataError, match="got none"):
        stack_vectors([], "v.scp")


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e39])
def test_what_is_not_finite_in_float32_is_never_written(tmp_path, bad):
    def write():
        with ArkWriter(tmp_path, "feats") as writer:
            writer["a"] = np.zeros((2, 3))
            writer["b"] = np.array([[0.0, 1.0], [bad, 0.0]])

    with pytest.raises(DataError, match=r"feats\.ark: 'b' holds NaN or infinity"):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_table_may_go_to_and_fro_between_archives(tmp_path, rng):
    """One stays open for its next value; another, or one in gzip, takes its place."""
    arrays = {f"u{i}": rng.normal(size=(3, 2)).astype("f4") for i in range(9)}
    table = {}
    for part in range(3):
        with ArkWriter(tmp_path / f"{part}", "feats") as writer:
            for utt in list(arrays)[part::3]:
                writer[utt] = arrays[utt]
        table |= read_table(writer.scp)
    packed = tmp_path / "packed.ark.gz"
    with gzip.open(packed, "wb") as stream:
        stream.write((tmp_path / "2/feats.ark").read_bytes())
    for utt in list(arrays)[2::3]:
        table[utt] = f"{packed}:{table[utt].rpartition(':')[2]}"
    write_table(tmp_path / "all.scp", table)
    found = dict(read_arrays(f"scp:{tmp_path}/all.scp"))
    assert found.keys() == arrays.keys()
    for utt, array in arrays.items():
        np.testing.assert_array_equal(found[utt], array)
