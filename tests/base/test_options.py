import argparse
from typing import Literal

import pytest

from asdkit.base.errors import AsdkitError
from asdkit.base.options import (
    add_choice,
    add_options,
    choice_of,
    chosen_of,
    options_of,
)
from asdkit.base.ranges import AnyPath, FilePath
from asdkit.base.references import Reference
from asdkit.base.registry import Chosen


class Model:
    """Fit.

    Args:
        data: no option.
        num_iters: iterations.
        scale: scale, 100 % is 1.
        center: subtract the mean.
        init: how to start.
        seed: seed.
        blocks: blocks.
        noise: recordings of noise; None: noise is drawn.
        made: by a call.
    """

    def __init__(
        self,
        data=None,
        num_iters: int = 10,
        scale: float = 0.5,
        center: bool = True,
        init: Literal["pca", "random"] = "pca",
        seed: int | None = None,
        blocks: tuple[int, ...] = (3, 4),
        noise: AnyPath | None = None,
        unsaid: int = 3,
        made: int = max(1, 2),
    ) -> None: ...


class Other:
    """Fit otherwise.

    Args:
        num_iters: iterations.
        scale: scale, 100 % is 1.
    """

    def __init__(self, num_iters: int = 20, scale: float = 0.5) -> None: ...


def third(num_iters: int = 10) -> None:
    """Do something else.

    Args:
        num_iters: iterations.
    """


def listing(name: Literal["a", "b"] = "a", num_iters: int = 10) -> None:
    """Take lists.

    Args:
        name: which.
        num_iters: iterations.
    """


NAMES = ("num_iters", "scale", "center", "init", "seed", "blocks", "noise")
CHOICES = {"model": Reference(f"{__name__}:Model"), "other": Other}


def new_parser():
    return argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)


def parse(*argv):
    parser = new_parser()
    add_options(parser, Model, *NAMES)
    return parser.parse_args(argv)


def help_of(parser):
    return " ".join(parser.format_help().split())


def test_defaults_are_those_of_the_constructor():
    assert options_of(Model, parse()) == {
        "num_iters": 10,
        "scale": 0.5,
        "center": True,
        "init": "pca",
        "seed": None,
        "blocks": (3, 4),
        "noise": None,
    }


def test_types_come_from_the_annotations():
    args = parse(
        "--num-iters", "3", "--center", "false", "--seed", "7", "--blocks", "1,2"
    )
    assert (args.num_iters, args.center, args.seed) == (3, False, 7)
    assert args.blocks == (1, 2)


def test_helps_come_from_the_docstring_and_say_the_default():
    parser = new_parser()
    add_options(parser, Model, *NAMES)
    shown = help_of(parser)
    assert "--num-iters N iterations (default: 10)" in shown
    assert "scale, 100 % is 1 (default: 0.5)" in shown
    assert "--blocks N,N,... blocks (default: 3,4)" in shown
    assert "--center true|false subtract the mean (default: true)" in shown


def test_none_is_told_by_what_it_means():
    parser = new_parser()
    add_options(parser, Model, "seed", "noise")
    shown = help_of(parser)
    assert "--seed N seed" in shown
    assert "recordings of noise (default: noise is drawn)" in shown
    assert "None" not in shown


def test_paths_say_what_they_are():
    parser = new_parser()
    add_options(parser, Model, "noise")
    assert "--noise FILE|DIR" in help_of(parser)
    assert parser.parse_args(["--noise", "a/b"]).noise == "a/b"
    assert FilePath.__metadata__ == ("FILE",)


def test_a_boolean_is_spelled_true_or_false():
    with pytest.raises(argparse.ArgumentError, match="expected true or false"):
        parse("--center", "yes")


def test_an_option_without_a_parameter_is_a_bug():
    with pytest.raises(TypeError, match="no option 'num_itres'"):
        add_options(new_parser(), Model, "num_itres")


def test_an_option_that_the_docstring_does_not_explain_is_a_bug():
    with pytest.raises(TypeError, match="does not explain 'unsaid'"):
        add_options(new_parser(), Model, "unsaid")


def test_a_default_that_the_source_does_not_show_is_a_bug():
    with pytest.raises(TypeError, match="'made': its default is no plain value"):
        add_options(new_parser(), Model, "made")


def choose(*argv):
    parser = new_parser()
    names = ("num_iters", "scale", "center")
    add_choice(parser, "kind", CHOICES, "what to fit", *names)
    return choice_of(parser.parse_args(argv), "kind", CHOICES), help_of(parser)


MODEL, OTHER = (Reference(f"{__name__}:{name}") for name in ("Model", "Other"))


def test_a_choice_takes_only_the_options_that_are_given():
    assert choose()[0] == (MODEL, {})
    assert choose("--kind", "other")[0] == (OTHER, {})
    assert choose("--num-iters=3", "--center=false")[0] == (
        MODEL,
        {"num_iters": 3, "center": False},
    )


