"""Packages that not everybody has, in one line whatever is wrong with them."""

import sys

import pytest

from asdkit.base.errors import AsdkitError
from asdkit.base.packages import require


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "raise OSError('lib.so: undefined symbol: x')",
            "stub cannot be imported: lib.so: undefined symbol: x",
        ),
        (
            "raise RuntimeError('operator stub::x does not exist\\nmore')",
            "stub cannot be imported: operator stub::x does not exist",
        ),
        (
            "import sys; sys.no_such_name",
            "stub cannot be imported: module 'sys' has no attribute 'no_such_name'",
        ),
        ("raise ValueError", "stub cannot be imported: ValueError"),
        ("import no_such_module", "no_such_module is not installed"),
        ("raise ModuleNotFoundError", "stub is not installed"),
    ],
)
def test_whatever_a_package_s_import_raises_is_one_line(
    code, message, tmp_path, monkeypatch
):
    (tmp_path / "stub.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(AsdkitError) as caught:
        require("stub", "pip install stub")
    assert (str(caught.value), caught.value.hint) == (message, "pip install stub")
    assert "stub" not in sys.modules


def test_what_is_absent_is_named_with_its_cure():
    with pytest.raises(AsdkitError, match="no_such_package is not installed") as caught:
        require("no_such_package", "pip install it")
    assert caught.value.hint == "pip install it"
