"""Print how hard the labels pull at a trained student, and how hard its teacher.

e.g.: python local/compare_gradients.py --config conf/xvector.conf --objective mse \
        --teacher scp:exp/ivectors/train/ivector.scp --seed 0 \
        --teacher-transform exp/ivectors/target.npz data/train exp/xvector/mse/seed0

Takes the options of the student's nnet-train.  Prints, of every term of the objective,
the length of its gradient by the network's weights at the end, mean of four batches.
"""

import sys
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from asdkit.base.command import CommandParser
from asdkit.base.exits import exit_code
from asdkit.base.options import choice_of, options_of
from asdkit.bin import nnet_train
from asdkit.distillation.stored_teachers import TeacherReader
from asdkit.io.tensors import load_tensors
from asdkit.training.loop import TrainedModel
from asdkit.training.networks import new_network
from asdkit.training.objectives import OBJECTIVES, build_objective
from asdkit.training.training_set import TrainingSetReader

NUM_BATCHES = 4


def main() -> None:
    """Run the command."""
    parser = CommandParser(Path(__file__).name, __doc__)
    nnet_train.add_arguments(parser)
    args = parser.parse(sys.argv[1:])
    stored = TeacherReader(**options_of(TeacherReader, args)).read()
    assert stored is not None
    reader = TrainingSetReader(**options_of(TrainingSetReader, args))
    corpus = reader.read(args.data_dir, None, stored)
    network, loss, _ = new_network(args, corpus, stored)
    objective = build_objective(
        args.objective,
        choice_of(args, "objective", OBJECTIVES)[1],
        loss=loss,
        network=network,
        teacher=stored.teacher(corpus.classes, "cpu"),
    )
    paths = Path(args.net_dir).glob("checkpoint.*.pt")
    last = max(paths, key=lambda path: int(path.name.split(".")[1]))
    _, tensors = load_tensors(last, "Checkpoint")
    TrainedModel(network, objective).load_state_dict(tensors["model"])
    objective.schedule(1, 1)  # margin and weight as they are in the end
    weights = [*network.parameters()]
    lengths: dict[str, list[float]] = {}
    for _, batch in islice(corpus.batches.from_step(0), NUM_BATCHES):
        for name, term in objective(network, batch).items():
            slopes = torch.autograd.grad(term, weights, retain_graph=True)
            total = torch.cat([slope.flatten() for slope in slopes]).norm()
            lengths.setdefault(name, []).append(float(total))
    print(*(f"{name} {np.mean(x):.3f}" for name, x in lengths.items()), sep=", ")


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
