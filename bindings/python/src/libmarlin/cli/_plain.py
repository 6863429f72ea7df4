"""The command line without typer and rich: doctor only."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from ._doctor import examine
from ._doctor_text import to_lines


def run(arguments: Sequence[str], missing: Sequence[str]) -> int:
    """Run doctor, or say what the other commands need; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="marlin",
        description="libmarlin on this machine.",
        epilog=f"The commands bench and check need {' and '.join(missing)}: pip install 'libmarlin[cli]'",
    )
    parser.add_argument("command", choices=("doctor", "bench", "check"), help="doctor: what works here, and what not")
    parser.add_argument("--json", action="store_true", help="print JSON")
    known, rest = parser.parse_known_args(arguments)
    if known.command != "doctor":
        parser.error(f"{known.command} needs {' and '.join(missing)}: pip install 'libmarlin[cli]'")
    if rest:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    report = examine()
    print(json.dumps(report, indent=1) if known.json else "\n".join(to_lines(report)))
    return 1 if report["errors"] else 0
