"""A plot of bench's results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._enums import Status
from .._errors import Error


def plot(report: dict[str, Any], path: Path) -> None:
    """Draw one bar a problem: how fast its weights were read. The file's suffix says the format."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise Error(
            Status.NOT_SUPPORTED, "matplotlib is not installed, expected it for --plot: pip install matplotlib"
        ) from None
    results = report["results"]
    figure = Figure(figsize=(9, 1.2 + 0.4 * len(results)), layout="constrained")
    axes = figure.add_subplot()
    bars = axes.barh([result["problem"] for result in results], [result["gbps"] for result in results])
    axes.bar_label(bars, [f" {result['us']:.0f} us" for result in results])
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel("GB/s of packed weights")
    axes.set_title(f"libmarlin {report['version']} on {report['device']}")
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise Error(Status.INVALID_ARGUMENT, f"the plot cannot be written to {path}: {error}") from error
