"""Plug-ins are imported only if the caller has named them."""

import sys
from itertools import count

import pytest

from asdkit.base.command import CommandParser
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.plugins import add_plugins, allow, plugin, refuse_unnamed
from asdkit.base.registry import construct
from asdkit.base.signatures import parameters_of

NUMBER = count()


class Known:
    """Take a size from the program.

    Args:
        size: from the program.
        rate: rate.
        kind: kind of thing.
    """

    def __init__(self, size: int, rate: float = 0.5, kind: str = "a") -> None: ...


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A package that cannot be imported, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    package = f"named{next(NUMBER)}"
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("1 / 0\n")
    (tmp_path / package / "nets.py").write_text("1 / 0\nclass Net:\n    pass\n")
    return f"{package}.nets"


def test_a_name_from_a_file_does_not_import_a_plugin(module, tmp_path):
    with pytest.raises(AsdkitError, match="is a plug-in that you did not name"):
        construct({"known": Known}, f"{module}:Net", 3)
    with pytest.raises(
        DataError, match=r"model\.pt: its loss cannot be built: "
    ) as got:
        refuse_unnamed("model.pt", {"net": "known", "loss": f"{module}:Net"})
    assert got.value.hint.startswith(f"--plugins {module} ")
    assert module not in sys.modules


def test_a_plugin_that_the_caller_named_is_imported_when_it_is_built(tmp_path, module):
    name = f"{module.partition('.')[0]}_good"
    (tmp_path / f"{name}.py").write_text("def make(size=1):\n    return size\n")
    parser = CommandParser("prog", "A program.")
    add_plugins(parser)
    assert parser.parse(["--plugins", name]).plugins == (name,)
    assert name not in sys.modules
    assert construct({}, f"{name}:make", size=3) == 3
    assert name in sys.modules


def test_modules_of_the_current_folder_do_not_hide_installed_ones(tmp_path, module):
    (tmp_path / "colorsys.py").write_text("1 / 0\n")
    allow(["colorsys"])
    assert [*parameters_of("colorsys:rgb_to_hsv")] == ["r", "g", "b"]
    assert plugin("colorsys:rgb_to_hsv")(0.0, 0.0, 1.0) == (2 / 3, 1.0, 1.0)
