import os
import re
import subprocess
import sys

from asdkit.__main__ import main
from asdkit.base.packages import Finding


def test_a_whole_installation_gives_exit_code_0(capsys, monkeypatch):
    found = [Finding("ok", "torch", "2.11.0"), Finding("absent", "k2", "no", "maybe")]
    monkeypatch.setattr("asdkit.bin.doctor.examine", lambda: found)
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert out == (
        "ok       torch: 2.11.0\nabsent   k2: no\n         cure: maybe\n"
        "asdkit doctor: all that is installed works\n"
    )


def test_a_broken_package_gives_exit_code_1(capsys, monkeypatch):
    found = [Finding("broken", "lhotse", "not installed", "pip install lhotse")]
    monkeypatch.setattr("asdkit.bin.doctor.examine", lambda: found)
    assert main(["doctor"]) == 1
    err = capsys.readouterr().err
    assert "asdkit doctor: error: broken: lhotse\n" in err
    assert "cure: pip install lhotse" in err


def doctor(tmp_path, **stubs):
    """Run asdkit doctor the whole way, with modules put in front of all others."""
    for name, code in stubs.items():
        (tmp_path / f"{name}.py").write_text(code)
    here = os.environ.get("PYTHONPATH", "")
    return subprocess.run(
        [sys.executable, "-m", "asdkit", "doctor"],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{here}"},
        capture_output=True,
        text=True,
    )


def test_a_broken_torchaudio_degrades_and_gives_exit_code_0(tmp_path):
    """As torchaudio 2.11.1 beside torch 2.11.0 behaves."""
    code = "raise OSError('libtorchaudio.so: undefined symbol: x')"
    done = doctor(tmp_path, torchaudio=code)
    assert done.returncode == 0
    assert "\ndegraded torchaudio: " in done.stdout
    assert "cannot be imported: OSError: libtorchaudio.so: undefined" in done.stdout
    assert "self-supervised encoders: ssl-extract, nnet-train" in done.stdout
    assert done.stdout.endswith("\nasdkit doctor: degraded: torchaudio\n")


def test_a_broken_torch_gives_exit_code_1_and_is_said_once(tmp_path):
    done = doctor(
        tmp_path, torch="print('tried')\nraise OSError('libtorch.so: cannot open')"
    )
    assert done.returncode == 1
    assert "asdkit doctor: error: broken: torch\n" in done.stderr
    assert "cannot be imported: OSError: libtorch.so: cannot open" in done.stderr
    assert re.search(r"cure: pip install .*\btorch\b.* torchaudio", done.stderr)
    assert done.stderr.count("libtorch.so") == 1
    assert done.stdout == "tried\n"
