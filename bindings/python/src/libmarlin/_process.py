"""What belongs to the whole process: version, build, log."""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable
from typing import Any

from . import native
from ._enums import LogLevel
from ._errors import member


def version() -> str:
    """Return the version of the loaded library, such as "0.1.0"."""
    number = native.marlin_version()
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


def build_info() -> dict[str, Any]:
    """Return what the library says about its build: version, commit, cuda, architectures, cpu_kernels."""
    info: dict[str, Any] = json.loads(native.marlin_build_info())
    return info


def set_log(receiver: Callable[[LogLevel, str], object] | None, level: LogLevel | str | int = LogLevel.WARNING) -> None:
    """Set the receiver of the process's log, and how much it receives.

    receiver(level, message) is called by the thread that made the call, perhaps by several at once; it must not use the
    same handle, and what it raises is printed and dropped. None: standard error.

    Raises Error (INVALID_ARGUMENT) for an unknown level and TypeError for a receiver that cannot be called.
    """
    wanted = member(LogLevel, level, "level")
    if receiver is None:
        native.set_log(None, wanted)
        return
    if not callable(receiver):
        raise TypeError(f"receiver is {receiver!r}, expected a callable or None")
    native.set_log(lambda number, message: receiver(LogLevel(number), message), wanted)


# A worker of another language may outlive the interpreter: it must find no Python receiver then.
atexit.register(native.set_log, None, LogLevel.OFF)
