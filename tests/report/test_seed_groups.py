"""Systems trained with several seeds are one row with its spread, the seeds below."""

import re

import numpy as np
import pytest

from asdkit.report.evaluations import System, evaluate, find_keys, names_of
from asdkit.report.experiments import make_report
from asdkit.report.lineage import Lineage
from asdkit.report.seed_groups import group_seeds, mean_and_spread
from asdkit.report.systems_table import answer, systems_table


def systems(values):
    """Systems of path -> EER."""
    names = names_of(list(values))
    return [
        System(name, path, np.zeros(0), {"EER %": value})
        for name, (path, value) in zip(names, values.items(), strict=True)
    ]


def test_seeds_are_found_in_folders_and_at_the_end_of_names():
    found = systems(
        {
            "exp/a/seed0/scores": 0.2,
            "exp/a/seed12/scores": 0.3,
            "exp/b_seed0/scores": 0.1,
            "exp/b_seed1/scores": 0.12,
            "exp/b_seed1/scores_cosine": 0.4,
            "exp/seedling/scores": 0.05,
        }
    )
    groups = group_seeds(found, "EER %")
    assert [(one.name, one.members) for one in groups] == [
        ("seedling/scores", [5]),
        ("b/scores", [2, 3]),
        ("a/scores", [0, 1]),
        ("b_seed1/scores_cosine", [4]),
    ]
    assert mean_and_spread(groups[2], found, "EER %") == pytest.approx(
        (0.25, np.std([0.2, 0.3], ddof=1))
    )
    assert np.isnan(mean_and_spread(groups[0], found, "EER %")[1])


@pytest.mark.parametrize("form", ["exp/net/seed{}/scores", "exp/net_seed{}/scores"])
def test_seeds_of_the_only_system_have_its_name(form):
    (group,) = group_seeds(systems({form.format(n): 0.1 for n in range(3)}), "EER %")
    assert (group.name, len(group.members)) == ("net", 3)


@pytest.fixture
def seeds(experiment):
    """Two systems of three seeds, and one of one, measured together."""
    for n in range(3):
        experiment("x", 0.9 + 0.05 * n, f"net/seed{n}")
        experiment("x", 0.5 + 0.05 * n, f"old/seed{n}")
    experiment("x", 0.7, "alone")
    ((key, paths),) = find_keys(Lineage(["exp"])).items()
    return evaluate(key, paths, Lineage(["exp"]))


def test_the_mean_stands_above_the_seeds_in_a_body_of_its_own(seeds):
    text = systems_table(seeds, "", "e0")
    bodies = re.findall("<tbody>(.*?)</tbody>", text.split("<details>")[0])
    assert [body.count("<tr") for body in bodies] == [4, 1, 4]
    eers = [100 * x.values["EER %"] for x in seeds.systems if "net" in x.path]
    mean, spread = np.mean(eers), np.std(eers, ddof=1)
    first = bodies[0].split("</tr>")[0]
    assert "net<small>mean of 3 seeds</small>" in first
    assert f">{mean:.2f} ± {spread:.2f}</td>" in first
    assert "6.63 M" in first  # a seed's parameters, not those of three
    assert [x in bodies[0] for x in ("net/seed0", "net/seed1", "net/seed2")] == [
        True
    ] * 3
    assert f'<td class="n">{mean:.4f} ± {spread:.4f}</td>' in text


def test_the_answer_compares_means_and_not_lucky_seeds(seeds):
    text = re.sub("<[^>]*>", "", answer(seeds, ""))
    x = r"[\d.]+"
    assert re.search(
        rf"Over seeds: net has the lowest mean EER: {x} ± {x} % \(3 seeds\)\. "
        rf"alone comes next, at {x} % \(one seed\)\.",
        text,
    ), text


def test_without_seeds_nothing_is_said_of_them(measured):
    page = make_report(["exp"], bootstrap=0)
    assert "Over seeds" not in page
    assert "seeds</small>" not in page
