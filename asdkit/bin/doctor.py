"""Check the installation and suggest fixes.

e.g.: asdkit doctor

broken    asdkit does not work without it; the exit code is 1.
degraded  the programs that are named do not work; the exit code is 0.
absent    an extra that is not installed; the exit code is 0.
"""

from __future__ import annotations

import argparse

from asdkit.base.errors import AsdkitError
from asdkit.base.packages import examine, summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes: nothing."""


def main(args: argparse.Namespace) -> str:
    """Run the command."""
    findings = examine()
    report = "\n".join(map(str, findings))
    if any(x.verdict == "broken" for x in findings):
        raise AsdkitError(f"{summary(findings)}\n{report}")
    return f"{report}\nasdkit doctor: {summary(findings)}"
