import gzip
import os
import re

import kaldiio
import numpy as np
import pytest

from asdkit.base.errors import DataError
from asdkit.data.directory_validation import validate
from asdkit.data.manifests import RECORDINGS
from asdkit.data.repair import repair
from asdkit.io.tables import read_table
from asdkit.kaldi.import_data import import_directory


def told(directory, **options):
    """What is said about a directory, without its name."""
    problems = validate(directory, **options).problems()
    assert all(problem.cure for problem in problems)
    return [str(problem).replace(f"{directory}/", "") for problem in problems]


def edit(path, old, new):
    data = path.read_bytes()
    assert old.encode() in data
    path.write_bytes(data.replace(old.encode(), new, 1))


def test_a_valid_kaldi_directory_has_no_problem(lab):
    assert told(lab, check_feats=True) == []


def test_an_imported_directory_has_no_problem(lab, tmp_path):
    import_directory(lab, tmp_path / "out")
    assert told(tmp_path / "out", check_feats=True) == []


# table, what stands there, what shall, what is said of it
SPOILED = {
    "order": (
        "utt2spk",
        "s0-u0 s0\n",
        b"s2-u2 s2\ns0-u0 s0\n",
        "utt2spk:2: expected 's0-u0' before 's2-u2', sorted as LC_ALL=C sorts\n"
        "  cure: --fix true sorts",
    ),
    "repeated": (
        "text",
        "s0-u1 THIS",
        b"s0-u0 THIS IS S0-U0\ns0-u1 THIS",
        "text:2: 's0-u0' comes again, the same as in line 1\n"
        "  cure: --fix true drops it",
    ),
    "contradiction": (
        "utt2spk",
        "s0-u0 s0\n",
        b"s0-u0 s0\ns0-u0 s1\n",
        "utt2spk:2: 's0-u0' is 's1', but 's0' in line 1\n  cure: delete the wrong line",
    ),
    "no value": (
        "feats.scp",
        "s1-u0 feats.ark:2220",
        b"s1-u0",
        "feats.scp:3: expected '<key> <value>', got 's1-u0'\n"
        "  cure: --fix true drops the line",
    ),
    "blank": (
        "utt2spk",
        "s0-u1",
        b"\ns0-u1",
        "utt2spk:2: blank line\n  cure: --fix true drops it",
    ),
    "CRLF": (
        "spk2utt",
        "s0-u1\n",
        b"s0-u1\r\n",
        "spk2utt:1: expected the line to end in LF, got CR LF\n"
        "  cure: --fix true drops the CR",
    ),
    "UTF-8": (
        "text",
        "S0-U1",
        b"\xc4RGER",
        "text:2: expected UTF-8, got b's0-u1 THIS IS \\xc4RGER'\n"
        "  cure: iconv -f latin1 -t utf-8 text, if that is what it is",
    ),
    "end": (
        "spk2age",
        "s2 8\n",
        b"s2 8",
        "spk2age:3: expected a newline at the end\n  cure: --fix true adds it",
    ),
    "two speakers": (
        "utt2spk",
        "s0-u0 s0",
        b"s0-u0 s0 s1",
        "utt2spk:1: 's0-u0': expected one speaker, got 's0 s1'\n"
        "  cure: correct or delete the line",
    ),
    "gender": (
        "spk2gender",
        "s0 f",
        b"s0 woman",
        "spk2gender:1: 's0': expected m or f, got 'woman'\n"
        "  cure: correct or delete the line",
    ),
    "frames": (
        "utt2num_frames",
        "s0-u1 91",
        b"s0-u1 0",
        "utt2num_frames:2: 's0-u1': expected a number of frames, more than 0, got '0'",
    ),
    "other frames": (
        "utt2num_frames",
        "s0-u1 91",
        b"s0-u1 92",
        "utt2num_frames:2: expected 91 frames as in feats.scp, got 92\n"
        "  cure: --fix true counts them again",
    ),
    "unknown utterance": (
        "vad.scp",
        "s0-u1 vad.ark",
        b"s0-u00 vad.ark:6\ns0-u1 vad.ark",
        "vad.scp:2: 's0-u00' is not in utt2spk\n  cure: --fix true drops the line",
    ),
    "unknown speaker": (
        "spk2age",
        "s2 8",
        b"s2 8\ns3 9",
        "spk2age:4: 's3' is not in utt2spk\n  cure: --fix true drops the line",
    ),
    "lacking": (
        "vad.scp",
        "s0-u0 vad.ark:6\n",
        b"",
        "vad.scp: expected 's0-u0' of utt2spk, which is not in it\n"
        "  cure: compute it, or --fix true drops the utterance everywhere",
    ),
    "stale": (
        "spk2utt",
        "s0 s0-u0 s0-u1",
        b"s0 s0-u0",
        "spk2utt:1: 's0-u1' belongs to 's0' in utt2spk but not in spk2utt\n"
        "  cure: --fix true writes it again from utt2spk",
    ),
    "empty speaker": (
        "spk2utt",
        "s2 s2-u0 s2-u1\n",
        b"s2 s2-u0 s2-u1\ns3\n",
        "spk2utt:4: expected '<key> <value>', got 's3'",
    ),
    "lost speaker": (
        "spk2utt",
        "s2 s2-u0 s2-u1\n",
        b"",
        "spk2utt: expected speaker 's2' of utt2spk",
    ),
    "no audio": (
        "wav.scp",
        "wav/s0-u1.flac",
        b"wav/none.flac",
        "wav.scp:2: no audio for 's0-u1': 'wav/none.flac': No such file or directory\n"
        "  cure: the path is relative and was looked for from /",
    ),
    "no archive": (
        "feats.scp",
        "feats.ark:6",
        b"none.ark:6",
        "feats.scp:1: none.ark: cannot read 's0-u0': no such file",
    ),
    "bad offset": (
        "feats.scp",
        "s0-u0 feats.ark:6",
        b"s0-u0 feats.ark:7",
        "feats.scp:1: feats.ark: ",
    ),
    "range": (
        "feats.scp",
        "feats.ark:6",
        b"feats.ark:6[85:99]",
        "feats.scp:1: feats.ark:6[85:99]: 's0-u0': range 85:99 of only 90 (axis 0)",
    ),
    "command": (
        "feats.scp",
        "feats.ark:6",
        b"cat feats.ark |",
        "feats.scp:1: cat feats.ark |: 's0-u0' is a command",
    ),
    "vad of another": (
        "vad.scp",
        "s0-u0 vad.ark:6",
        b"s0-u0 vad.ark:382",
        "vad.scp:1: vad.ark: cannot read 's0-u0': at byte 382, expected 's0-u0', got "
        "'s0-u1'\n  cure: the table is not of this archive; if ids were renamed, "
        "copy-feats it under them",
    ),
    "vad of a part": (
        "vad.scp",
        "s0-u0 vad.ark:6",
        b"s0-u0 vad.ark:6[0:80]",
        "vad.scp:1: 's0-u0': expected a decision for each of 90 frames, got shape "
        "(81,)\n  cure: asdkit vad-compute makes them again",
    ),
    "trial form": (
        "trials",
        "s0-u0 s0-u1 target",
        b"s0-u0 s0-u1 1",
        "trials:1: expected '<enroll> <test> target|nontarget', got 's0-u0 s0-u1 1'",
    ),
    "trial test": (
        "trials",
        "s0-u0 s0-u1 target",
        b"s0-u0 model target",
        "trials:1: the test utterance 'model' is not in utt2spk",
    ),
    "trial enroll": (
        "trials",
        "s0-u0 s0-u1 target",
        b"s9 s0-u1 target",
        "trials:1: 's9' is no utterance, speaker or model of this directory",
    ),
    "trial keys": (
        "trials",
        "s0-u0 s1-u0 nontarget",
        b"s0-u0 s0-u1 nontarget",
        "trials:2: 's0-u0' and 's0-u1' are both target and nontarget",
    ),
    "model": (
        "enroll.spk2utt",
        "s0-u0",
        b"s0-u7",
        "enroll.spk2utt:1: 'model' has the unknown utterance 's0-u7'",
    ),
    "empty": ("text", "s0-u0", None, "text: expected lines, got an empty file"),
}


