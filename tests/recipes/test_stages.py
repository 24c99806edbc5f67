"""What holds for every recipe: where it runs, what its stages say and need."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECIPES = sorted(path.parent for path in ROOT.glob("egs/*/*/run.sh"))
NAMES = [f"{path.parent.name}/{path.name}" for path in RECIPES]
SCRIPTS = sorted(ROOT.glob("egs/*/*/local/*.sh"))
HEAD = 'set -euo pipefail\ncd "$(dirname "${BASH_SOURCE[0]}")"\n\n'
SOURCES = (
    ". ../../../path.sh\n. stages.sh\n. parse_options.sh\n"
    ". cmd.sh # sets $cpu and $gpu from $launcher and $nj"
)
STAGE = re.compile(r'^if .*stage (\d+) "(.*)"; then\n((?:(?!fi$).*\n)*)fi$', re.M)
# Options that let optional stages run.
ALL = {
    "asvspoof2019/v3": ["--checkpoint", "encoder"],
    "asvspoof2021/v1": ["--make-2021", "true"],
    "own/v1": ["--model", "bundle"],
    "speechocean762/v2": ["--bundle", "true"],
    "spoof762/v1": ["--pretrained", "published"],
    "synth/v1": ["--bundle", "true"],
}
NEED = re.compile(
    r"run\.sh: stage (\d+) needs (\S+), which (stage \d+|\.\./v\d/run\.sh) makes"
)


def text_of(recipe):
    return (recipe / "run.sh").read_text()


def stages_of(recipe):
    """Number, sentence and lines of every stage."""
    found = STAGE.findall(text_of(recipe))
    return [(int(n), sentence, body.splitlines()) for n, sentence, body in found]


def variables_of(recipe):
    """Yield name, default and comment of every option."""
    head = text_of(recipe).partition("\n. ")[0]
    for name, rest in re.findall(r"^([a-z]\w*)=(.*)$", head, re.M):
        value, _, comment = rest.partition("# ")
        yield name, value.strip(), comment


@pytest.fixture(scope="module")
def clone(tmp_path_factory, copied):
    """Copy all recipes and what they source, without what they have made."""
    return copied(tmp_path_factory.mktemp("clone"), "").parent


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_a_recipe_is_laid_out_as_the_others(recipe):
    text = text_of(recipe)
    comment, _, rest = text.partition("\n\n")
    assert all(line.startswith("#") for line in comment.splitlines())
    assert rest.startswith(HEAD)
    assert SOURCES in rest
    assert "nj=1\n" in rest
    stages = stages_of(recipe)
    assert [number for number, *_ in stages] == [*range(len(stages))]
    assert len(stages) == len(re.findall(r"^if .*\bstage \d", text, re.M))
    assert not (recipe / "cmd.sh").exists()


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_a_stage_is_at_most_ten_lines(recipe):
    for number, _, lines in stages_of(recipe):
        code = [line for line in lines if not line.lstrip().startswith("#")]
        assert len(code) <= 10, number


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_the_last_stage_writes_a_report_and_the_readme_says_so(recipe):
    """speechocean762/v3 had none."""
    *_, (_, sentence, lines) = stages_of(recipe)
    assert re.match(r"write \S*\bexp\b\S*/report\.html", sentence.replace("$", ""))
    (command,) = (x for x in lines if x.lstrip().startswith("asdkit report "))
    assert re.search(r' -o "?\$?exp"?/report\.html"?$', command)
    assert "report.html" in (recipe / "README.md").read_text()


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_a_stage_says_no_number_that_nobody_has_counted(recipe):
    """85 speakers were announced with a corpus of 125."""
    said = [sentence for _, sentence, _ in stages_of(recipe)]
    said += re.findall(r"^ *(?:echo|log) .*", text_of(recipe), re.M)
    for sentence in said:
        assert not re.search(r"\b\d[\d,]* (speakers|utt|Gauss|trials)", sentence)


@pytest.mark.parametrize("recipe", RECIPES, ids=NAMES)
def test_options_that_are_paths_say_so(recipe):
    for name, value, comment in variables_of(recipe):
        is_path = "/" in value or re.match("(the )?(directory|folder|file)", comment)
        declared = re.match(r"(DIRS?|FILES?|PATH)\b", comment)
        assert bool(declared) >= bool(is_path), name


@pytest.mark.parametrize(
    "script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_script_stops_at_the_first_error(script):
    code = re.sub(r"^#.*\n", "", script.read_text(), flags=re.M).lstrip()
    assert code.startswith("set -euo pipefail\n")


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_has_its_options_in_help(name, clone):
    command = [clone / "egs" / name / "run.sh", "--help"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    known = [name for name, *_ in variables_of(clone / "egs" / name)]
    for option in (*known, "stage", "stop_stage", "launcher"):
        assert f"  --{option.replace('_', '-')} " in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_every_stage_names_the_stage_that_makes_what_it_lacks(name, clone, tmp_path):
    """In a fresh clone, called from another folder, which stays as it was."""
    before = sorted(clone.rglob("*"))
    script = clone / "egs" / name / "run.sh"
    for number, *_ in stages_of(script.parent)[1:]:
        options = [*ALL.get(name, []), "--stage", f"{number}"]
        command = [script, *options, "--stop-stage", f"{number}"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        said = done.stderr.splitlines()
        assert done.returncode == 1, (number, said)
        assert len(said) == 2, said
        found = NEED.match(said[1])
        assert found, said
        assert int(found[1]) == number
        if found[3].startswith("stage "):
            maker = int(found[3].removeprefix("stage "))
            assert maker < number
            assert ("; begin with stage 0: " in said[1]) == (maker > 0)
            assert said[1].endswith(" --stage 0")
    assert sorted(clone.rglob("*")) == before
    assert not list(tmp_path.iterdir())
