"""The files of a bundle, and what is wrong with them."""

import json
import os

import pytest

from asdkit.base.errors import DataError
from asdkit.models.bundle_files import (
    INDEX,
    KIND,
    VERSION,
    digest_of,
    read_index,
    unchanged_files,
)


@pytest.fixture
def bundle(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"weights")
    digests = {"a.npz": digest_of(tmp_path / "a.npz")}
    about = {"kind": KIND, "version": VERSION, "files": digests}
    (tmp_path / INDEX).write_text(json.dumps(about))
    return tmp_path


def test_what_was_written_is_found(bundle):
    about = read_index(bundle)
    assert unchanged_files(bundle, about["files"]) == {"a.npz": bundle / "a.npz"}


def test_a_file_that_has_changed_is_refused(bundle):
    digests = read_index(bundle)["files"]
    (bundle / "a.npz").write_bytes(b"weightt")
    with pytest.raises(DataError, match=r"a\.npz: it has changed"):
        unchanged_files(bundle, digests)
    (bundle / "a.npz").unlink()
    with pytest.raises(DataError, match=r"a\.npz: missing from the bundle"):
        unchanged_files(bundle, digests)


@pytest.mark.parametrize("name", ["../a.npz", "x/a.npz", "/etc/passwd"])
def test_no_file_outside_is_opened(bundle, name):
    with pytest.raises(DataError, match="is no name of a file in it"):
        unchanged_files(bundle, {name: "0"})


def test_a_device_in_place_of_a_file_is_not_read(bundle):
    (bundle / "a.npz").unlink()
    os.mkfifo(bundle / "a.npz")
    with pytest.raises(DataError, match="not a file"):
        unchanged_files(bundle, {"a.npz": "0"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"kind": "x"}', "expected an asdkit bundle"),
        ("[]", "expected an asdkit bundle"),
        (f'{{"kind": "{KIND}", "version": 2}}', "expected version 1, got 2"),
        ("{", "damaged"),
        ("[" * 100_000, "damaged"),
    ],
    ids=["kind", "list", "version", "cut short", "deep"],
)
def test_an_index_of_something_else_is_refused(bundle, text, problem):
    (bundle / INDEX).write_text(text)
    with pytest.raises(DataError, match=problem):
        read_index(bundle)


def test_a_directory_without_an_index_is_none(tmp_path):
    with pytest.raises(DataError, match=r"no bundle: it has no bundle\.json"):
        read_index(tmp_path)