@pytest.mark.parametrize("sort", SPOILED)
def test_a_problem_is_told_with_place_and_cure(lab, sort):
    name, old, new, expected = SPOILED[sort]
    if new is None:
        (lab / name).write_bytes(b"")
    else:
        edit(lab / name, old, new)
    assert [text for text in told(lab) if text.startswith(expected)], told(lab)


def test_a_missing_utt2spk_is_told(lab):
    (lab / "utt2spk").unlink()
    assert told(lab)[0].startswith("utt2spk: no such file\n")


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        (
            "r0 0.5 0.5",
            "segments:2: 'b': expected '<reco> <start> <end>', the end after ",
        ),
        (
            "r0 0.5 -2",
            "segments:2: 'b': expected '<reco> <start> <end>', the end after ",
        ),
        (
            "r0 0.5",
            "segments:2: 'b': expected '<reco> <start> <end>', the end after ",
        ),
        ("r9 0.5 1", "segments:2: recording 'r9' of 'b' is not in wav.scp"),
        ("r0 0.5 2.1", "segments:2: 'b' ends at 2.1, but its recording 'r0' at 1.5"),
        ("r0 0.5 1", "wav.scp:2: no utterance is in recording 'r1'"),
    ],
)
def test_segments_are_checked(lab, table, segment, expected):
    wavs = read_table(lab / "wav.scp")
    for path in lab.iterdir():
        path.unlink()
    table(lab / "wav.scp", {"r0": wavs["s0-u0"], "r1": wavs["s0-u1"]})
    table(lab / "reco2dur", {"r0": 1.5, "r1": 2})
    table(lab / "utt2spk", {"a": "a", "b": "b"})
    table(lab / "segments", {"a": "r0 0 -1", "b": segment})
    assert [text for text in told(lab) if text.startswith(expected)], told(lab)


