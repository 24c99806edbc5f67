from itertools import islice

import numpy as np
import pytest
import torch

from asdkit.base.errors import AsdkitError, DataError, FitError
from asdkit.batches.augmentation import Augmentation, SpecAugment
from asdkit.batches.batches import ExtractionBatches, TeacherFrontEnd, TrainingBatches
from asdkit.batches.frame_sources import ComputedFrames, StoredFrames
from asdkit.batches.noises import DrawnNoises, DrawnRooms
from asdkit.batches.samplers import RandomChunks, SpeakerChunks
from asdkit.data.cuts import read_cuts
from asdkit.features.mel import Fbank
from asdkit.features.waveform import Waveform

SPEAKERS = {"s0": 0, "s1": 1, "s2": 2}


@pytest.fixture
def stored(speech):
    return StoredFrames(read_cuts(speech, features=True))


@pytest.fixture
def audio(speech):
    """Everything that is random is switched on."""
    cuts = list(read_cuts(speech, features=False))
    return ComputedFrames(
        cuts,
        Fbank(num_mel_bins=20),
        speeds=(1.0, 0.9, 1.1),
        augmentation=Augmentation(DrawnRooms(), DrawnNoises(cuts)),
    )


@pytest.fixture(params=["stored", "audio"])
def frames(request):
    return request.getfixturevalue(request.param)


def training(frames, sampler=None, **options):
    sampler = sampler or RandomChunks(len(frames.cuts), batch_size=4)
    options = {"chunk_frames": 60, "spec_augment": SpecAugment()} | options
    return TrainingBatches(frames, SPEAKERS, sampler, **options)


def take(batches, number, step=0):
    return dict(islice(batches.from_step(step), number))


def assert_equal(first, second):
    assert first.utts == second.utts
    assert torch.equal(first.feats, second.feats)
    assert torch.equal(first.labels, second.labels)


def test_a_batch_has_the_shapes_and_labels_it_promises(frames):
    batches = training(frames)
    for batch in take(batches, 5).values():
        assert batch.feats.shape == (4, 60, frames.dim)
        assert batch.feats.dtype == torch.float32
        assert batch.num_frames.tolist() == [60] * 4
        spks = batch.labels % 3
        assert [f"s{spk}" for spk in spks.tolist()] == [utt[:2] for utt in batch.utts]
        assert batch.labels.max() < batches.num_classes
    assert batches.num_classes == 3 * frames.num_copies
    assert batches.steps_per_epoch == 2


def test_a_speaker_at_another_speed_is_another_speaker(audio):
    batches = training(audio)
    labels = torch.cat([batch.labels for batch in take(batches, 20).values()])
    assert labels.unique().tolist() == list(range(9))


def test_batches_do_not_depend_on_the_number_of_workers(frames):
    one, two = training(frames), training(frames, num_workers=2)
    num_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    expected, got = take(one, 5), take(two, 5)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(num_threads)
    assert list(expected) == list(got) == list(range(5))
    for step, batch in got.items():
        assert_equal(batch, expected[step])


@pytest.mark.parametrize("num_workers", [0, 2])
def test_training_resumed_at_a_step_sees_what_it_would_have_seen(frames, num_workers):
    batches = training(frames, num_workers=num_workers)
    expected = take(batches, 9)
    for step, batch in take(batches, 2, step=7).items():
        assert_equal(batch, expected[step])


def test_seeds_and_epochs_change_the_chunks(stored):
    sampler = RandomChunks(10, batch_size=10)
    batches = take(training(stored, sampler), 2)
    other = take(training(stored, sampler, seed=1), 1)
    in_order = [
        batch.feats[np.argsort(batch.utts)] for batch in [*batches.values(), other[0]]
    ]
    assert not torch.equal(in_order[0], in_order[1])
    assert not torch.equal(in_order[0], in_order[2])


