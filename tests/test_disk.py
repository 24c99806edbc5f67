"""Arrays in, arrays out: the rooms of models and metrics never touch the disk."""

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[1] / "asdkit"
ARRAYS_ONLY = (
    "features",
    "simulation",
    "segmentation",
    "gmm",
    "nnet",
    "losses",
    "metrics",
    "ivector",
    "backends",
)
# The objectives of distillation take arrays; its stored teachers are files.
FILES = [
    *(path for room in ARRAYS_ONLY for path in sorted((LIBRARY / room).rglob("*.py"))),
    *(LIBRARY / "distillation" / f"{name}.py" for name in ("objectives", "teachers")),
    *(
        LIBRARY / "distillation" / f"{name}.py"
        for name in ("adversarial", "self_distillation")
    ),
]
MODULES = {
    "glob",
    "gzip",
    "io",
    "kaldiio",
    "os",
    "pathlib",
    "shutil",
    "soundfile",
    "subprocess",
    "tempfile",
    "zipfile",
}
CALLS = {"open", "np.load", "np.save", "np.savez", "torch.load", "torch.save"}
ALLOWED = {
    # Encodes and decodes in memory.
    "simulation/channels.py": {"io", "soundfile"},
    # Synthesizers are programs of their own, which answer through a pipe.
    "simulation/text_to_speech.py": {"io", "shutil", "soundfile", "subprocess"},
    # What Kaldi's files hold, as arrays; asdkit.io.kaldi reads them.
    "ivector/kaldi_format.py": {"asdkit.io.kaldi", "asdkit.io.tables"},
    "backends/kaldi_format.py": {"asdkit.io.kaldi", "asdkit.io.tables"},
}


def disk_in(tree):
    """Yield what a module has that reaches the disk: imports and calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in CALLS:
            yield ast.unparse(node.func)
            continue
        else:
            continue
        for name in names:
            if name.split(".")[0] in MODULES or name.startswith("asdkit.io"):
                yield name


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(LIBRARY)))
def test_no_file_is_opened_where_arrays_go_in_and_out(path):
    found = set(disk_in(ast.parse(path.read_text())))
    assert found <= ALLOWED.get(path.relative_to(LIBRARY).as_posix(), set())


def test_the_check_sees_what_it_forbids():
    code = "from pathlib import Path\nimport numpy as np\nnp.load('x')\nopen('y')"
    assert set(disk_in(ast.parse(code))) == {"pathlib", "np.load", "open"}
