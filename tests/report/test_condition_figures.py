"""Marks lie where the error rates are."""

import re

from asdkit.report.condition_figures import condition_figures
from asdkit.report.conditions import by_conditions


def test_every_system_has_a_mark_for_every_value_and_a_table(found):
    conditions = by_conditions(found)
    (pair,) = condition_figures(found, conditions)
    num_marks = len(re.findall(r'<path d="M[^"]*" class="m ', pair))
    assert num_marks == sum(one.eers.size for one in conditions)
    assert f"{100 * conditions[0].eers[0, 0]:.2f}" in pair


def test_where_nothing_is_known_a_sentence_says_so(found):
    (text,) = condition_figures(found, [])
    assert "left out" in text
