import os
import subprocess
import sys

from asdkit.__main__ import main
from asdkit.base.packages import Finding


def test_a_whole_installation_gives_exit_code_0(capsys, monkeypatch):
    found = [Finding("ok", "torch", "2.11.0"), Finding("absent", "k2", "no", "maybe")]
    monkeypatch.setattr("asdkit.bin.doctor.examine", lambda: found)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert out == "ok      torch: 2.11.0\nabsent  k2: no\n        cure: maybe\n"


def test_a_broken_package_gives_exit_code_1(capsys, monkeypatch):
    found = [Finding("broken", "lhotse", "not installed", "pip install lhotse")]
    monkeypatch.setattr("asdkit.bin.doctor.examine", lambda: found)
    assert main(["doctor"]) == 1
    err = capsys.readouterr().err
    assert "asdkit doctor: error: 1 broken: lhotse\n" in err
    assert "cure: pip install lhotse" in err


def test_a_package_that_cannot_be_imported_is_found(tmp_path):
    """The whole way: a stub in front of torchaudio, as a mismatched build behaves."""
    code = "raise OSError('libtorchaudio.so: undefined symbol: x')"
    (tmp_path / "torchaudio.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "asdkit", "doctor"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "doctor: error: 1 broken: torchaudio\n" in done.stderr
    assert "cannot be imported: OSError: libtorchaudio.so: undefined" in done.stderr
    assert "cure: pip install --force-reinstall 'torchaudio==" in done.stderr
