"""The page for those who leave Kaldi: its commands parse, and it leaves nothing out."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from asdkit.base.command import CommandParser

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "tools" / "from_kaldi.md").read_text()
COMMANDS = re.findall(r"`(asdkit [a-z]+-[^`]*)`|^    (asdkit .*)$", PAGE, re.M)
COMMANDS = [" ".join("".join(found).split()) for found in COMMANDS]
# What speaker recipes of Kaldi call: voxceleb/v1 and v2, sre16/v1 and v2, sre08.
CALLED = [
    "utils/validate_data_dir.sh",
    "utils/fix_data_dir.sh",
    "utils/combine_data.sh",
    "utils/subset_data_dir.sh",
    "utils/split_data.sh",
    "utils/copy_data_dir.sh",
    "steps/data/augment_data_dir.py",
    "steps/data/reverberate_data_dir.py",
    "steps/make_mfcc.sh",
    "sid/compute_vad_decision.sh",
    "sid/train_diag_ubm.sh",
    "sid/train_full_ubm.sh",
    "sid/train_ivector_extractor.sh",
    "sid/extract_ivectors.sh",
    "sid/nnet3/xvector/extract_xvectors.sh",
    "sid/nnet3/xvector/get_egs.sh",
    "local/nnet3/xvector/prepare_feats_for_egs.sh",
    "local/nnet3/xvector/run_xvector.sh",
    "ivector-extract",
    "ivector-mean",
    "ivector-compute-lda",
    "ivector-compute-plda",
    "ivector-adapt-plda",
    "ivector-copy-plda",
    "ivector-plda-scoring",
    "ivector-compute-dot-products",
    "ivector-subtract-global-mean",
    "ivector-normalize-length",
    "transform-vec",
    "ivector-extractor-init",
    "nnet3-xvector-compute",
    "nnet3-xvector-compute-batched",
    "nnet3-xvector-get-egs",
    "steps/nnet3/train_raw_dnn.py",
    "compute-mfcc-feats",
    "compute-fbank-feats",
    "compute-vad",
    "utils/filter_scp.pl",
    "nnet3-copy",
    "compute-eer",
    "sid/compute_min_dcf.py",
    "add-deltas",
    "apply-cmvn-sliding",
    "select-voiced-frames",
    "apply-cmvn",
    "diarization",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_parses(command):
    _, name, *words = shlex.split(command)
    program = importlib.import_module(f"asdkit.bin.{name.replace('-', '_')}")
    parser = CommandParser(name, program.__doc__)
    program.add_arguments(parser)
    parser.parse(words)


def test_the_page_has_commands_of_most_programs_a_speaker_recipe_needs():
    assert len(COMMANDS) > 40
    assert len({command.split()[1] for command in COMMANDS}) > 20


@pytest.mark.parametrize("name", CALLED)
def test_what_kaldis_recipes_call_is_on_the_page(name):
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", PAGE)


def test_options_in_the_remarks_exist():
    """Those that no command shows."""
    known = {}
    for name, option in re.findall(r"`([a-z]+-[a-z]+) ((?:--[^`]+))`", PAGE):
        try:
            program = importlib.import_module(f"asdkit.bin.{name.replace('-', '_')}")
        except ModuleNotFoundError:
            continue  # a program of Kaldi's
        parser = CommandParser(name, program.__doc__)
        program.add_arguments(parser)
        flags = {flag for action in parser._actions for flag in action.option_strings}
        known[name] = flags
        assert set(re.findall(r"--[a-z-]+", option)) <= flags, (name, option)
    assert known