def test_making_batches_draws_no_random_numbers_of_others(frames):
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    expected = torch.rand(3), np.random.rand(3)  # noqa: NPY002
    for num_workers in (0, 1):
        torch.manual_seed(1)
        np.random.seed(1)  # noqa: NPY002
        take(training(frames, num_workers=num_workers), 2)
        assert torch.equal(torch.rand(3), expected[0])
        np.testing.assert_array_equal(np.random.rand(3), expected[1])  # noqa: NPY002


def test_ranks_together_make_the_batches_of_one(frames, monkeypatch):
    sampler = SpeakerChunks([c.id[:2] for c in frames.cuts], 2, 2)
    frames.speed_classes, frames.num_copies = False, 1
    whole = take(training(frames, sampler), 4)
    monkeypatch.setenv("WORLD_SIZE", "2")
    shares = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        shares.append(take(training(frames, sampler), 4))
    for step, batch in whole.items():
        first, second = shares[0][step], shares[1][step]
        assert first.utts + second.utts == batch.utts
        assert torch.equal(torch.cat([first.feats, second.feats]), batch.feats)
        assert torch.equal(torch.cat([first.labels, second.labels]), batch.labels)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_another_ear_hears_the_same_chunk_in_the_same_noise(speech, num_workers):
    """The teacher's samples, put through the student's front end, are its features."""
    cuts = list(read_cuts(speech, features=False))
    augmentation = Augmentation(DrawnRooms(), DrawnNoises(cuts), prob=0.9)
    fbank = Fbank(num_mel_bins=20, dither=0.0)
    sources = [
        ComputedFrames(cuts, extractor, (1.0, 0.9, 1.1), augmentation=augmentation)
        for extractor in (fbank, Waveform())
    ]
    options = {"subtract_mean": False, "spec_augment": None, "num_workers": num_workers}
    num_samples = 59 * 160 + 400
    ear = TeacherFrontEnd(sources[1], num_samples, subtract_mean=False)
    heard = take(training(sources[0], teacher_front_end=ear, **options), 4)
    alone = take(training(sources[0], **options), 4)
    for step, batch in heard.items():
        assert_equal(batch, alone[step])  # a teacher does not change what is heard
        assert alone[step].teacher_feats is None
        assert batch.teacher_feats.shape == (4, num_samples, 1)
        for samples, feats in zip(batch.teacher_feats, batch.feats, strict=True):
            np.testing.assert_array_equal(fbank(samples[:, 0].numpy()), feats)


def test_an_ear_has_its_own_mean(audio):
    ears = [
        TeacherFrontEnd(audio, 30, subtract_mean) for subtract_mean in (False, True)
    ]
    plain, centered = (
        take(training(audio, teacher_front_end=ear), 1)[0].teacher_feats for ear in ears
    )
    expected = plain - plain.mean(dim=1, keepdim=True)
    torch.testing.assert_close(centered, expected, rtol=1e-3, atol=1e-4)


def test_speeds_must_not_divide_the_speakers_that_a_loss_compares(audio):
    sampler = SpeakerChunks([cut.id[:2] for cut in audio.cuts], 2, 2)
    with pytest.raises(
        FitError, match="2 utterances of a speaker, each at its own speed"
    ):
        training(audio, sampler)


