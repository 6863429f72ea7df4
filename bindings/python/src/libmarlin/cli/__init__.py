"""The command marlin: doctor, bench, check.

typer and rich are the extra libmarlin[cli]. Without them doctor still works, in plain text: it is what somebody runs
where something is missing.
"""

from __future__ import annotations

import importlib.util
import sys

_NEEDED = ("typer", "rich")


def main() -> None:
    """Run the command line of sys.argv and exit."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        from . import _plain

        sys.exit(_plain.run(sys.argv[1:], missing))
    from ._app import app

    app(prog_name="marlin")
