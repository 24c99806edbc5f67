"""Commands and hashes of everything that a report shows."""

from pathlib import Path

from asdkit.io.run_results import sha256_of
from asdkit.report.lineage import Lineage
from asdkit.report.markup import escape
from asdkit.report.provenance_section import provenance_table


def test_runs_and_hashes_are_listed(measured):
    text = escape(provenance_table(Lineage(["exp"]).all))
    assert text.count("<code>asdkit x</code>") == 6
    assert sha256_of("data/test/trials") in text
    assert "changed" not in text


def test_files_that_have_changed_since_are_named(measured):
    with Path("data/test/trials").open("a") as stream:
        stream.write("\n")
    text = escape(provenance_table(Lineage(["exp"]).all))
    assert "changed" in text
    assert "exp/good/scores (score-metrics)" in text
