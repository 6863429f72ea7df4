"""One handle for the CPU, and one for each CUDA stream that PyTorch makes current."""

from __future__ import annotations

import atexit
import os
import threading

import torch

from .._enums import Status
from .._errors import Error
from .._handle import Handle

# By the device's index and its current stream, or by -1 and the number of threads that the CPU's handle was told.
_handles: dict[tuple[int, int], Handle] = {}
_making = threading.Lock()


def handle_of(device_index: int) -> Handle:
    """Return the handle of PyTorch's current stream on a CUDA device, or with -1 that of the CPU."""
    which = torch.get_num_threads() if device_index < 0 else _current_stream(device_index)
    key = (device_index, which)
    return _handles.get(key) or _make(key)


def _public_current_stream(device_index: int) -> int:
    stream: int = torch.cuda.current_stream(device_index).cuda_stream
    return stream


# What compiled graphs use: an integer straight from the C++ side, where the public way makes an object each time.
_current_stream = getattr(torch._C, "_cuda_getCurrentRawStream", _public_current_stream)


def refuse_capture(device_index: int, what: str) -> None:
    """Raise where the current stream is being captured: what must exist before cannot be made then."""
    if device_index >= 0 and torch.cuda.is_current_stream_capturing():
        raise Error(
            Status.INVALID_ARGUMENT,
            f"the current stream of cuda:{device_index} is being captured, expected {what} before: run the model once "
            "on the stream of the capture (torch.cuda.graph(graph, stream=stream)), then capture",
        )


def _make(key: tuple[int, int]) -> Handle:
    device_index, which = key
    with _making:
        if key in _handles:
            return _handles[key]
        if device_index < 0:
            return _make_cpu(which)
        refuse_capture(device_index, "a call of libmarlin on it")
        handle = Handle("cuda", device_index, stream=which)
        _prepare_capture(device_index)
        _handles[key] = handle
        return handle


def _make_cpu(threads: int) -> Handle:
    """Tell the CPU's one handle another number of threads, or make it."""
    before = next((key for key in _handles if key[0] < 0), None)
    handle = Handle("cpu") if before is None else _handles[before]
    handle.num_threads = threads
    _handles[-1, threads] = handle
    if before is not None:
        del _handles[before]
    return handle


def _prepare_capture(device_index: int) -> None:
    """Make the handle of the stream that torch.cuda.graph captures on unless told otherwise.

    Making a handle allocates, which a capture forbids; and that stream is made current by the capture itself.
    """
    capture = torch.cuda.graph
    if not hasattr(capture, "default_capture_stream"):
        return
    if capture.default_capture_stream is None:
        with torch.cuda.device(device_index):
            capture.default_capture_stream = torch.cuda.Stream()
    stream = capture.default_capture_stream
    key = (device_index, stream.cuda_stream)
    if stream.device.index == device_index and key not in _handles:
        _handles[key] = Handle("cuda", device_index, stream=stream.cuda_stream)


def _forget() -> None:
    """In a forked child: the library refuses the parent's handles there."""
    global _making
    _making = threading.Lock()
    _handles.clear()


os.register_at_fork(after_in_child=_forget)
atexit.register(_handles.clear)  # while the CUDA driver is still there
