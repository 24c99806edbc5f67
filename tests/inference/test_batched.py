"""Graphs in batches: many threads, the answers that each recording has alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from asdkit.base.errors import DataError
from asdkit.inference.batched import LONGER, BatchedModel
from asdkit.inference.onnx_model import OnnxModel

pytestmark = pytest.mark.slow  # a bundle is made first


@pytest.fixture
def sounds(small_bundle):
    return [
        soundfile.read(small_bundle / f"{n}.wav", dtype="float32")[0] for n in range(8)
    ]


@pytest.fixture
def batched(small_bundle):
    models = []

    def make(**options):
        path = small_bundle / "model" / "speaker.onnx"
        models.append(BatchedModel(path, **options))
        return models[-1]

    yield make
    for model in models:
        model.close()


def test_threads_get_the_answers_that_recordings_have_alone(
    batched, small_bundle, sounds
):
    plain = OnnxModel(small_bundle / "model" / "speaker.onnx")
    alone = [plain.run([x]) for x in sounds]
    model = batched(wait_ms=20, max_batch=16)
    with ThreadPoolExecutor(32) as pool:
        together = list(pool.map(lambda n: model.run([sounds[n % 8]]), range(64)))
    for n, (found, frames) in enumerate(together):
        np.testing.assert_allclose(found, alone[n % 8][0], rtol=1e-4, atol=1e-5)
        assert frames == alone[n % 8][1]
    assert model.num_batches < 60
    assert not np.allclose(alone[0][0], alone[1][0], rtol=1e-2)


def test_recordings_of_one_call_keep_their_order(batched, small_bundle, sounds):
    plain = OnnxModel(small_bundle / "model" / "speaker.onnx")
    found, frames = batched().run(sounds)
    for row, count, x in zip(found, frames, sounds, strict=True):
        np.testing.assert_allclose(row, plain.run([x])[0][0], rtol=1e-4, atol=1e-5)
        assert count == plain.run([x])[1][0]


def test_one_that_fails_does_not_spoil_the_others(batched, sounds):
    """A batch has one result or none; so who shares it with a bad one is run again."""
    model = batched(wait_ms=200)
    expected = model.run(sounds[:1])[0]
    bad = np.full_like(sounds[0], np.nan)
    barrier = threading.Barrier(3)

    def run(samples):
        barrier.wait()
        return model.run([samples])[0]

    with ThreadPoolExecutor(3) as pool:
        tasks = [pool.submit(run, x) for x in (sounds[0], bad, sounds[0])]
        with pytest.raises(DataError, match="NaN or infinite"):
            tasks[1].result()
        for task in tasks[::2]:
            np.testing.assert_allclose(task.result(), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(DataError, match="expected at least"):
        model.run([sounds[0][:10]])


def test_batches_are_of_like_lengths_and_bounded(batched):
    model = batched(max_batch=4)
    ran = []
    model._answer = lambda group: ran.append([len(x) for x, _ in group])
    for length in (100, 124, 126, 200):
        model._waiting.put((np.zeros(length, np.float32), None))
    model.close()
    assert [x for group in ran for x in group] == [100, 124, 126, 200]
    assert all(group[-1] <= LONGER * group[0] for group in ran)
    model = batched()
    minute = [(np.zeros(60 * 16000, np.float32), None)] * 5
    assert [len(group) for group in model._alike(minute)] == [2, 2, 1]


def test_what_waits_is_answered_before_the_end(batched, sounds):
    model = batched(wait_ms=0)
    with ThreadPoolExecutor(8) as pool:
        tasks = [pool.submit(model.run, [x]) for x in sounds]
        for task in tasks:
            task.result()
        model.close()
    assert not model._thread.is_alive()
