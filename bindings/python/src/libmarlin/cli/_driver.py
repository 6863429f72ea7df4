"""What the NVIDIA driver says, asked without libmarlin: for the case that libmarlin cannot use it."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from pathlib import Path

# Numbers of CUdevice_attribute in cuda.h of the CUDA toolkit.
_MAJOR, _MINOR = 75, 76


@dataclass
class Driver:
    """The driver and its GPUs."""

    found: bool = False
    cuda: str = ""
    """The newest CUDA that it runs, such as "13.0"."""
    version: str = ""
    """Its own, such as "580.65.06"; empty where the kernel module does not say."""
    problem: str = ""
    """Why it could not be asked further."""
    gpus: list[tuple[str, int]] = field(default_factory=list)
    """Name and compute capability (90) of each."""


def ask_driver() -> Driver:
    """Load the driver's library and ask it for its version and its GPUs; makes no CUDA context."""
    driver = Driver(version=_module_version())
    try:
        library = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        driver.problem = str(error)
        return driver
    driver.found = True
    number = ctypes.c_int()
    if library.cuDriverGetVersion(ctypes.byref(number)) == 0:
        driver.cuda = f"{number.value // 1000}.{number.value % 1000 // 10}"
    status = library.cuInit(0)
    if status != 0:
        name = ctypes.c_char_p()
        library.cuGetErrorName(status, ctypes.byref(name))
        driver.problem = f"cuInit failed: {(name.value or b'?').decode()} ({status})"
        return driver
    library.cuDeviceGetCount(ctypes.byref(number))
    for ordinal in range(number.value):
        device, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        text = ctypes.create_string_buffer(128)
        library.cuDeviceGet(ctypes.byref(device), ordinal)
        library.cuDeviceGetName(text, len(text), device)
        library.cuDeviceGetAttribute(ctypes.byref(major), _MAJOR, device)
        library.cuDeviceGetAttribute(ctypes.byref(minor), _MINOR, device)
        driver.gpus.append((text.value.decode(errors="replace"), 10 * major.value + minor.value))
    return driver


def _module_version() -> str:
    try:
        words = Path("/proc/driver/nvidia/version").read_text().split()
    except OSError:
        return ""
    return next((word for word in words if word[:1].isdigit() and "." in word), "")
