"""Requirements of sherpa-onnx on a model of speakers: features, keys of the file."""

from __future__ import annotations

from typing import Any

from asdkit.base.errors import AsdkitError
from asdkit.features.mel import Fbank
from asdkit.inference.detectors import NetworkCountermeasure
from asdkit.inference.graph_models import Networked

# What sherpa-onnx computes for its speaker models, 2.0.1, equal to kaldi-native-fbank's
# features; dither, which it leaves out, is not compared.
SHERPA = Fbank(num_mel_bins=80, snip_edges=False, high_freq=-400.0, dither=0.0)


def require_sherpa(model: Networked) -> None:
    """Raise unless sherpa-onnx computes the features of a model."""
    config = model.front_end.config
    problems = []
    if isinstance(model, NetworkCountermeasure):
        problems.append("it is a countermeasure, not a network of speakers")
    if config.type != "fbank":
        problems.append(f"--type fbank (it has {config.type})")
    else:
        found = model.front_end.extractor.options
        problems += [
            f"--{name.replace('_', '-')} {_shown(value)} (it has {_shown(found[name])})"
            for name, value in SHERPA.options.items()
            if name != "dither" and found[name] != value
        ]
    if config.delta_order:
        problems.append("--delta-order 0")
    if config.voiced:
        problems.append("--voiced false")
    if config.cmn_window:
        problems.append("--cmn-window 0")
    if problems:
        raise AsdkitError(
            f"{model.path}: sherpa-onnx computes other features: it needs "
            + ", ".join(problems),
            hint="train with these options, or export with --form waveform",
        )


def _shown(value: Any) -> str:
    """Write an option's value as a command line has it."""
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def sherpa_keys(model: Networked) -> dict[str, str]:
    """The keys that sherpa-onnx ends a process for, if one is missing."""
    subtracted = model.front_end.config.subtract_mean
    return {
        "framework": "wespeaker",
        "language": "any",
        "normalize_samples": "0",  # samples times 32768, as Kaldi has them
        "url": "asdkit",
        "comment": "the graph subtracts the mean itself"
        if subtracted
        else "no mean is subtracted",
    }
