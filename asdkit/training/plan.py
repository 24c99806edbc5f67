"""A training as one object: network, loss, objective, features, data, loop, teacher.

The programs nnet-train and cm-train build a `TrainingPlan` from their options and run
it, as does anyone who trains from Python.  It is saved as ``plan.json`` beside the
network that it trained.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from asdkit.base.device import choose_device
from asdkit.base.distributed import is_main
from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.inputs import refuse_input
from asdkit.base.measured import note_steps, note_value
from asdkit.base.outputs import OutputDir, hold
from asdkit.base.ranges import AnyPath, FilePath, Natural
from asdkit.base.registry import Chosen, construct
from asdkit.base.values import check_values
from asdkit.batches.kept_audio import keep_audio
from asdkit.data.cuts import speaker_of
from asdkit.distillation.stored_teachers import TeacherReader
from asdkit.features.registry import FRONT_ENDS
from asdkit.io.files import write_atomic
from asdkit.io.tables import PathName
from asdkit.losses import registry as losses
from asdkit.losses.objective import Objective
from asdkit.models.networks import TrainedNetwork, save_network
from asdkit.nnet import registry as networks
from asdkit.nnet.complexity import num_macs, num_parameters
from asdkit.nnet.network import Network
from asdkit.training.initialization import new_network
from asdkit.training.loop import Training
from asdkit.training.objectives import OBJECTIVES, build_objective
from asdkit.training.spoofing import SpoofTrainingSetReader
from asdkit.training.training_set import TrainingSet, TrainingSetReader

FILE = "plan.json"
LABELS, STORED = Chosen("labels"), Chosen("stored")
READERS = {"speakers": TrainingSetReader, "spoof": SpoofTrainingSetReader}


class Prepared(NamedTuple):
    """A training before its first step.

    Attributes:
        trained: network and loss with their initial weights.
        objective: training objective.
        training_set: data to train on.
        dev_error: measures the dev error of a network; None without a development set
            or held-out speakers.
    """

    trained: TrainedNetwork
    objective: Objective
    training_set: TrainingSet
    dev_error: Callable[[Network], float] | None


@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """Everything that a trained network depends on, except the data.

    Defaults are filled in, so that a saved plan keeps its meaning when a default
    changes.  Equal plans and data give equal networks: to the bit on one device with
    the same number of threads and ranks.

    Args:
        network: name in `asdkit.nnet.registry.MODELS`, and options.
        loss: name in `asdkit.losses.registry.LOSSES`, and options.
        objective: name in `asdkit.training.objectives.OBJECTIVES`, and options: the
            loss alone ("labels"), or how a teacher or an adversary adds to it.
        features: stored features ("stored"), or a name in
            `asdkit.features.registry.FEATURES` and options, to compute them from audio.
        data: how batches are made; a `SpoofTrainingSetReader` for a countermeasure.
        loop: optimizer, schedules, number of epochs.
        teacher: the teacher that the objective needs, if any.
        class_weights: weight of spoofed and of bona fide utterances in the loss;
            balanced: by the inverse of their numbers; None: none.
        ssl_checkpoint: self-supervised encoder of ssl_ecapa: a folder that transformers
            saved, or a file of torchaudio's.
        init_from: network.pt of the same network, to start from its weights.
        init_loss: start from the weights of its loss, too, where speakers are the same.
        seed: random seed for weights, batch order and dropout; ``data`` and ``loop``
            take it over.

    Raises:
        ValueError: a name or an option is unknown, a value cannot be, or ``data`` or
            ``loop`` have a seed of their own.
        AsdkitError: parts contradict each other.

    Example:
        >>> import tempfile
        >>> from asdkit import TrainingPlan
        >>> from asdkit.base.registry import Chosen, construct
        >>> plan = TrainingPlan(
        ...     network=Chosen("resnet18", {"channels": 16}),
        ...     loss=Chosen("aam_softmax", {"margin": 0.3}),
        ...     loop=Training(num_epochs=10),
        ...     seed=1,
        ... )
        >>> plan.network.options["embedding_dim"], plan.data.seed
        (256, 1)
        >>> with tempfile.TemporaryDirectory() as exp:
        ...     written = plan.save(exp)
        ...     TrainingPlan.read(exp) == plan
        True
        >>> network = plan.run("data/train", "exp/resnet18")  # doctest: +SKIP
    """

    KINDS: ClassVar[Mapping[str, tuple[Mapping[str, Any], tuple[str, ...]]]] = {
        "network": (networks.MODELS, networks.GIVEN),
        "loss": (losses.LOSSES, losses.GIVEN),
        "objective": (OBJECTIVES, ()),
        "features": (FRONT_ENDS, ()),
    }

    network: Chosen
    loss: Chosen
    objective: Chosen = LABELS
    features: Chosen = STORED
    data: TrainingSetReader = field(default_factory=TrainingSetReader)
    loop: Training = field(default_factory=Training)
    teacher: TeacherReader = field(default_factory=TeacherReader)
    class_weights: tuple[float, ...] | Literal["balanced"] | None = None
    ssl_checkpoint: AnyPath | None = None
    init_from: FilePath | None = None
    init_loss: bool = False
    seed: Natural = 0

    def __post_init__(self) -> None:
        for name, (table, given) in self.KINDS.items():
            complete = getattr(self, name).complete(table, but=given)
            object.__setattr__(self, name, complete)
        for name in ("data", "loop"):
            part = getattr(self, name)
            if part.seed not in (0, self.seed):
                problem = f"{name} has the seed {part.seed}, the plan {self.seed}"
                raise ValueError(f"{problem}: set it once, in the plan")
            object.__setattr__(self, name, replace(part, seed=self.seed))
        for part in (self.data, self.loop, self.teacher):
            check_values(type(part), asdict(part))
        self._refuse_contradictions()

    def _refuse_contradictions(self) -> None:
        """Raise an AsdkitError if parts contradict each other, before data are read."""
        loss, checkpoint = self.loss.name, self.ssl_checkpoint
        if loss in losses.METRIC and self.classes == "spoof":
            raise AsdkitError(
                f"--loss {loss} has no classifier of spoofed and bona fide speech",
                hint=f"one of {', '.join(losses.CLASSIFICATION)}",
            )
        if loss in losses.METRIC and self.data.utts_per_speaker < 2:
            raise AsdkitError(
                f"--loss {loss} compares utterances of a speaker within a batch",
                hint="--utts-per-speaker 2",
            )
        if loss in losses.METRIC and self.class_weights is not None:
            raise AsdkitError(f"--class-weights: --loss {loss} has no classes")
        if (checkpoint is None) == self.network.name.startswith("ssl_"):
            raise AsdkitError(
                f"--network {self.network.name} and --ssl-checkpoint {checkpoint}: "
                "networks ssl_... have one, others none"
            )

    @property
    def classes(self) -> Literal["speakers", "spoof"]:
        """The classes of the network: speakers, or spoofed and bona fide speech."""
        is_spoof = isinstance(self.data, SpoofTrainingSetReader)
        return "spoof" if is_spoof else "speakers"

    def run(
        self,
        data_dir: PathName,
        out: PathName,
        dev_dir: PathName | None = None,
        device: Literal["auto", "cpu", "cuda"] = "auto",
    ) -> Path:
        """Train and write network.pt; resume a training that was killed.

        With several ranks, all must call it, and rank 0 writes.

        Args:
            data_dir: data directory to train on.
            out: directory of network.pt, plan.json and checkpoints.
            dev_dir: development set of a countermeasure, to measure its dev error on;
                None: no dev error.  Speakers are held out of ``data_dir`` instead.
            device: device to compute on; auto: a GPU if there is one.

        Returns:
            the path of network.pt.

        Raises:
            AsdkitError: parts do not fit together, or ``out`` has checkpoints of a
                training with other options.
            DataError: data are missing or damaged, network.pt in ``out`` is the one to
                start or to learn from, or another run is writing there.
            FitError: the data cannot support the training.
        """
        with hold(OutputDir(out)), keep_audio():
            return self._run(data_dir, Path(out), dev_dir, choose_device(device))

    def _run(
        self, data_dir: PathName, out: Path, dev_dir: PathName | None, device: str
    ) -> Path:
        """Train; arguments as for `run`."""
        trained, objective, corpus, dev_error = self.prepare(data_dir, dev_dir, device)
        written = out / "network.pt"
        refuse_input(written)  # before hours of work
        self.loop.check_dev_error(dev_error)
        if is_main() and not any(out.glob("checkpoint.*.pt")):
            self.save(out)  # checkpoints keep the plan that they were made with
        trained.options["history"] = self.loop.fit(
            trained.network,
            objective,
            corpus.batches,
            out,
            dict(trained.options),
            dev_error,
            device,
        )
        if is_main():
            self.save(out)
            save_network(written, trained)
            _note(trained)
        return written

    def prepare(
        self, data_dir: PathName, dev_dir: PathName | None = None, device: str = "cpu"
    ) -> Prepared:
        """Read data and teacher; build the network with its initial weights.

        Args:
            data_dir: as for `run`.
            dev_dir: as for `run`.
            device: device to compute on, as torch names it.

        Raises:
            AsdkitError: as for `run`.
            DataError: as for `run`.
            FitError: as for `run`.
        """
        stored = self.teacher.read()
        extractor = construct(FRONT_ENDS, self.features.name, **self.features.options)
        corpus = self.data.read(data_dir, extractor, stored)
        trained = new_network(self, corpus, stored)
        dev_error = self._read_dev(dev_dir, corpus, trained, device)
        objective = build_objective(
            self.objective.name,
            self.objective.options,
            loss=trained.loss,
            network=trained.network,
            teacher=stored and stored.teacher(corpus.classes, device),
            speakers={cut.id: speaker_of(cut) for cut in corpus.batches.frames.cuts},
        )
        return Prepared(trained, objective, corpus, dev_error)

    def _read_dev(
        self,
        dev_dir: PathName | None,
        corpus: TrainingSet,
        trained: TrainedNetwork,
        device: str,
    ) -> Callable[[Network], float] | None:
        """Read the development set, if there is one."""
        if not isinstance(self.data, SpoofTrainingSetReader):
            if dev_dir is not None:
                raise AsdkitError(
                    f"{dev_dir}: speakers have no development set, some are held out",
                    hint="--num-valid-spks",
                )
            return corpus.dev_error(device)
        if dev_dir is None:
            return None
        # A network that classifies frames is rated by frames.
        of_frames = self.objective.name == "frame_labels"
        read = self.data.read_frames if of_frames else self.data.read_trials
        return read(dev_dir, corpus, trained.loss, device)

    def save(self, directory: PathName) -> Path:
        """Write plan.json, atomically, and return its path."""
        path = Path(directory) / FILE
        text = json.dumps(self.description, indent=1)
        with write_atomic(path) as stream:
            stream.write(f"{text}\n")
        return path

    @classmethod
    def read(cls, path: PathName) -> TrainingPlan:
        """Read plan.json, or that of a directory.

        Raises:
            DataError: missing, damaged, or not a plan that this version can read.
        """
        path = Path(path)
        if path.suffix != ".json":
            path /= FILE
        try:
            return cls.from_description(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            hint = "nnet-train and cm-train write it: rerun the same command"
            raise DataError(path, "no such file", hint=hint) from None
        except (OSError, AttributeError, LookupError, TypeError, ValueError) as error:
            problem = f"expected the plan of a training: {error}"
            raise DataError(path, problem) from None

    @property
    def description(self) -> dict[str, Any]:
        """The plan as JSON can hold it."""
        known: dict[str, Any] = {"classes": self.classes}
        for name in (part.name for part in fields(self)):
            value = getattr(self, name)
            if name in self.KINDS:
                known[name] = {"name": value.name, **value.options}
            else:
                known[name] = value if _is_plain(value) else asdict(value)
        return known

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> TrainingPlan:
        """Return the plan that a `description` stands for.

        Raises:
            LookupError: a part is missing.
            TypeError: a part has an unknown option.
            ValueError: a name is unknown.
        """
        known = dict(description)
        reader = READERS[known.pop("classes")]
        for name in cls.KINDS:
            options = dict(known[name])
            known[name] = Chosen(options.pop("name"), options)
        for name, part in (
            ("data", reader),
            ("loop", Training),
            ("teacher", TeacherReader),
        ):
            known[name] = part(**known[name])
        if isinstance(known["class_weights"], list):
            known["class_weights"] = tuple(known["class_weights"])
        return cls(**known)


def _note(trained: TrainedNetwork) -> None:
    """Note the size of a network and its training for results.json.

    MACs are those of two seconds of features at 100 frames a second, or of samples.
    """
    network = trained.network
    note_steps(trained.options["history"])
    note_value("parameters", num_parameters(network), "parameters")
    num_frames = max(32000 if network.feat_dim == 1 else 200, network.min_frames)
    with contextlib.suppress(NotImplementedError, RuntimeError):  # not on meta tensors
        note_value("MACs", num_macs(network, num_frames), "MACs")


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, tuple))
