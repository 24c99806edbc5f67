"""Check the installation, and say how to mend it.

e.g.: asdkit doctor

Exit code 1 if something is broken that asdkit needs.
"""

from __future__ import annotations

import argparse

from asdkit.base.errors import AsdkitError
from asdkit.base.packages import examine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes: nothing."""


def main(args: argparse.Namespace) -> str:
    """Run the command."""
    findings = examine()
    report = "\n".join(map(str, findings))
    broken = [x.subject for x in findings if x.verdict == "broken"]
    if broken:
        raise AsdkitError(f"{len(broken)} broken: {', '.join(broken)}\n{report}")
    return report
