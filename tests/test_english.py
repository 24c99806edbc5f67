"""Helps, first lines and docstrings are phrases of plain English.

A word list cannot tell good English from bad.  It keeps out the habits that made this
text read like a translation: clauses with "what" in place of a noun, helps that begin
in the middle of a sentence, and things that hear, know or want.
"""

import argparse
import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from asdkit.__main__ import programs

PACKAGE = Path(__file__).parents[1] / "asdkit"
ROOMS = sorted(x.parent.name for x in PACKAGE.glob("*/__init__.py"))
THINGS = (
    "adversary archive back-end batch corpus countermeasure directory embedding "
    "extractor feature file frame i-vector layer loss manifest matrix mixture model "
    "network number option posterior program recording score student system table "
    "teacher vector"
)
ANYWHERE = {
    "shall": r"\b[Ss]hall\b",
    "nobody": r"\b[Nn]obody\b",
    "a thing hears": r"\b[Hh]ears?\b",
    "a thing knows or wants": rf"\b({THINGS.replace(' ', '|')})s? (knows?|wants?)\b",
    "what all": r"\bwhat all\b",
    "as for the next": r"\bas for the next\b",
    "no number any more": r"\bno number any more\b",
    "a default of None": r"\(default: None\)",
    "how sure": r"\bhow sure\b",
}
# Words that begin neither a noun phrase nor an imperative.
CLAUSES = set(
    re.findall(
        r"\w+",
        "what how which who whose whom why that of by as than then so if when because "
        "it they he she we you is are was were has had can may must will would should "
        "let",
    )
)
PREPOSITIONS = {"in", "with", "without", "from", "to", "for"}
VERBS = set(
    re.findall(
        r"\w+",
        "add adapt calibrate check combine compare compute copy cut describe detect "
        "download enroll export extract find fuse identify import list localize make "
        "measure normalize pass plot prepare print remove run score select serve show "
        "stream synthesize train tune turn verify write",
    )
)


def faults(text: str) -> list[str]:
    """Name the habits that a text has."""
    return [name for name, habit in ANYWHERE.items() if re.search(habit, text)]


def faults_of_help(text: str) -> list[str]:
    """Name what keeps a help from being a noun phrase or an imperative."""
    found = faults(text)
    first = text.split()[0].strip(",;:").lower()
    if first in CLAUSES | PREPOSITIONS:
        found.append(f"begins with {first!r}")
    if re.match(r"[A-Z][a-z]+\b", text) and text.split()[0] not in (
        "Gaussians",
        "Kaldi",
    ):
        found.append("begins like a sentence")
    if text.endswith("."):
        found.append("ends like a sentence")
    if re.search(r"\bwhat (is|are)\b|\bas (is|are)\b", text):
        found.append("a clause in place of a noun")
    return found


def faults_of_line(text: str) -> list[str]:
    """Name what keeps a first line from being a title or an imperative."""
    found = faults(text)
    first = re.split(r"\W", text, maxsplit=1)[0].lower()
    if first in CLAUSES:
        found.append(f"begins with {first!r}")
    return found


def summary_of(node: ast.AST) -> str:
    text = ast.get_docstring(node) or ""
    return " ".join(text.partition("\n\n")[0].split())


def public(node: ast.AST, name: str = ""):
    """Yield the names and nodes of public classes and functions, methods included."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.ClassDef, ast.FunctionDef)):
            if not child.name.startswith("_"):
                yield name + child.name, child
            if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
                yield from public(child, f"{name}{child.name}.")


@pytest.mark.parametrize(
    "text",
    [
        "of initial weights, batches and dropout",
        "by which the true class has to win, in the end",
        "that many frames",
        "what is beyond is computed again",
        "how many vote; it may end earlier",
        "data directory whose manifest knows the spoofed segments",
        "memory layout (default: None)",
        "Seconds to keep.",
        "utterances that shall stay",
        "as for the next two",
    ],
)
def test_helps_that_read_translated_are_found(text):
    assert faults_of_help(text)


@pytest.mark.parametrize(
    "text",
    [
        "Let the i-vectors show what they know.",
        "What a run has cost.",
        "How a program ends.",
        "Stop when a loss is no number any more.",
        "Networks that hear samples.",
    ],
)
def test_first_lines_that_read_translated_are_found(text):
    assert faults_of_line(text)


@pytest.mark.parametrize(
    "text",
    [
        "random seed for weights, batch order and dropout",
        "cache size in GB per teacher; outputs beyond it are recomputed",
        "run recordings that are shell commands (wav.scp lines ending in a pipe)",
        "<enroll> <test> <score> per line",
        "where to write the scores",
    ],
)
def test_helps_in_plain_english_pass(text):
    assert not faults_of_help(text)


@pytest.mark.parametrize("name", programs())
def test_every_help_is_a_phrase_of_plain_english(name):
    module = import_module(f"asdkit.bin.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    found = {}
    for action in parser._actions[1:]:
        assert action.help, action.dest
        text = action.help.replace("%%", "%")
        if wrong := faults_of_help(text):
            found[f"{action.dest}: {text}"] = wrong
    assert not found


@pytest.mark.parametrize("name", programs())
def test_every_program_says_in_the_imperative_what_it_does(name):
    path = PACKAGE / f"bin/{name.replace('-', '_')}.py"
    line = summary_of(ast.parse(path.read_text()))
    assert line.split()[0].lower() in VERBS
    assert line.endswith(".")


@pytest.mark.parametrize(
    "room", sorted(x.name for x in PACKAGE.iterdir() if x.is_dir())
)
def test_docstrings_are_plain_english(room):
    found = {}
    for path in sorted((PACKAGE / room).rglob("*.py")):
        tree = ast.parse(path.read_text())
        for name, node in [("", tree), *public(tree)]:
            line = summary_of(node)
            prose = " ".join((ast.get_docstring(node) or "").split())
            if wrong := faults_of_line(line) + faults(prose):
                found[f"{path.relative_to(PACKAGE)}:{name}: {line}"] = wrong
    assert not found, "\n".join(f"{line}: {wrong}" for line, wrong in found.items())
