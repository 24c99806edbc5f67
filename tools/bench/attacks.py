"""How many seconds of speech each attack, codec and distortion makes in a second.

OMP_NUM_THREADS=1 python tools/bench/attacks.py

CPU time of one core, on ten seconds of drawn speech at 16 kHz.  Synthesizers are
programs of their own, and not timed.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np

from asdkit.base.errors import AsdkitError
from asdkit.simulation.attacks import ATTACKS, Material
from asdkit.simulation.channels import CHANNELS
from asdkit.simulation.corpus import DrawnCorpus
from asdkit.simulation.rawboost import ALGORITHMS, RawBoost

FS = 16000
SEC = 10


def things(samples: np.ndarray) -> Iterator[tuple[str, Callable[[], object]]]:
    """Name what is timed, and say how it is called."""
    material = Material(samples, FS, other=samples)
    rng = np.random.default_rng(0)
    for name, attack in ATTACKS.items():
        if "replay_" not in name and not attack.needs_text:
            yield name, lambda attack=attack: attack(material, rng)
    for name, channel in CHANNELS.items():
        yield name, lambda channel=channel: channel(samples, FS)
    for number in ALGORITHMS:
        boost = RawBoost(number)
        yield f"rawboost {number}", lambda boost=boost: boost(samples, rng)


def main() -> None:
    """Print a table."""
    corpus = DrawnCorpus(num_spks=1, num_sessions=1, utts_per_session=1, mean_sec=13)
    samples = corpus.speak(corpus.utterances()[0])[: SEC * FS]
    print(f"{'':16} x real time")
    for name, call in things(samples):
        try:
            call()
        except AsdkitError as error:
            print(f"{name:16} {error}")
            continue
        start = time.process_time()
        call()
        print(f"{name:16} {SEC / (time.process_time() - start):8.0f}")


if __name__ == "__main__":
    main()
