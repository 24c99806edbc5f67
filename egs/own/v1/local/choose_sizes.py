#!/usr/bin/env python3
"""Write .conf files with sizes that suit the amount of data.

usage: local/choose_sizes.py TRAIN_DIR TEST_DIR CONF_DIR OUT_DIR

Refuses data too small to make sense, with what was counted.
"""

import logging
import sys
from collections import Counter
from pathlib import Path

from asdkit.base.errors import FitError
from asdkit.base.exits import exit_code
from asdkit.base.log import set_up_logging
from asdkit.io.files import write_atomic
from asdkit.io.tables import read_words
from asdkit.training.sizes import choose_sizes

MOST_TEST_UTTS = 1500  # a million trials
logger = logging.getLogger("asdkit.own")


def main(train: Path, test: Path, conf: Path, out: Path) -> None:
    """Choose sizes for training and test data, and write them."""
    utt2spk = read_words(train / "utt2spk")
    num_spks = len(set(utt2spk.values()))
    minutes = sum(map(float, read_words(train / "utt2dur").values())) / 60
    sizes = choose_sizes(num_spks, len(utt2spk), minutes)
    why = f"  # {num_spks} speakers, {len(utt2spk)} utterances, {minutes:.1f} minutes"
    network = read(conf / "network.conf")
    files = {
        "ubm": f"--num-gauss={sizes.num_gauss}{why}\n",
        "extractor": f"--ivector-dim={sizes.ivector_dim}{why}\n",
        "plda": f"{read(conf / 'plda.conf')}--lda-dim={sizes.lda_dim}{why}\n",
        "network": f"{network}--num-epochs={sizes.num_epochs}{why}\n",
        **test_conf(test),
    }
    for name, text in files.items():
        with write_atomic(out / f"{name}.conf") as stream:
            stream.write(text)
    logger.info(
        "sizes: %s", ", ".join(f"{k} = {v}" for k, v in sizes._asdict().items())
    )


def test_conf(test: Path) -> dict[str, str]:
    """Choose how many utterances of a test speaker to use, and which pairs."""
    utt2spk = read_words(test / "utt2spk")
    session = read_words(test / "utt2session")
    of_spk = Counter(utt2spk.values())
    if len(of_spk) < 2:
        text = f"counted {len(of_spk)} test speaker; 2 are the least that makes sense"
        raise FitError(text, hint="record more people, or choose another --split")
    sessions = Counter(spk for spk, _ in {(utt2spk[u], session[u]) for u in utt2spk})
    several = sum(count > 1 for count in sessions.values())
    per_spk = max(2, MOST_TEST_UTTS // len(of_spk))
    number = per_spk if max(of_spk.values()) > per_spk else 0
    pairs = f"--across={test}/utt2session  # a speaker's own recordings differ, too\n"
    if 2 * several < len(of_spk):
        logger.warning(
            "sizes: %d of %d test speakers have a single recording: target trials are "
            "of one session, and error rates lower than those of another day would be",
            len(of_spk) - several,
            len(of_spk),
        )
        pairs = "# most speakers have a single recording: pairs within it are trials\n"
    return {"test": f"--per-spk={number}\n", "trials": pairs}


def read(path: Path) -> str:
    """Read a .conf file."""
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    set_up_logging("INFO")
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    sys.exit(exit_code("choose_sizes.py", lambda: main(*map(Path, sys.argv[1:])) or 0))