def test_problems_of_one_sort_are_counted_and_three_are_shown(lab, tmp_path):
    for path in (tmp_path / "wav").iterdir():
        path.unlink()
    report = validate(lab)
    assert report.num_problems == 6
    assert [problem.line for problem in report.problems()] == [1, 2, 3]
    assert "(and 3 more of this sort)" in str(report.problems()[-1])


def test_every_table_has_its_say(lab):
    for name, old, new, _ in (SPOILED[s] for s in ("CRLF", "gender", "trial form")):
        edit(lab / name, old, new)
    text = "\n".join(told(lab))
    for name in ("spk2utt:1", "spk2gender:1", "trials:1"):
        assert name in text


def test_features_of_another_dimension_stand_out(lab, table):
    odd = {"s0-u0": np.zeros((90, 4), np.float32), "s0-u1": np.zeros(91, np.float32)}
    kaldiio.save_ark("odd.ark", odd, scp="odd.scp")
    table(lab / "feats.scp", read_table(lab / "feats.scp") | read_table("odd.scp"))
    assert [text.partition("\n")[0] for text in told(lab)] == [
        "feats.scp:1: expected frames of dimension 3 for 's0-u0', got shape (90, 4)",
        "feats.scp:2: expected frames of dimension 3 for 's0-u1', got shape (91,)",
    ]


def test_nan_is_found_only_if_it_is_looked_for(lab, table):
    bad = np.zeros((91, 3), np.float32)
    bad[7, 2] = np.nan
    kaldiio.save_ark("bad.ark", {"s0-u1": bad}, scp="bad.scp")
    table(lab / "feats.scp", read_table(lab / "feats.scp") | read_table("bad.scp"))
    assert told(lab) == []
    (text,) = told(lab, check_feats=True)
    assert text.startswith(
        "feats.scp:2: 's0-u1' holds NaN or infinity, first in frame 7\n  cure: look"
    )


def test_models_may_be_enrolled_from_another_directory(lab):
    (lab / "trials").write_text("m1 s0-u0 target\nm2 s0-u0 nontarget\n")
    assert told(lab) == []


def test_tables_that_contradict_the_manifests_are_told(lab, tmp_path):
    out = tmp_path / "out"
    import_directory(lab, out)
    edit(out / "utt2spk", "s0-u0 s0", b"s0-u0 s1")
    (out / "wav.scp").unlink()
    (out / "segments").write_text("s0-u0 s0-u0 0 0.5\n")
    texts = told(out)
    assert [text.partition("\n")[0] for text in texts] == [
        "wav.scp: no such file, but manifests that imply it",
        "segments:1: expected what the manifests imply, got 's0-u0 s0-u0 0 0.5'",
        "utt2spk:1: expected what the manifests imply, got 's0-u0 s1'",
        "utt2spk: expected 's0-u0 s0' from the manifests",
    ]
    assert "--fix true writes it again" in texts[0]
    assert "asdkit kaldi-import" in texts[0]


def test_a_damaged_manifest_is_told(lab, tmp_path):
    out = tmp_path / "out"
    import_directory(lab, out)
    data = (out / RECORDINGS).read_bytes()
    (out / RECORDINGS).write_bytes(data[:-20])
    assert any(
        "recordings.jsonl.gz" in text and "EOFError" in text for text in told(out)
    )
    (out / RECORDINGS).unlink()
    assert any("recordings.jsonl.gz: no such manifest" in text for text in told(out))


