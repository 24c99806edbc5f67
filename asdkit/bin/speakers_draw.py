"""Synthesize a corpus of random speakers.

e.g.: asdkit speakers-draw --num-spks 80 --prefix train data/train exp/wav/train

The voices come from a source-filter synthesizer.  Speakers with different prefixes are
different people.  utt2session numbers the sessions of each, 01, 02, ...  N ranks write
the same samples as one.
"""

from __future__ import annotations

import argparse
import logging

from asdkit.base.distributed import barrier, is_main, share
from asdkit.base.memory import keep_freed
from asdkit.base.names import place_files
from asdkit.base.options import add_options, options_of
from asdkit.base.outputs import OutputDir
from asdkit.base.progress import watch

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    add_options(
        parser,
        "asdkit.simulation.corpus:DrawnCorpus",
        *("num_spks", "num_sessions", "utts_per_session", "mean_sec", "prefix"),
        *("seed", "sample_frequency"),
    )
    parser.add_argument(
        "data_dir", type=OutputDir, help="where to write manifests and Kaldi tables"
    )
    parser.add_argument(
        "audio_dir", type=OutputDir, help="where to write the FLAC files"
    )


def main(args: argparse.Namespace) -> None:
    """Run the command."""
    from asdkit.data.manifests import Utterance, write_utterances
    from asdkit.io.audio import write_flac
    from asdkit.simulation.corpus import DrawnCorpus

    corpus = DrawnCorpus(**options_of(DrawnCorpus, args))
    drawn = corpus.utterances()
    names = {item.utt: (item.spk, item.utt) for item in drawn}
    paths = place_files(args.audio_dir, names, ".flac", "--prefix")
    utterances = [
        Utterance(
            utt=item.utt,
            spk=item.spk,
            source=paths[item.utt],
            is_command=False,
            start=0.0,
            duration=item.sec,
            channel=0,
            sampling_rate=corpus.sample_frequency,
            gender=item.gender,
        )
        for item in drawn
    ]
    minutes = sum(item.sec for item in drawn) / 60
    logger.info("speakers-draw: %d utterances, %.4g minutes", len(drawn), minutes)
    keep_freed()
    mine = share([*zip(drawn, utterances, strict=True)])
    for item, utterance in watch(mine, len(mine), "speakers-draw"):
        write_flac(utterance.source, corpus.speak(item), corpus.sample_frequency)
    barrier()
    if is_main():
        sessions = [f"{item.utt} {item.session.rpartition('-')[2]}" for item in drawn]
        write_utterances(args.data_dir, utterances, {"utt2session": sessions})
