import argparse
from typing import Literal

import pytest

from asdkit.base.errors import AsdkitError, DataError
from asdkit.base.options import (
    add_choice,
    add_options,
    choice_of,
    expand_conf,
    options_of,
)


class Model:
    def __init__(
        self,
        data=None,
        num_iters: int = 10,
        scale: float = 0.5,
        center: bool = True,
        init: Literal["pca", "random"] = "pca",
        seed: int | None = None,
        blocks: tuple[int, ...] = (3, 4),
    ) -> None: ...


def parse(*argv):
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--config")
    add_options(
        parser,
        Model,
        num_iters="iterations",
        scale="scale, 100 % is 1",
        center="subtract the mean",
        init="how to start",
        seed="seed",
        blocks="blocks",
    )
    return parser.parse_args(expand_conf(argv))


def test_defaults_are_those_of_the_constructor():
    assert options_of(Model, parse()) == {
        "num_iters": 10,
        "scale": 0.5,
        "center": True,
        "init": "pca",
        "seed": None,
        "blocks": (3, 4),
    }


def test_types_come_from_the_annotations():
    args = parse(
        "--num-iters", "3", "--center", "false", "--seed", "7", "--blocks", "1,2"
    )
    assert (args.num_iters, args.center, args.seed) == (3, False, 7)
    assert args.blocks == (1, 2)


def test_a_boolean_is_spelled_true_or_false():
    with pytest.raises(argparse.ArgumentError, match="expected true or false"):
        parse("--center", "yes")


def test_an_option_without_a_parameter_is_a_bug():
    with pytest.raises(TypeError, match="no option 'num_itres'"):
        add_options(argparse.ArgumentParser(), Model, num_itres="iterations")


@pytest.mark.parametrize("before", [True, False])
def test_the_command_line_beats_the_file_wherever_config_stands(tmp_path, before):
    conf = tmp_path / "model.conf"
    conf.write_text("# more than usual\n--num-iters=20  # 10 loses\n\n--scale=0.1\n")
    line = ["--num-iters", "3"]
    config = ["--config", str(conf)]
    args = parse(*(config + line if before else line + config))
    assert (args.num_iters, args.scale) == (3, 0.1)


def test_a_conf_line_without_equals_names_file_and_line(tmp_path):
    conf = tmp_path / "model.conf"
    conf.write_text("--scale=0.1\n--num-iters 3\n")
    with pytest.raises(DataError, match=r"model.conf:2: expected --name=value"):
        expand_conf([f"--config={conf}"])


def test_an_unknown_option_in_a_conf_is_an_error(tmp_path, capsys):
    conf = tmp_path / "model.conf"
    conf.write_text("--num-itres=3\n")
    with pytest.raises((SystemExit, argparse.ArgumentError)):
        parse("--config", str(conf))


class Other:
    def __init__(self, num_iters: int = 20, scale: float = 0.5) -> None: ...


CHOICES = {"model": Model, "other": Other}


def choose(*argv):
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    helps = {"num_iters": "iterations", "scale": "scale", "center": "subtract the mean"}
    add_choice(parser, "kind", CHOICES, "what to fit", **helps)
    return choice_of(parser.parse_args(argv), "kind", CHOICES), parser.format_help()


def test_a_choice_takes_only_the_options_that_are_given():
    assert choose()[0] == (Model, {})
    assert choose("--kind", "other")[0] == (Other, {})
    assert choose("--num-iters=3", "--center=false")[0] == (
        Model,
        {"num_iters": 3, "center": False},
    )


def test_an_option_of_another_choice_is_refused():
    with pytest.raises(AsdkitError, match="--center: --kind other has no such option"):
        choose("--kind=other", "--center=true")


def test_choices_may_have_parameters_of_the_same_name():
    """Who declared the option takes it; the other keeps its own default."""
    parser = argparse.ArgumentParser()
    add_choice(parser, "kind", CHOICES, "what to fit", center="subtract the mean")
    add_choice(parser, "more", CHOICES, "what to fit next", num_iters="iterations")
    args = parser.parse_args(["--num-iters=3", "--more=other"])
    assert choice_of(args, "kind", CHOICES) == (Model, {})
    assert choice_of(args, "more", CHOICES) == (Other, {"num_iters": 3})


def test_help_tells_the_default_of_every_choice():
    shown = " ".join(choose()[1].split())
    assert "what to fit (default: model)" in shown
    assert "iterations (model: 10; other: 20)" in shown
    assert "scale (default: 0.5)" in shown
    assert "subtract the mean (model: true)" in shown


def test_an_option_that_nobody_has_is_a_mistake():
    with pytest.raises(TypeError, match="none of model, other has an option 'nothing'"):
        add_choice(argparse.ArgumentParser(), "kind", CHOICES, "", nothing="")


def test_choices_with_the_same_default_are_told_together():
    def third(num_iters: int = 10) -> None: ...

    parser = argparse.ArgumentParser()
    choices = {**CHOICES, "third": third}
    add_choice(parser, "kind", choices, "what to fit", num_iters="iterations")
    shown = " ".join(parser.format_help().split())
    assert "iterations (model, third: 10; other: 20)" in shown


def test_a_choice_may_take_lists():
    def third(name: Literal["a", "b"] = "a", num_iters: int = 10) -> None: ...

    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    helps = {"name": "which", "num_iters": "iterations"}
    add_choice(parser, "kind", {"third": third}, "what", True, **helps)
    args = parser.parse_args(["--name=b,a", "--num-iters=3,5"])
    found = choice_of(args, "kind", {"third": third})[1]
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
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    add_choice(parser, "kind", {"one": Model, "two_words": Other}, "what")
    assert parser.parse_args(["--kind=two-words"]).kind == "two_words"
    assert parser.parse_args(["--kind=two_words"]).kind == "two_words"
    with pytest.raises(argparse.ArgumentError, match="choose from"):
        parser.parse_args(["--kind=three"])


def test_options_may_stand_in_a_group():
    parser = argparse.ArgumentParser()
    group = parser.add_argument_group("how to fit")
    add_choice(group, "kind", CHOICES, "what to fit", num_iters="iterations")
    assert "how to fit:\n  --kind" in parser.format_help()
    assert parser.parse_args(["--num-iters", "3"]).num_iters == 3
