"""Packs a small language model with libmarlin, generates text, and compares it with the unpacked model."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
TEXT = HERE / "texts" / "pride_and_prejudice.txt"


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--prompt", default="Why is the sky blue? Answer in two sentences.", help="what to ask the model")
    add("--max-tokens", type=int, default=64, help="tokens to generate at most")
    add("--threads", type=int, default=0, help="CPU threads, 0: one for each core")
    device_help = "auto: CUDA where libmarlin has a kernel for the model, else the CPU"
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help=device_help)
    add("--perplexity-tokens", type=int, default=512, help="tokens of the bundled text to read")
    add("--json", action="store_true", help="print the report as JSON; all else goes to standard error")
    add("--synthetic", action="store_true", help="use a small random model instead of the real one")
    add("--model", type=Path, help="a GGUF file of a Llama with Q4_1 layers, instead of SmolLM2's")
    add("--cache", type=Path, default=HERE.parents[1] / "build" / "demo", help="folder that keeps the model")
    options = parser.parse_args(given)
    if options.max_tokens < 1:
        parser.error(f"--max-tokens is {options.max_tokens}, expected at least 1")
    if options.perplexity_tokens < 2:
        parser.error(f"--perplexity-tokens is {options.perplexity_tokens}, expected at least 2")
    if options.threads < 0:
        parser.error(f"--threads is {options.threads}, expected 0 or more")
    return options


def main(given: list[str] | None = None) -> int:
    """Run the demo; return 0 when what it compares agrees."""
    options = arguments(given)
    if options.threads:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", str(options.threads))  # NumPy reads it when it is imported
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from smollm.report import show_text
    from smollm.run import Refused, run

    console = Console(stderr=options.json)
    started = time.perf_counter()
    columns = (TextColumn("{task.description:32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:

        def bar(title: str) -> Callable[[int, int], None]:
            task = progress.add_task(title, total=None)
            return lambda done, total: progress.update(task, completed=done, total=total)

        try:
            report = run(options, TEXT.read_text(encoding="utf-8").partition("\n---\n")[2], bar)
        except Refused as refused:
            console.print(f"[red]demo:[/red] {refused}")
            return 2
    report.seconds = time.perf_counter() - started
    show_text(console, report.prompt, report.text)
    report.show(console)
    if options.json:
        print(json.dumps(report.as_dict(), indent=2))
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
