"""What works here and what does not, as a dictionary: the doctor's examination."""

from __future__ import annotations

import platform
import sys
from array import array
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import libmarlin

from ._driver import Driver, ask_driver

_PACKAGES = {
    "numpy": "arrays; bench and check: pip install 'libmarlin[cli]'",
    "typer": "the commands bench and check: pip install 'libmarlin[cli]'",
    "rich": "the commands bench and check: pip install 'libmarlin[cli]'",
    "torch": "libmarlin.torch, and bench and check on a GPU: pip install torch",
    "matplotlib": "bench --plot: pip install matplotlib",
}


def examine() -> dict[str, Any]:
    """Examine library, CPU, driver, GPUs and packages; "errors" and "notes" are sentences with what to do."""
    report: dict[str, Any] = {"errors": [], "notes": []}
    folder = Path(libmarlin.__file__).parent
    build = libmarlin.build_info()
    report["library"] = build | {"path": str(next(folder.glob("libmarlin.so*"), folder))}
    report["python"] = {"version": platform.python_version(), "executable": sys.executable, "package": str(folder)}
    report["cpu"] = _cpu(report)
    driver = ask_driver()
    report["driver"] = {"found": driver.found, "version": driver.version, "cuda": driver.cuda}
    report["gpus"] = [_gpu(report, ordinal, name, cc) for ordinal, (name, cc) in enumerate(driver.gpus)]
    _judge_driver(report, driver, bool(build["cuda"]))
    report["packages"] = {name: _installed(name) for name in _PACKAGES}
    for name, use in _PACKAGES.items():
        if report["packages"][name] is None:
            report["notes"].append(f"{name} is not installed, which is for {use}")
    return report


def _cpu(report: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {"name": _cpu_name()}
    try:
        with libmarlin.Handle("cpu") as handle:
            info = handle.info
            result |= {"isa": info.name, "threads": info.num_threads}
            result["kernels"] = _cpu_kernels(handle)
    except libmarlin.Error as error:
        result["error"] = str(error)
        report["errors"].append(f"the CPU cannot be used: {error}")
    return result


def _cpu_kernels(handle: libmarlin.Handle) -> list[str]:
    """Multiply one row of ones by weights of one with every instruction set that the machine has."""
    k, n = 128, 64
    weights = handle.pack(memoryview(bytearray(b"\x01" * (k * n))).cast("b", (k, n)), scales=_ones(1, n))
    kernels = []
    for isa in (member for member in libmarlin.CpuIsa if member is not libmarlin.CpuIsa.BEST):
        try:
            handle.cpu_isa = isa
        except libmarlin.Error:  # the machine lacks it
            continue
        result = handle.gemm(_ones(1, k), weights)
        if result.tolist() != [[float(k)] * n]:
            raise libmarlin.Error(
                libmarlin.Status.INTERNAL_ERROR,
                f"the {isa.name.lower()} kernel gave {result.tolist()[0][:4]}, expected {k}: please report it",
            )
        kernels.append(handle.query(weights, 1, dtype="f32").kernel)
    return kernels


def _ones(rows: int, columns: int) -> Any:
    return memoryview(array("f", [1.0] * (rows * columns))).cast("B").cast("f", (rows, columns))


def _gpu(report: dict[str, Any], ordinal: int, name: str, compute_capability: int) -> dict[str, Any]:
    result: dict[str, Any] = {"name": name, "compute_capability": compute_capability, "usable": False}
    if not libmarlin.build_info()["cuda"]:
        return result
    messages: list[str] = []
    libmarlin.set_log(lambda level, text: messages.append(text), "warning")
    try:
        with libmarlin.Handle("cuda", ordinal) as handle:
            result |= {"usable": True, "sm_count": handle.info.sm_count, "workspace_size": handle.info.workspace_size}
    except libmarlin.Error as error:
        report["errors"].append(f"GPU {ordinal} ({name}) cannot be used: {error}")
    finally:
        libmarlin.set_log(None, "off")
    report["notes"] += messages if result["usable"] else []
    return result


def _judge_driver(report: dict[str, Any], driver: Driver, built_with_cuda: bool) -> None:
    has_gpu = bool(driver.gpus) or Path("/dev/nvidiactl").exists() or bool(driver.version)
    if has_gpu and not built_with_cuda:
        report["notes"].append(
            "there is an NVIDIA GPU, but this libmarlin was built without CUDA: to use it, install a build with CUDA "
            "(pip install . --config-settings=cmake.define.MARLIN_CUDA=ON, with nvcc 13)"
        )
    elif has_gpu and not driver.found:
        report["errors"].append(
            f"there is an NVIDIA GPU, but its driver's library cannot be loaded: {driver.problem}; in a container, "
            "start it with its GPUs (--gpus all)"
        )
    elif driver.found and driver.problem:
        report["errors"].append(f"the NVIDIA driver does not work: {driver.problem}; nvidia-smi may say more")
    elif not has_gpu:
        report["notes"].append("no NVIDIA GPU was found: multiplies run on the CPU")


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
