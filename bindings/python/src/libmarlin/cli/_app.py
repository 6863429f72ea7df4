"""The commands of marlin, by typer and rich. Results go to standard output, everything else to standard error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import libmarlin

from ._doctor import examine
from ._doctor_text import to_rows, verdict

app = typer.Typer(
    name="marlin",
    help="libmarlin on this machine: what works, how fast, and whether it is right.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
_out = Console()
_err = Console(stderr=True)

# The first of marlin_bench's own list, and one more kind of weights: half a minute on two cores.
_BENCH = [f"gemm f16 s4 g128 m{m} n4096 k4096" for m in (1, 8, 64)]
_BENCH += ["gemm bf16 s4 g128 m1 n4096 k4096", "gemm f16 u4 g32 m1 n4096 k4096 zf16"]
_BENCH += [f"sp_gemm f16 s4 g128 m{m} n4096 k4096" for m in (1, 8, 64)]


class DeviceName(StrEnum):
    """Where to multiply."""

    cpu = "cpu"
    cuda = "cuda"


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Device = Annotated[
    DeviceName | None, typer.Option(help="Where to multiply; the GPU where there is one.", show_default=False)
]
DeviceId = Annotated[int, typer.Option(help="Which GPU.", min=0)]
Threads = Annotated[int, typer.Option(help="CPU threads; 0: one for each core.", min=0, max=1024)]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"libmarlin {libmarlin.version()}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")] = False,
) -> None:
    pass


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what was found: library, CPU, driver, GPUs, packages, what is missing and what to do.

    Exits with 1 when something is broken; a machine without a GPU is fine.
    """
    report = examine()
    if as_json:
        print(json.dumps(report, indent=1))
    else:
        table = Table(show_header=False, box=None, pad_edge=False)
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, text in to_rows(report):
            table.add_row(name, escape(text))
        _out.print(table)
        for text in report["notes"]:
            _out.print(f"[yellow]note[/]: {escape(text)}")
        for text in report["errors"]:
            _out.print(f"[red]ERROR[/]: {escape(text)}")
        _out.print(f"[{'red' if report['errors'] else 'green'}]{verdict(report)}[/]")
    raise typer.Exit(1 if report["errors"] else 0)