def test_an_option_of_another_choice_is_refused():
    with pytest.raises(AsdkitError, match="--center: --kind other has no such option"):
        choose("--kind=other", "--center=true")


def test_choices_may_have_parameters_of_the_same_name():
    """Who declared the option takes it; the other keeps its own default."""
    parser = new_parser()
    add_choice(parser, "kind", CHOICES, "what to fit", "center")
    add_choice(parser, "more", CHOICES, "what to fit next", "num_iters")
    args = parser.parse_args(["--num-iters=3", "--more=other"])
    assert choice_of(args, "kind", CHOICES) == (MODEL, {})
    assert choice_of(args, "more", CHOICES) == (OTHER, {"num_iters": 3})


def test_an_option_whose_name_is_taken_is_named_after_its_choice():
    """Also in the error that says who does not have it."""
    parser = new_parser()
    add_options(parser, Model, "num_iters")
    add_choice(parser, "kind", CHOICES, "what to fit", "num_iters", "center")
    argv = ["--num-iters=3", "--kind.num-iters=5"]
    args = parser.parse_args(argv)
    assert args.num_iters == 3
    assert choice_of(args, "kind", CHOICES) == (MODEL, {"num_iters": 5})
    assert chosen_of(args, "kind", CHOICES) == Chosen("model", {"num_iters": 5})
    args = parser.parse_args(["--kind=other", "--center=true", *argv])
    with pytest.raises(AsdkitError, match="--center: --kind other has no such option"):
        choice_of(args, "kind", CHOICES)
    parser = new_parser()
    add_options(parser, Model, "center")
    add_choice(parser, "kind", CHOICES, "what to fit", "center")
    args = parser.parse_args(["--kind=other", "--kind.center=true"])
    with pytest.raises(AsdkitError, match=r"--kind\.center: --kind other has no such"):
        choice_of(args, "kind", CHOICES)


def test_options_that_are_left_out_are_none():
    parser = new_parser()
    add_choice(parser, "kind", {"other": Other}, "what to fit", but=["scale"])
    add_options(parser, Other, but=["num_iters"])
    args = vars(parser.parse_args(["--num-iters=3", "--scale=2"]))
    assert args == {"kind": "other", "kind.num_iters": 3, "scale": 2.0}


def test_a_choice_without_names_has_all_options_that_its_choices_have():
    parser = new_parser()
    add_choice(parser, "kind", {"other": Other, "third": third}, "what to fit")
    args = parser.parse_args(["--kind=third", "--num-iters=3"])
    assert choice_of(args, "kind", {"other": Other, "third": third})[1] == {
        "num_iters": 3
    }
    assert "--scale" in help_of(parser)


def test_help_tells_the_default_of_every_choice():
    shown = choose()[1]
    assert "what to fit: model, other (default: model)" in shown
    assert "iterations (default: model: 10; other: 20)" in shown
    assert " scale, 100 % is 1 (default: 0.5)" in shown
    assert "model: subtract the mean (default: true)" in shown


def test_an_option_that_no_choice_has_is_a_bug():
    with pytest.raises(TypeError, match="none of model, other has an option 'nothing'"):
        add_choice(new_parser(), "kind", CHOICES, "", "nothing")


def test_choices_with_the_same_default_are_told_together():
    parser = new_parser()
    choices = {**CHOICES, "third": third}
    add_choice(parser, "kind", choices, "what to fit", "num_iters")
    shown = help_of(parser)
    assert "iterations (default: model, third: 10; other: 20)" in shown


def test_a_choice_may_take_lists():
    parser = new_parser()
    add_choice(parser, "kind", {"listing": listing}, "what", listed=True)
    args = parser.parse_args(["--name=b,a", "--num-iters=3,5"])
    found = choice_of(args, "kind", {"listing": listing})[1]
    assert found == {"name": ["b", "a"], "num_iters": [3, 5]}
    for wrong, problem in [
        ("--name=a,c", "expected some of a, b, got"),
        ("--num-iters=3,x", "expected an integer, got 'x'"),
        ("--num-iters=3,", "expected an integer, got ''"),
    ]:
        with pytest.raises(argparse.ArgumentError, match=problem):
            parser.parse_args([wrong])
    assert "--name {a,b},..." in parser.format_help()


def test_a_choice_may_be_written_with_hyphens():
    parser = new_parser()
    add_choice(parser, "kind", {"one": Model, "two_words": Other}, "what", "scale")
    assert parser.parse_args(["--kind=two-words"]).kind == "two_words"
    assert parser.parse_args(["--kind=two_words"]).kind == "two_words"
    with pytest.raises(argparse.ArgumentError, match="choose from"):
        parser.parse_args(["--kind=three"])


def test_options_may_stand_in_a_group():
    parser = new_parser()
    group = parser.add_argument_group("how to fit")
    add_choice(group, "kind", CHOICES, "what to fit", "num_iters")
    assert "how to fit:\n  --kind" in parser.format_help()
    assert parser.parse_args(["--num-iters", "3"])
