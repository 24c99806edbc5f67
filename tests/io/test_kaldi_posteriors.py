import gzip
import struct

import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.io.kaldi_posteriors import (
    FrameLists,
    read_gselect,
    read_posteriors,
    write_frame_lists,
)

ARCHIVES = {
    "diag_ubm/gselect.gz": read_gselect,
    "full_ubm/gselect.gz": read_gselect,
    "extractor/post.train.gz": read_posteriors,
}


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_what_was_read_is_written_byte_for_byte(golden, tmp_path, name, suffix):
    copy = tmp_path / f"copy{suffix}"
    write_frame_lists(copy, ARCHIVES[name](golden / name))
    written = (gzip.decompress if suffix else bytes)(copy.read_bytes())
    assert written == gzip.decompress((golden / name).read_bytes())


def test_posteriors_of_a_frame_sum_to_one_and_belong_to_gaussians(golden):
    utts = dict(read_posteriors(golden / "extractor/post.train.gz"))
    assert len(utts) == 48
    assert sum(len(frames.splits) - 1 for frames in utts.values()) == 5737
    for frames in utts.values():
        sums = np.add.reduceat(frames.values, frames.splits[:-1])
        np.testing.assert_allclose(sums, 1, atol=1e-6)
        assert frames.values.min() >= 0.025
        assert frames.gauss.min() >= 0
        assert frames.gauss.max() < 8


def test_a_selection_names_each_gaussian_once_per_frame(golden):
    for _, frames in read_gselect(golden / "diag_ubm/gselect.gz"):
        assert frames.values is None
        np.testing.assert_array_equal(np.diff(frames.splits), 8)
        ordered = np.sort(frames.gauss.reshape(-1, 8))
        np.testing.assert_array_equal(ordered, np.tile(np.arange(8), (len(ordered), 1)))


def test_frames_without_gaussians_and_utterances_without_frames_survive(tmp_path):
    frames = FrameLists(
        np.array([0, 0, 2, 2]), np.array([7, 3]), np.array([0.25, 0.75], np.float32)
    )
    empty = FrameLists(np.array([0]), np.array([], int), np.array([], np.float32))
    written = {"utt-é": frames, "utt2": empty}
    write_frame_lists(tmp_path / "post", written.items())
    read = dict(read_posteriors(tmp_path / "post"))
    assert list(read) == list(written)
    for utt, lists in written.items():
        for got, expected in zip(read[utt], lists, strict=True):
            np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_cut_anywhere_is_one_clear_error(golden, tmp_path, rng, name):
    zipped = (golden / name).read_bytes()
    for size in [3, 11, *rng.integers(12, len(zipped) - 1, 20)]:
        (tmp_path / "cut").write_bytes(zipped[:size])
        with pytest.raises(DataError, match="cut: cannot decompress it"):
            list(ARCHIVES[name](tmp_path / "cut"))
    plain = gzip.decompress(zipped)
    ends = np.cumsum([0, *_sizes(plain, ARCHIVES[name], tmp_path)])
    for size in [*range(1, 100), *rng.integers(100, len(plain), 50)]:
        (tmp_path / "cut").write_bytes(plain[:size])
        if size not in ends:
            with pytest.raises(DataError, match=r"cut: byte [0-9]+: expected"):
                list(ARCHIVES[name](tmp_path / "cut"))


def _sizes(plain, read, tmp_path):
    """Bytes of each utterance; an archive cut between two is a shorter archive."""
    (tmp_path / "plain").write_bytes(plain)
    for utt, frames in read(tmp_path / "plain"):
        write_frame_lists(tmp_path / "one", [(utt, frames)])
        yield (tmp_path / "one").stat().st_size


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"utt  [ 1 0.5 ]\n", "byte 6: expected a binary archive"),
        (b"utt \0B" + struct.pack("<bi", 4, 2**31 - 1), "expected 5 more bytes"),
        (b"utt \0B" + struct.pack("<bibi", 4, 1, 4, 2**31 - 1), "more bytes"),
        (b"utt \0B" + struct.pack("<bibi", 4, 1, 4, -1), "expected a count"),
        (
            b"utt \0B" + struct.pack("<bibibibf", 4, 1, 4, 1, 4, -2, 4, 1),
            "'utt': expected Gaussians",
        ),
        (
            b"utt \0B" + struct.pack("<bibibibd", 4, 1, 4, 1, 4, 2, 8, 1),
            "'utt': expected numbers of 4 bytes",
        ),
    ],
)
def test_damage_is_named(tmp_path, data, problem):
    (tmp_path / "post").write_bytes(data)
    with pytest.raises(DataError, match=problem):
        list(read_posteriors(tmp_path / "post"))
