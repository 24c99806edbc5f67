"""Open a trained model of any kind: ``asdkit.load``."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn

from asdkit.base.device import choose_device
from asdkit.base.errors import AsdkitError, DataError
from asdkit.inference.backend import Backend, Calibrator, cosine_backend
from asdkit.inference.bundle import Bundle
from asdkit.inference.trained_model import TrainedModel
from asdkit.io.store import HEADER, building, kind_of
from asdkit.io.tables import PathName
from asdkit.models.bundle_files import INDEX

if TYPE_CHECKING:
    from asdkit.features.framing import Features

# What to look for in a directory; a part is opened only where there is no model.
MODELS = ("network.pt", "extractor.npz", "gmm.npz")
PARTS = ("backend.npz", "calibration.npz", "ubm.npz")
USES = {
    "Ubm": "a UBM aligns frames for an extractor: load that (extractor.npz)",
    "EmbeddingCm": "it classifies stored embeddings: asdkit cm-classifier-score",
    "Checkpoint": "a training was interrupted: run it again, which makes network.pt",
}


class _Given(NamedTuple):
    """The other arguments of `load`."""

    backend: PathName | None
    device: Literal["auto", "cpu", "cuda"]
    calibration: PathName | None
    features: Features | PathName | None
    vad: Mapping[str, Any] | PathName | bool | None

    def refuse(self, path: PathName, what: str, *names: str) -> None:
        """Raise an AsdkitError if an argument is given that this model ignores."""
        for name in names:
            if getattr(self, name) is not None:
                raise AsdkitError(f"{path}: {what} has no use for {name}=")

    def compare(self, path: PathName) -> Backend:
        """Open the back-end; without one, embeddings are compared by their cosine."""
        if self.backend is None:
            return cosine_backend(path, self.calibration)
        return Backend.read(self.backend, self.calibration)


def load(
    path: PathName,
    backend: PathName | None = None,
    device: Literal["auto", "cpu", "cuda"] = "cpu",
    plugins: Iterable[str] = (),
    *,
    calibration: PathName | None = None,
    features: Features | PathName | None = None,
    vad: Mapping[str, Any] | PathName | bool | None = None,
) -> TrainedModel:
    """Open a trained model to use it on recordings.

    The file says what it is: a network of speakers (nnet-train) or an i-vector
    extractor (ivector-train, kaldi-import) embeds and scores recordings, a
    countermeasure (cm-train, cm-gmm-train) detects spoofed speech, a back-end
    (backend-train) scores embeddings, a calibration (calibration-train) calibrates
    scores, a bundle (bundle-make) decides, without torch.  Nothing in a file is
    executed.

    Args:
        path: the file, or a directory with one of network.pt, extractor.npz, gmm.npz,
            or that bundle-make wrote.
        backend: back-end that compares the embeddings, from backend-train; None: their
            cosine.
        device: where to compute; auto: a GPU if there is one.
        plugins: modules outside asdkit that the model may use, e.g. "my.module".
        calibration: calibration of the scores, from calibration-train; None: scores
            stay as they are.
        features: features of the training, if the file does not describe them: a
            feats.json or .conf file of feats-compute, or an object of
            `asdkit.features`.
        vad: voice activity detection of the training, if the file does not describe it:
            a vad.json or .conf file of vad-compute, or the options of
            `asdkit.vad.energy.energy_vad`; False: all frames are used.

    Returns:
        an object with the verbs of `asdkit.inference.trained_model.TrainedModel`; one
        that the model does not support raises an AsdkitError.

    Raises:
        DataError: a file is missing, damaged, of an unknown kind, or does not fit the
            others; or it does not say how to compute its features from audio.
        AsdkitError: there is no GPU, or a plug-in cannot be found.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import asdkit
        >>> from asdkit.backends.pipeline import Pipeline
        >>> from asdkit.backends.plda import Plda
        >>> from asdkit.io.store import save_arrays
        >>> rng = np.random.default_rng(0)
        >>> speakers = np.repeat(np.arange(20), 5)
        >>> x = rng.normal(size=(20, 4))[speakers] + 0.3 * rng.normal(size=(100, 4))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = f"{folder}/backend.npz"
        ...     pipeline = Pipeline([Plda()]).fit(x, speakers)
        ...     save_arrays(path, "Pipeline", *pipeline.to_state())
        ...     backend = asdkit.load(path)
        >>> score = backend.score(x[0], x[1])
        >>> score.kind, float(score) > float(backend.score(x[0], x[99]))
        ('PLDA LLR', True)
    """
    if plugins:
        from asdkit.base.plugins import allow

        allow(plugins)
    given = _Given(backend, device, calibration, features, vad)
    if (Path(path) / INDEX).exists():
        names = "backend", "calibration", "features", "vad"
        given.refuse(path, "a bundle", *names)
        return Bundle.open(path)
    file = _find(Path(path))
    if not _is_arrays(file):
        return _open_network(file, given)
    kind = kind_of(file)
    if kind in OPENERS:
        return OPENERS[kind](file, given)
    raise DataError(file, f"not usable on its own: {kind!r}", hint=USES.get(kind))


def _find(path: Path) -> Path:
    """Find the model file of a path, which may be a directory."""
    if not path.is_dir():
        if not path.exists():
            raise DataError(path, "no such file or directory")
        return path
    found = [name for name in MODELS if (path / name).exists()]
    if not found:
        found = [name for name in PARTS if (path / name).exists()]
    if not found:
        raise DataError(path, f"expected one of {', '.join((*MODELS, *PARTS))}")
    if len(found) > 1:
        problem = f"it has several models: {', '.join(found)}"
        raise DataError(path, problem, hint=f"name one, e.g. {path / found[0]}")
    return path / found[0]


def _is_arrays(path: Path) -> bool:
    """Tell files of arrays from those of tensors."""
    try:
        with zipfile.ZipFile(path) as archive:
            return f"{HEADER}.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return path.suffix == ".npz"  # the reader of that kind raises


def _open_network(path: Path, given: _Given) -> TrainedModel:
    """Open a network of speakers or a countermeasure."""
    from asdkit.batches.feature_config import FeatureConfig
    from asdkit.countermeasures.loading import as_countermeasure, is_countermeasure
    from asdkit.inference.detectors import NetworkCountermeasure
    from asdkit.inference.embedders import NetworkEmbedder
    from asdkit.inference.waveform_front_end import WaveformFrontEnd
    from asdkit.models.networks import load_network

    trained = load_network(path)
    with building(path):
        config = FeatureConfig.read(trained.options["features"])
    front_end = WaveformFrontEnd(path, config, given.features, given.vad)
    front_end.require_dim(trained.network.feat_dim, config.delta_order)
    device = choose_device(given.device)
    if not is_countermeasure(trained):
        return NetworkEmbedder(path, trained, front_end, given.compare(path), device)
    given.refuse(path, "a countermeasure", "backend", "calibration")
    cm = as_countermeasure(path, trained, device)
    name = trained.options["network"]["name"]
    return NetworkCountermeasure(path, cm, name, front_end, device)


def _open_extractor(path: Path, given: _Given) -> TrainedModel:
    """Open an i-vector extractor with its UBM."""
    from asdkit.batches.feature_config import FeatureConfig
    from asdkit.inference.embedders import IvectorEmbedder
    from asdkit.inference.waveform_front_end import WaveformFrontEnd
    from asdkit.io.store import load_object
    from asdkit.ivector.system import IvectorSystem

    system: IvectorSystem = load_object(path, IvectorSystem)
    vad = given.vad
    if system.features is None:
        if vad is None:
            _ask(path)
        config = FeatureConfig(subtract_mean=False)
    else:
        with building(path):
            config = FeatureConfig.read(system.features)
    front_end = WaveformFrontEnd(path, config, given.features, vad)
    device = choose_device(given.device)
    return IvectorEmbedder(path, system, front_end, given.compare(path), device)


def _ask(path: Path) -> NoReturn:
    """Raise a DataError that asks for features and VAD, so that neither is guessed."""
    from asdkit.inference.waveform_front_end import FEATURES_ARGUMENT, VAD_ARGUMENT

    problem = "it does not say how its features were computed, nor how speech was found"
    raise DataError(path, problem, hint=f"{FEATURES_ARGUMENT}; and {VAD_ARGUMENT}")


def _open_spoof_gmm(path: Path, given: _Given) -> TrainedModel:
    """Open a countermeasure of two mixtures."""
    from asdkit.countermeasures.gmm import load_spoof_gmm
    from asdkit.inference.detectors import GmmCountermeasure
    from asdkit.inference.waveform_front_end import WaveformFrontEnd

    given.refuse(path, "a countermeasure", "backend", "calibration")
    model = load_spoof_gmm(path)
    config = model.feature_config
    front_end = WaveformFrontEnd(path, config, given.features, given.vad)
    return GmmCountermeasure(path, model, front_end, choose_device(given.device))


def _open_backend(path: Path, given: _Given) -> TrainedModel:
    """Open a back-end, which needs no torch."""
    given.refuse(path, "a back-end", "backend", "features", "vad")
    return Backend.read(path, given.calibration)


def _open_calibration(path: Path, given: _Given) -> TrainedModel:
    """Open a calibration, which needs no torch."""
    names = "backend", "calibration", "features", "vad"
    given.refuse(path, "a calibration", *names)
    return Calibrator.read(path)


OPENERS = {
    "IvectorSystem": _open_extractor,
    "SpoofGmm": _open_spoof_gmm,
    "Pipeline": _open_backend,
    "Calibration": _open_calibration,
}