@app.command()
def bench(
    problems: Annotated[
        list[str] | None,
        typer.Argument(
            help='Problems such as "gemm f16 s4 g128 m16 n4096 k4096", or @FILE with one a line; none: a short list.',
            show_default=False,
        ),
    ] = None,
    device: Device = None,
    device_id: DeviceId = 0,
    threads: Threads = 0,
    seconds: Annotated[float, typer.Option(help="Time for each problem.", min=0.0, max=3600.0)] = 1.0,
    peer: Annotated[bool, typer.Option("--numpy/--no-numpy", help="CPU: compare with NumPy's FP32 multiply.")] = True,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the results into this file (.png, .svg); needs matplotlib.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure multiplies, in the words of marlin_bench and of the library's log.

    Times are medians, with what Python does around a call; weights are rotated past the caches.
    """
    with _failures():
        _need_numpy()
        from ._measure import measure
        from ._place import Place
        from ._plot import plot as draw
        from ._problem import collect

        todo = collect(problems or [], _BENCH)
        place = Place(device, device_id, threads)
        report = _head(place.name)
        results: list[dict[str, Any]] = []
        with _progress() as progress:
            for problem in progress.track(todo, description="measuring"):
                results.append(measure(place, problem, seconds, peer))
        report["results"] = results
        if as_json:
            print(json.dumps(report, indent=1))
        else:
            _out.print(_bench_table(report))
        if plot is not None:
            draw(report, plot)
            _err.print(f"drawn: {plot}")


@app.command()
def check(
    problems: Annotated[
        list[str] | None,
        typer.Argument(help="Problems as for bench; none: a grid of formats, types and batches.", show_default=False),
    ] = None,
    device: Device = None,
    device_id: DeviceId = 0,
    threads: Threads = 0,
    isa: Annotated[
        str | None, typer.Option(help="On the CPU, with one instruction set: reference, avx2, ..., or best.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="More shapes, batches and types: minutes.")] = False,
    as_json: Json = False,
) -> None:
    """Compare the kernels on this machine with FP64 arithmetic in NumPy.

    An error is given as a share of what rounding explains; above 1 is wrong, and exits with 1.
    """
    with _failures():
        _need_numpy()
        from ._place import Place
        from ._problem import collect
        from ._reference import check_grid, check_problem

        place = Place(device or ("cpu" if isa else None), device_id, threads)
        if isa and place.on_cuda:
            _fail(f"isa is '{isa}', expected none with device cuda: a GPU has no instruction sets to choose from")
        todo = collect(problems, []) if problems else check_grid(full, place.on_cuda)
        names = _instruction_sets(place.handle, isa) if not place.on_cuda else [place.name]
        results: list[dict[str, Any]] = []
        with _progress() as progress:
            task = progress.add_task("checking", total=len(names) * len(todo))
            for name in names:
                if not place.on_cuda:
                    place.handle.cpu_isa = name
                for problem in todo:
                    share = check_problem(place, problem)
                    results.append({"problem": str(problem), "on": name, "share": share, "passed": share <= 1})
                    progress.advance(task)
        failed = [result for result in results if not result["passed"]]
        if as_json:
            print(json.dumps(_head(place.name) | {"failed": len(failed), "results": results}, indent=1))
        else:
            _out.print(_check_table(results))
            for result in failed[:20]:
                _out.print(f"[red]WRONG[/] on {result['on']}: {result['problem']}: {result['share']:.3g} of the bound")
            _out.print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    raise typer.Exit(1 if failed else 0)


def _head(device: str) -> dict[str, Any]:
    build = libmarlin.build_info()
    return {"version": build["version"], "commit": build["commit"], "device": device}


def _bench_table(report: dict[str, Any]) -> Table:
    table = Table(title=f"libmarlin {report['version']} on {report['device']}")
    table.add_column("problem", no_wrap=True)
    table.add_column("kernel", overflow="fold")
    for name in ("us", "GB/s", "GFLOP/s", "over NumPy FP32"):
        table.add_column(name, justify="right")
    for result in report["results"]:
        speedup = f"{result['speedup']:.1f}x" if "speedup" in result else "-"
        numbers = (f"{result['us']:.1f}", f"{result['gbps']:.2f}", f"{result['gflops']:.1f}", speedup)
        table.add_row(result["problem"], result["kernel"], *numbers)
    return table


def _check_table(results: list[dict[str, Any]]) -> Table:
    table = Table()
    for name in ("on", "call", "activations", "weights"):
        table.add_column(name)
    table.add_column("problems", justify="right")
    table.add_column("worst share of the bound", justify="right")
    rows: dict[tuple[str, ...], list[float]] = {}
    for result in results:
        words = result["problem"].split()
        zeros = next((word for word in words[3:] if word.startswith("z")), "")
        key: tuple[str, ...] = (result["on"], words[0], words[1], f"{words[2]} {zeros}".strip())
        rows.setdefault(key, []).append(result["share"])
    for key, shares in rows.items():
        style = None if max(shares) <= 1 else "red"
        table.add_row(*key, str(len(shares)), f"{max(shares):.3f}", style=style)
    return table


def _instruction_sets(handle: libmarlin.Handle, wanted: str | None) -> list[str]:
    if wanted:
        handle.cpu_isa = wanted  # type: ignore[assignment]
        return [wanted]
    names = []
    for isa in libmarlin.CpuIsa:
        if isa is libmarlin.CpuIsa.BEST:
            continue
        try:
            handle.cpu_isa = isa
        except libmarlin.Error:  # the machine lacks it
            continue
        names.append(isa.name.lower())
    return names


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=_err, transient=True)


def _need_numpy() -> None:
    try:
        import numpy  # noqa: F401
    except ImportError:
        _fail("numpy is not installed, expected it for this command: pip install 'libmarlin[cli]'")


@contextmanager
def _failures() -> Iterator[None]:
    """Show what the library refuses as one sentence."""
    try:
        yield
    except (libmarlin.Error, TypeError) as error:
        _fail(str(error))


def _fail(text: str) -> NoReturn:
    _err.print(f"[red]marlin[/]: {escape(text)}", soft_wrap=True)
    raise typer.Exit(2)
