"""``python -m libmarlin``: the command marlin."""

from .cli import main

main()