def test_manifests_are_checked_themselves(lab, tmp_path):
    from lhotse import RecordingSet, SupervisionSet

    out = tmp_path / "out"
    import_directory(lab, out)
    recordings = RecordingSet.from_file(out / RECORDINGS)
    supervisions = list(SupervisionSet.from_file(out / "supervisions.jsonl.gz"))
    supervisions[0].duration = 1.5
    supervisions[1].duration = -1.0
    supervisions[2].recording_id = "other"
    supervisions[3].channel = 5
    SupervisionSet.from_segments(supervisions).to_file(out / "supervisions.jsonl.gz")
    RecordingSet.from_recordings(recordings).to_file(out / RECORDINGS)
    text = "\n".join(told(out))
    assert "gz:1: 's0-u0' ends at 1.5, but its recording 's0-u0' at 1.0" in text
    assert "gz:2: 's0-u1' lasts -1.0 seconds from 0.0" in text
    assert "gz:3: 's1-u0': recordings.jsonl.gz has no recording 'other'" in text
    assert (
        "'s1-u1': expected one of the channels [0] of recording 's1-u1', got 5" in text
    )


def test_no_directory_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no such directory"):
        validate(tmp_path / "none")


@pytest.fixture
def spoofed(lab, tmp_path, table):
    """A directory with attacks, and ASV trials of speakers enrolled elsewhere."""
    utts = sorted(read_table(lab / "utt2spk"))
    table(
        lab / "utt2attack", {utt: "A01" if utt < "s1" else "bonafide" for utt in utts}
    )
    import_directory(lab, tmp_path / "out")
    lines = "s9 s0-u0 spoof\ns9 s1-u0 target\ns8 s1-u1 nontarget\n"
    (tmp_path / "out" / "asv_trials").write_text(lines)
    scores = "s9 s0-u0 -1e-3\ns9 s1-u0 2\ns8 s1-u1 3.5\n"
    (tmp_path / "out" / "asv_scores").write_text(scores)
    enroll = "s8 e-1 e-2\ns9 e-3\n"
    (tmp_path / "out" / "asv_enroll.spk2utt").write_text(enroll)
    return tmp_path / "out"


def test_spoofed_speech_and_its_asv_trials_are_valid(spoofed):
    assert told(spoofed) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            "utt2attack",
            "s0-u0 A01",
            b"s0-u0 A02",
            "utt2attack:1: expected what the manifests imply, got 's0-u0 A02'",
        ),
        (
            "asv_trials",
            "target",
            b"bonafide",
            "asv_trials:2: expected '<enroll> <test> target|nontarget|spoof', got",
        ),
        (
            "asv_scores",
            "2\n",
            b"nan\n",
            "asv_scores:2: expected '<enroll> <test> <score>'",
        ),
        (
            "asv_scores",
            "s1-u1",
            b"s1-u9",
            "the test utterance 's1-u9' is not in utt2spk",
        ),
        ("asv_trials", "s8", b"s7", "'s7' is no utterance, speaker or model of this"),
    ],
)
def test_wrong_attacks_and_asv_trials_are_told(spoofed, name, old, new, expected):
    edit(spoofed / name, old, new)
    assert any(expected in text for text in told(spoofed))


def test_an_attack_is_known_of_all_utterances_or_of_none(lab, table):
    table(lab / "utt2attack", {"s0-u0": "A01"})
    assert "utt2attack: expected 's0-u1' of utt2spk" in told(lab)[0]


def test_ids_that_differ_by_one_thing_are_told_once(lab):
    for name in ("feats.scp", "trials"):
        text = (lab / name).read_text()
        text = re.sub(r"(?<![\w/.])(s\d-u\d)", r"\1.flac", text)
        (lab / name).write_text(text)
    problems = told(lab)
    assert "as 's0-u0.flac' and 's0-u0' in utt2spk" in problems[0]
    assert "as 's0-u1.flac' and 's0-u1' in utt2spk" in problems[1]
    assert not any("'s0-u0.flac' is not in" in problem for problem in problems)


def test_a_byte_order_mark_is_told_and_dropped(lab):
    """--fix took its id for another one, and dropped a good utterance."""
    before = (lab / "wav.scp").read_bytes()
    (lab / "wav.scp").write_bytes(b"\xef\xbb\xbf" + before)
    (problem,) = told(lab)
    assert "wav.scp:1: expected text, got a byte-order mark" in problem
    repair(lab)
    assert (lab / "wav.scp").read_bytes() == before
    assert told(lab) == []


def test_a_compressed_table_is_one_problem(lab):
    (lab / "text").write_bytes(gzip.compress((lab / "text").read_bytes()))
    (problem,) = told(lab)
    assert (
        problem == "text: expected UTF-8 text, got gzip data\n  cure: gunzip unpacks it"
    )


def test_a_named_pipe_is_no_audio(lab, tmp_path):
    (tmp_path / "wav" / "s0-u0.wav").unlink()
    os.mkfifo(tmp_path / "wav" / "s0-u0.wav")
    (problem,) = told(lab)
    assert "'wav/s0-u0.wav' is not a regular file" in problem
