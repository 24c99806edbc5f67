"""From a data directory of drawn audio to batches, classes and held-out speakers."""

import numpy as np
import pytest
import soundfile
from lhotse.utils import fastcopy

from asdkit.base.errors import AsdkitError, DataError, FitError
from asdkit.batches.feature_config import FeatureConfig
from asdkit.data.features import compute_features
from asdkit.data.manifests import (
    Utterance,
    read_manifests,
    write_manifests,
    write_utterances,
)
from asdkit.features.mel import Fbank
from asdkit.training.training_set import TrainingSetReader

OPTIONS = {"chunk_frames": 20, "batch_size": 4}


@pytest.fixture
def data(tmp_path, rng, monkeypatch):
    """Five speakers with three utterances of 0.4 s."""
    monkeypatch.chdir(tmp_path)
    utterances = []
    for spk in "abcde":
        for n in range(3):
            utt = f"{spk}-{n}"
            samples = 0.1 * rng.standard_normal(6400)
            soundfile.write(f"{utt}.wav", samples, 16000)
            source = f"{utt}.wav"
            utterances.append(
                Utterance(utt, spk, source, False, 0.0, 0.4, 0, 16000, None)
            )
    write_utterances("data", utterances)
    return "data"


def test_held_out_speakers_are_not_trained_on(data):
    corpus = TrainingSetReader(num_valid_spks=2, **OPTIONS).read(
        data, Fbank(num_mel_bins=10)
    )
    held_out = set(corpus.held_out.values())
    assert len(held_out) == 2
    assert held_out.isdisjoint(corpus.classes)
    assert len(corpus.held_out) == 6
    assert corpus.batches.steps_per_epoch == 2
    seen = set()
    for step, batch in corpus.batches.from_step(0):
        seen |= {utt[0] for utt in batch.utts}
        assert batch.feats.shape == (4, 20, 10)
        assert [corpus.classes[label] for label in batch.labels] == [
            utt[0] for utt in batch.utts
        ]
        if step == 9:
            break
    assert seen == set("abcde") - held_out
    found = [utt for batch in corpus.held_out_batches(1) for utt in batch.utts]
    assert set(found) == corpus.held_out.keys()
    assert corpus.dev_error("cpu") is not None
    assert TrainingSetReader(**OPTIONS).read(data, Fbank()).dev_error("cpu") is None


def test_speeds_are_classes_with_names_of_their_own(data):
    corpus = TrainingSetReader(perturb_speed=True, **OPTIONS).read(data, Fbank())
    assert len(corpus.classes) == corpus.batches.num_classes == 15
    assert corpus.classes[:6] == ["a", "b", "c", "d", "e", "a*0.9"]
    options = OPTIONS | {"perturb_speed": True, "speed_classes": False}
    corpus = TrainingSetReader(**options).read(data, Fbank())
    assert corpus.classes == list("abcde")


def test_what_the_result_depends_on_is_remembered(data):
    about = TrainingSetReader(num_workers=1, **OPTIONS).read(data, Fbank()).options
    assert {
        name: about[name] for name in [*OPTIONS, "steps_per_epoch", "seed"]
    } == OPTIONS | {"steps_per_epoch": 3, "seed": 0}
    assert "num_workers" not in about


def test_other_utterances_or_labels_are_another_training(data):
    """As many steps of as many classes, and yet not what a checkpoint has seen."""

    def described():
        return TrainingSetReader(**OPTIONS).read(data, Fbank()).options["utts"]

    before = described()
    assert before.startswith("15 with checksum ")
    manifests = read_manifests(data)
    supervisions = manifests.supervisions
    swapped = {
        utt: fastcopy(item, speaker={"a": "b", "b": "a"}.get(utt[0], utt[0]))
        for utt, item in supervisions.items()
    }
    write_manifests(data, manifests.recordings.values(), swapped.values(), {})
    assert described() != before
    renamed = [
        fastcopy(x, id=x.id.replace("a-0", "a-9")) for x in supervisions.values()
    ]
    write_manifests(data, manifests.recordings.values(), renamed, {})
    assert described() != before


def test_codecs_and_rawboost_change_chunks_but_not_stored_features(data):
    options = OPTIONS | {"augment_prob": 0.0}
    front_end = Fbank(num_mel_bins=10, dither=0.0)

    def first(**more):
        corpus = TrainingSetReader(**options, **more).read(data, front_end)
        return next(corpus.batches.from_step(0))[1].feats

    plain, coded, boosted = first(), first(codec_prob=1.0), first(rawboost=5)
    for changed in coded, boosted, first(codec_prob=1.0, rawboost=3):
        assert changed.shape == plain.shape
        assert not np.allclose(changed, plain, atol=0.1)
    assert np.array_equal(boosted, first(rawboost=5))
    for change in {"codec_prob": 0.5}, {"rawboost": 1}:
        with pytest.raises(AsdkitError, match="not stored features"):
            TrainingSetReader(**options, **change).read(data)


