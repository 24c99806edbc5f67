"""The house: who may import whom, what stands at the root, who has a docstring."""

import ast
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "asdkit"
SPEC = importlib.util.spec_from_file_location("rooms", ROOT / "tools/draw_rooms.py")
rooms = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(rooms)
LAYER_OF = {folder: n for n, layer in enumerate(rooms.LAYERS) for folder in layer}
FILES = sorted(LIBRARY.rglob("*.py"))
ALLOWED_AT_ROOT = {
    "egs",
    "asdkit",
    "tools",
    "tests",
    "setup.py",
    "README.md",
    "path.sh",
    "LICENSE",
}


def test_every_folder_has_a_layer():
    folders = {path.name for path in LIBRARY.iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} <= set(LAYER_OF)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_imports_only_from_layers_below(path):
    home = path.relative_to(LIBRARY).parts[0]
    layer = LAYER_OF.get(home, len(rooms.LAYERS))
    for module in rooms.imports_of(path):
        parts = module.split(".")
        if parts[0] != "asdkit" or len(parts) == 1 or parts[1] == home:
            continue
        assert LAYER_OF[parts[1]] < layer, f"{path} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_lhotse_is_imported_where_manifests_are_read_only(path):
    home = path.relative_to(LIBRARY).parts[0]
    uses_lhotse = any(name.split(".")[0] == "lhotse" for name in rooms.imports_of(path))
    assert not uses_lhotse or home in ("data", "batches", "corpora", "kaldi")


def torchaudio_in(tree):
    """Yield the lines that import torchaudio, or hand on the name of a module of it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        elif isinstance(node, ast.Call):
            names = [x.value for x in node.args if isinstance(x, ast.Constant)]
        elif isinstance(node, ast.FunctionDef):
            names = [x.value for x in node.args.defaults if isinstance(x, ast.Constant)]
        else:
            continue
        if any(str(name).split(".")[0] == "torchaudio" for name in names):
            yield node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_torchaudio_is_imported_late_and_by_self_supervised_encoders_only(path):
    """Its compiled half fails beside another torch, and must not take all with it."""
    tree = ast.parse(path.read_text())
    lines = set(torchaudio_in(tree))
    home = path.relative_to(LIBRARY).as_posix()
    if home == "base/packages.py":  # asdkit doctor looks whether it works
        assert not any(name.startswith("torchaudio") for name in rooms.imports_of(path))
        return
    assert not lines or home in ("nnet/ssl.py", "models/ssl_checkpoints.py")
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert all(any(f.lineno <= n <= f.end_lineno for f in functions) for n in lines)


# Who may know that options come from a command line.
NAMESPACES = ("base/options.py", "base/command.py", "base/outputs.py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_parsed_arguments_go_no_deeper_than_programs(path):
    """The library takes plain objects, so that Python may call it without a parser."""
    home = path.relative_to(LIBRARY)
    nodes = ast.walk(ast.parse(path.read_text()))
    names = {getattr(x, "attr", getattr(x, "id", None)) for x in nodes}
    allowed = home.parts[0] == "bin" or home.as_posix() in NAMESPACES
    assert allowed or not {"Namespace", "parse_args"} & names


def test_the_root_holds_exactly_what_the_design_says():
    found = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")}
    assert {name for name in found if not name.endswith(".egg-info")} == ALLOWED_AT_ROOT


def test_there_are_no_symlinks():
    skipped = (".venv", ".venv-k2", ".git", "data", "exp")
    for path in ROOT.iterdir():
        if path.name not in skipped:
            assert not any(p.is_symlink() for p in [path, *path.rglob("*")])


def test_no_room_is_called_utils():
    names = {path.stem for path in FILES}
    assert not names & {"utils", "helpers", "common", "misc"}
