"""Features of a data directory are those of each utterance by itself."""

import re
import threading
import time
import zlib

import numpy as np
import pytest
import soundfile
import torch
from lhotse import SupervisionSegment

from asdkit.base.errors import DataError
from asdkit.data.feats_info import read_info
from asdkit.data.features import _run_threads, compute_features
from asdkit.data.manifests import (
    read_manifests,
    read_utterances,
    write_manifests,
    write_utterances,
)
from asdkit.features.mel import Fbank, Mfcc
from asdkit.io.ark import read_arrays
from asdkit.io.tables import read_table


def test_features_and_noise_depend_on_samples_id_and_seed_only(speech):
    extractor = Mfcc(dither=1.0)
    compute_features(speech, "exp/mfcc", extractor, seed=5)
    found = dict(read_arrays("scp:data/feats.scp"))
    assert len(found) == 10
    for utt, feats in found.items():
        samples, _ = soundfile.read(f"{utt}.flac", dtype="float32")
        (alone,) = extractor.batch([samples], [zlib.crc32(utt.encode()) + 5])
        np.testing.assert_allclose(feats, alone, atol=1e-4)
    sizes = {utt: str(len(feats)) for utt, feats in found.items()}
    assert read_table("data/utt2num_frames") == sizes
    info = read_info("data")
    assert (info.type, info.dim, info.options["seed"]) == ("mfcc", 13, 5)


def test_parts_of_one_recording_are_cut_from_it(speech):
    """One file is opened once; every part is what the file has there."""
    whole = read_utterances(speech)[4]  # the longest of s0
    extractor = Fbank(dither=0.0)
    recordings = read_manifests(speech).recordings
    parts = [
        SupervisionSegment(f"p{n}", whole.utt, n * 0.5, 0.5, speaker="s0")
        for n in range(3)
    ]
    write_manifests("cut", [recordings[whole.utt]], parts)
    compute_features("cut", "exp/cut", extractor)
    samples, rate = soundfile.read(whole.source, dtype="float32")
    for n, (_, feats) in enumerate(read_arrays("scp:cut/feats.scp")):
        piece = samples[n * rate // 2 : (n + 1) * rate // 2]
        np.testing.assert_allclose(feats, extractor(piece), atol=1e-4)


@pytest.mark.parametrize(
    ("peak", "options", "hint"),
    [
        (5e34, {}, r"its samples reach 5e\+34, where full scale is 1: convert it"),
        (0.5, {"preemphasis_coefficient": 1e38}, r"--preemphasis-coefficient 1e\+38"),
    ],
)
def test_a_feature_that_is_not_finite_has_a_likely_cause(speech, peak, options, hint):
    samples = np.full(8000, peak) * np.sign(np.arange(8000) % 2 - 0.5)
    soundfile.write("loud.wav", samples, 16000, subtype="DOUBLE")
    first = read_utterances(speech)[0]
    write_utterances("loud", [first._replace(source="loud.wav", duration=0.5)])
    with pytest.raises(DataError) as caught:
        compute_features("loud", "exp/loud", Fbank(dither=0.0, **options))
    assert "of 's0-u0' are not finite, first in frame 0" in caught.value.problem
    assert re.search(hint, caught.value.hint)


def test_answers_come_in_order_whoever_is_first():
    def slow_first(n):
        time.sleep(0.05 if n == 0 else 0)
        return n, threading.current_thread().name, torch.get_num_threads()

    before = torch.get_num_threads()
    answers = list(_run_threads(slow_first, iter(range(20))))
    assert [n for n, _, _ in answers] == list(range(20))
    assert all(name.startswith("feats") for _, name, _ in answers)
    assert {threads for _, _, threads in answers} == {1}
    assert torch.get_num_threads() == before


def test_an_error_in_a_thread_ends_the_others():
    done = []

    def fail_at_once(n):
        if n == 0:
            raise DataError("a", "broken")
        time.sleep(0.01)
        done.append(n)

    with pytest.raises(DataError, match="broken"):
        list(_run_threads(fail_at_once, range(10_000)))
    assert len(done) < 1000
