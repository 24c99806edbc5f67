"""Print how hard the labels pull at a trained student, and how hard its teacher.

e.g.: python local/compare_gradients.py data/train exp/xvector/mse/seed0

Takes the student as its plan.json says that it was trained.  Prints, of every term of
the objective, the length of its gradient with respect to the network's weights at the
end of the training, mean of four batches.
"""

import argparse
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from asdkit import TrainingPlan
from asdkit.base.errors import DataError
from asdkit.base.exits import exit_code
from asdkit.io.tensors import load_tensors
from asdkit.training.loop import TrainedModel

NUM_BATCHES = 4


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data_dir", help="data directory that it was trained on")
    parser.add_argument("net_dir", help="where nnet-train wrote network.pt")
    args = parser.parse_args()
    prepared = TrainingPlan.read(args.net_dir).prepare(args.data_dir)
    network, objective = prepared.trained.network, prepared.objective
    paths = [*Path(args.net_dir).glob("checkpoint.*.pt")]
    if not paths:
        raise DataError(args.net_dir, "expected a checkpoint, there is none")
    last = max(paths, key=lambda path: int(path.name.split(".")[1]))
    _, tensors = load_tensors(last, "Checkpoint")
    TrainedModel(network, objective).load_state_dict(tensors["model"])
    objective.schedule(1, 1)  # margin and weight as they are in the end
    weights = [*network.parameters()]
    lengths: dict[str, list[float]] = {}
    for _, batch in islice(prepared.training_set.batches.from_step(0), NUM_BATCHES):
        for name, term in objective(network, batch).items():
            slopes = torch.autograd.grad(term, weights, retain_graph=True)
            total = torch.cat([slope.flatten() for slope in slopes]).norm()
            lengths.setdefault(name, []).append(float(total))
    print(*(f"{name} {np.mean(x):.3f}" for name, x in lengths.items()), sep=", ")


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
