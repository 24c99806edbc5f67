"""Print what countermeasures reach, alone and in tandem, mean and deviation over seeds.

e.g.: python local/print_tables.py data/la exp/la

Of every exp/la/SYSTEM/seedN: its EER on dev, and on eval its EER, that of each attack,
and the min t-DCF with the ASV scores of the corpus, if it has any.  Then what its
fusions with the ASV system in exp/la/asv reach, and its own min t-DCF and t-EER beside
that one.
"""

import argparse
import sys
from pathlib import Path

from asdkit.base.exits import exit_code
from asdkit.report.cm_tables import table_alone, table_in_tandem
from asdkit.report.result_tables import seeds_of

FLAVOR = "asvspoof2019"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="with dev and eval")
    parser.add_argument("exp", type=Path, help="with a directory for each system")
    args = parser.parse_args()
    systems, asv = seeds_of(args.exp), args.exp / "asv"
    print(table_alone(args.data, systems, FLAVOR))
    if (asv / "scores_eval").exists():
        print(f"\n{table_in_tandem(args.data, asv, systems, FLAVOR)}")


if __name__ == "__main__":
    sys.exit(exit_code(Path(__file__).name, main))