def test_ranks_that_cannot_share_a_batch_are_an_error(stored, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(FitError, match="3 ranks cannot evenly share a batch"):
        training(stored)


def test_the_mean_of_every_chunk_is_subtracted(stored):
    means = take(training(stored, spec_augment=None), 1)[0].feats.mean(dim=1)
    assert means.abs().max() < 1e-5
    raw = take(training(stored, spec_augment=None, subtract_mean=False), 1)[0]
    assert (raw.feats[:, :, 0] == raw.feats[:, :, 0].round()).all()


def test_masks_are_zero_where_the_mean_is_subtracted(stored):
    masks = SpecAugment(prob=1.0, max_freq_width=0, max_time_width=60)
    plain = take(training(stored, spec_augment=None), 5)
    masked = take(training(stored, spec_augment=masks), 5)
    changed = [masked[s].feats[masked[s].feats != plain[s].feats] for s in range(5)]
    assert torch.cat(changed).abs().max() < 1e-5
    assert torch.cat(changed).numel() > 100


def test_a_teacher_gets_the_chunks_without_their_masks(stored):
    masks = SpecAugment(prob=1.0)
    plain = take(training(stored, spec_augment=None), 3)
    masked = take(training(stored, spec_augment=masks, unmasked=True), 3)
    for step, batch in masked.items():
        assert torch.equal(batch.teacher_feats, plain[step].feats)
        assert not torch.equal(batch.feats, plain[step].feats)


def test_what_there_is_to_train_on_is_said(stored, caplog):
    caplog.set_level("INFO")
    training(stored)
    assert "10 utterances of 3 speakers (1 with one utterance)" in caplog.text
    assert "2 utterances are shorter than 60 frames" in caplog.text


def test_a_speaker_whom_the_network_does_not_know_is_named(stored):
    sampler = RandomChunks(10, batch_size=4)
    with pytest.raises(FitError, match="'s2-u0': speaker 's2' is none of the 2"):
        TrainingBatches(stored, {"s0": 0, "s1": 1}, sampler)


def test_the_classes_of_a_network_with_more_speakers_are_kept(stored):
    speakers = {"a": 0, "s2": 1, "s1": 2, "s0": 3, "z": 4}
    batches = TrainingBatches(stored, speakers, RandomChunks(10, 10), chunk_frames=10)
    assert batches.num_classes == 5
    batch = take(batches, 1)[0]
    assert batch.labels.tolist() == [speakers[utt[:2]] for utt in batch.utts]


@pytest.mark.parametrize("num_workers", [0, 1])
def test_audio_that_goes_missing_is_one_line_from_any_process(
    audio, speech, num_workers
):
    for path in speech.parent.glob("*.flac"):
        path.unlink()
    batches = training(audio, num_workers=num_workers).from_step(0)
    with pytest.raises(AsdkitError, match=r"^s\d-u\d\.flac: no such file$"):
        next(batches)


def test_extraction_gives_every_utterance_whole_padded_with_zeros(stored):
    found = {}
    for batch in ExtractionBatches(stored, max_frames=400):
        assert batch.feats.shape[0] * batch.feats.shape[1] <= 400
        assert batch.labels.tolist() == [-1] * len(batch.utts)
        assert batch.num_frames.max() == batch.feats.shape[1]
        for utt, feats, t in zip(
            batch.utts, batch.feats, batch.num_frames.tolist(), strict=True
        ):
            assert not feats[t:].any()
            found[utt] = feats[:t].numpy()
    assert sorted(found) == [cut.id for cut in stored.cuts]
    for place, cut in enumerate(stored.cuts):
        whole = stored.whole(place)
        np.testing.assert_array_equal(found[cut.id], whole - whole.mean(axis=0))


def test_extraction_from_audio_is_the_same_in_workers(audio):
    batches = list(ExtractionBatches(audio, max_frames=500))
    others = list(ExtractionBatches(audio, max_frames=500, num_workers=2))
    assert len(batches) == len(others) > 2
    for first, second in zip(batches, others, strict=True):
        assert_equal(first, second)


def test_extraction_skips_and_names_what_is_too_short(stored, caplog):
    batches = ExtractionBatches(stored, min_frames=90)
    utts = {utt for batch in batches for utt in batch.utts}
    assert len(utts) == 6
    assert "4 of 10 utterances have fewer than 90 frames" in caplog.text
    assert "s0-u0 s0-u1 s1-u0 s2-u0" in caplog.text
    with pytest.raises(DataError, match="10 of 10 utterances have fewer than 9999"):
        ExtractionBatches(stored, min_frames=9999)


def test_ranks_extract_everything_once(stored, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    utts = []
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        batches = ExtractionBatches(stored, max_frames=300)
        utts.append([utt for batch in batches for utt in batch.utts])
    assert min(map(len, utts)) > 0
    assert sorted(utts[0] + utts[1]) == [cut.id for cut in stored.cuts]
