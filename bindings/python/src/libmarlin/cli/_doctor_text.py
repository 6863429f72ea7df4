"""The doctor's report in lines of text, as it is without rich and with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def to_rows(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was found, as name and text."""
    library, cpu, driver = report["library"], report["cpu"], report["driver"]
    yield "library", f"libmarlin {library['version']}, commit {library['commit']}, {library['path']}"
    cuda = f"CUDA {library['cuda']}, {library['architectures']}" if library["cuda"] else "without CUDA"
    yield "build", f"{library.get('compiler', '')}, {cuda}"
    yield "python", f"{report['python']['version']}, {report['python']['executable']}"
    yield "cpu", f"{cpu['name']}, {cpu.get('isa', 'unusable')}, {cpu.get('threads', 0)} threads"
    if cpu.get("kernels"):
        yield "cpu kernels", f"{', '.join(cpu['kernels'])}: each multiplied, results as expected"
    if driver["found"] or driver["version"]:
        yield "driver", f"NVIDIA {driver['version'] or '(version unknown)'}, CUDA {driver['cuda'] or '?'}"
    else:
        yield "driver", "no NVIDIA driver"
    for ordinal, gpu in enumerate(report["gpus"]):
        capability = f"{gpu['compute_capability'] // 10}.{gpu['compute_capability'] % 10}"
        usable = f"{gpu['sm_count']} SMs, usable" if gpu["usable"] else "NOT usable"
        yield f"gpu {ordinal}", f"{gpu['name']}, compute capability {capability}, {usable}"
    packages = report["packages"]
    yield "packages", ", ".join(f"{name} {packages[name] or '-'}" for name in packages)


def to_lines(report: dict[str, Any]) -> list[str]:
    """Return the whole report."""
    lines = [f"{name:<12} {text}" for name, text in to_rows(report)]
    lines += [f"note: {text}" for text in report["notes"]]
    lines += [f"ERROR: {text}" for text in report["errors"]]
    lines.append(verdict(report))
    return lines


def verdict(report: dict[str, Any]) -> str:
    """Say the result in one sentence."""
    if report["errors"]:
        return f"{len(report['errors'])} of the above must be mended."
    usable = sum(gpu["usable"] for gpu in report["gpus"])
    return f"libmarlin works here: on the CPU{f' and on {usable} GPU(s)' if usable else ''}."