def test_batches_by_speaker_need_a_size_that_fits(data):
    with pytest.raises(FitError, match="batch of 4 cannot hold 3 utterances"):
        TrainingSetReader(utts_per_speaker=3, **OPTIONS).read(data, Fbank())
    corpus = TrainingSetReader(utts_per_speaker=2, **OPTIONS).read(data, Fbank())
    _, batch = next(corpus.batches.from_step(0))
    assert batch.labels[0] == batch.labels[1] != batch.labels[2] == batch.labels[3]


def test_options_that_contradict_each_other_are_refused(data):
    with pytest.raises(AsdkitError, match="left out of stored features only"):
        TrainingSetReader(voiced=True).read(data, Fbank())
    with pytest.raises(AsdkitError, match="cannot be played at another speed"):
        TrainingSetReader(perturb_speed=True).read(data)


def test_a_source_knows_its_features_again(data):
    """Stored and computed ones are the same; others are refused, with both named."""
    compute_features(data, "exp", Fbank(num_mel_bins=10, dither=0.0))
    stored = FeatureConfig.stored_in(data, voiced=False, subtract_mean=True)
    computed = FeatureConfig(**stored.description | {"source": "audio"})
    sources = [
        source.open_frames(source.read_cuts(data)) for source in (stored, computed)
    ]
    np.testing.assert_allclose(sources[0].whole(4), sources[1].whole(4), atol=1e-4)
    compute_features(data, "exp", Fbank(num_mel_bins=12, dither=0.0))
    problem = "trained with --num-mel-bins=10, these are with --num-mel-bins=12$"
    with pytest.raises(DataError, match=problem):
        stored.read_cuts(data)
    with pytest.raises(DataError, match="features of 10 dimensions, got 12"):
        FeatureConfig().open_frames(FeatureConfig().read_cuts(data), dim=10)


def test_derivatives_are_appended_in_training_and_remembered(data):
    corpus = TrainingSetReader(delta_order=2, **OPTIONS).read(
        data, Fbank(num_mel_bins=10)
    )
    assert corpus.feat_dim == 30
    _, batch = next(corpus.batches.from_step(0))
    assert batch.feats.shape[2] == 30
    source = FeatureConfig.read(corpus.feature_config.description)
    assert source.open_frames(source.read_cuts(data), dim=30).whole(0).shape[1] == 30


def test_features_that_nobody_remembers_cannot_be_computed():
    with pytest.raises(ValueError, match="unknown type"):
        FeatureConfig(source="audio")


class Stub:
    """A teacher that knows some utterances and has a front end, or none."""

    def __init__(self, missing=(), source=None, takes_chunks=False):
        self.missing, self.source = missing, source
        self.takes_chunks = takes_chunks

    def select(self, utts):
        self.asked = utts
        return [utt for utt in utts if utt not in self.missing]

    def front_end_for(self, student, perturb_speed):
        return self.source


def test_only_what_a_teacher_knows_is_trained_on(data):
    teacher = Stub(missing=["a-0", "b-0", "b-1", "b-2"])
    corpus = TrainingSetReader(**OPTIONS).read(data, Fbank(), teacher)
    assert {cut.id for cut in corpus.batches.frames.cuts} == set(teacher.asked) - set(
        teacher.missing
    )
    assert corpus.classes == ["a", "c", "d", "e"]


@pytest.mark.parametrize(
    ("takes_chunks", "options", "is_asked"),
    [
        (True, {"spec_augment_prob": 1.0}, True),
        (True, {"spec_augment_prob": 1.0, "mask_teacher": True}, False),
        (True, {}, False),
        (False, {"spec_augment_prob": 1.0}, False),
    ],
)
def test_a_network_that_teaches_gets_no_masks(data, takes_chunks, options, is_asked):
    teacher = Stub(takes_chunks=takes_chunks)
    corpus = TrainingSetReader(**OPTIONS, **options).read(data, Fbank(), teacher)
    assert corpus.batches.unmasked == is_asked


def test_a_teacher_is_not_asked_for_held_out_utterances(data):
    teacher = Stub()
    corpus = TrainingSetReader(num_valid_spks=2, **OPTIONS).read(data, Fbank(), teacher)
    assert {utt[0] for utt in teacher.asked} == set(corpus.classes)


def test_a_teacher_hears_as_many_samples_as_the_student(data):
    for source, shape in (
        (FeatureConfig("audio", "waveform"), (4, 3440, 1)),
        (FeatureConfig("audio", "fbank", {"frame_length": 45.0}), (4, 18, 23)),
        (FeatureConfig("audio", "mfcc", delta_order=2), (4, 20, 39)),
    ):
        corpus = TrainingSetReader(**OPTIONS).read(data, Fbank(), Stub(source=source))
        _, batch = next(corpus.batches.from_step(0))
        assert batch.teacher_feats.shape == shape
    wide = FeatureConfig("audio", "fbank", {"frame_length": 30.0})
    with pytest.raises(AsdkitError, match=r"chunks of 3440 samples .* frames of 480"):
        TrainingSetReader(**OPTIONS).read(data, Fbank(), Stub(source=wide))
    slow = FeatureConfig("audio", "waveform", {"sample_frequency": 8000.0})
    with pytest.raises(AsdkitError, match="at 8000 Hz"):
        TrainingSetReader(**OPTIONS).read(data, Fbank(), Stub(source=slow))
