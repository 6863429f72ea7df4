"""The handle: a device with its threads, stream, workspace and options."""

from __future__ import annotations

import os
import threading
import weakref
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from . import _arrays, native
from ._enums import CpuIsa, Device, Math, Status
from ._errors import Error, invalid, member
from ._multiply import gemm, query, sp_gemm
from ._pack import pack, pack_size
from ._unpack import unpack

_open_handles: weakref.WeakSet[Handle] = weakref.WeakSet()


@dataclass(frozen=True)
class HandleInfo:
    """What a handle really is."""

    device: Device
    device_id: int
    compute_capability: int
    """90 for sm_90; 0 on the CPU."""
    sm_count: int
    num_threads: int
    """Threads that a call may use, the caller among them; 0 on CUDA."""
    workspace_size: int
    """Bytes."""
    name: str
    """Name of the GPU, or the CPU instruction set in use."""


class Handle:
    """A device to pack and multiply on.

    device is "cpu", "cuda" or None (CUDA where there is an NVIDIA GPU, else the CPU); device_id a CUDA ordinal;
    num_threads the CPU threads that a call may use, its caller among them (0: one for each core of this process);
    stream a CUDA stream as its address (0 or None: the legacy default stream); workspace scratch memory of the handle's
    device, 256-byte aligned, as an array of any type (None: the library's own).

    Use it in a with statement, or call close(). Several Python threads may share a handle: their calls wait for each
    other. Handles of their own run at the same time (the GIL is released). A forked child makes new handles.

    Raises Error: INVALID_ARGUMENT, NOT_SUPPORTED (no such device), OUT_OF_MEMORY, DEVICE_ERROR.
    """

    def __init__(
        self,
        device: Device | str | None = None,
        device_id: int = 0,
        num_threads: int = 0,
        stream: int | None = None,
        workspace: Any = None,
    ) -> None:
        self._address = 0
        self._lock = threading.RLock()
        self._stream: int | None = None  # of arrays that a multiply uses; None on the CPU
        self._workspace: _arrays.Array | None = None  # kept alive while the library uses it
        desc = native.marlin_handle_desc()
        desc.device = Device.DEFAULT if device is None else member(Device, device, "device")
        desc.device_id = device_id
        desc.num_threads = num_threads
        desc.stream = int(stream or 0)
        if workspace is not None:
            self._workspace = _workspace(workspace)
            desc.workspace = self._workspace.address
            desc.workspace_size = self._workspace.size
        status, self._address = native.marlin_handle_create(desc)
        if status:
            raise Error(status, native.last_error(0))
        self._gemm_desc = native.marlin_gemm_desc()  # reused by every multiply, under the lock,
        self._gemm_call: tuple[int, ...] = ()  # and what its fields hold
        _open_handles.add(self)
        info = self.info
        self._on_cuda = info.device is Device.CUDA
        if self._on_cuda:
            self._stream = int(stream or 0)
        self._device_id = info.device_id

    def close(self) -> None:
        """Wait for the handle's work and free it; closing twice is fine, using it afterwards is an Error."""
        with self._lock:
            address, self._address = self._address, 0
            if address:
                native.marlin_handle_destroy(address)
            self._workspace = None

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_address", 0):
            self.close()

    def __repr__(self) -> str:
        if not self._address:
            return "<libmarlin.Handle closed>"
        info = self.info
        return f"<libmarlin.Handle {info.device.name.lower()} {info.name} threads={info.num_threads}>"

    def _check(self, status: int) -> None:
        """Raise what the library says about a failed call; the caller holds the lock."""
        if status:
            raise Error(status, native.last_error(self._address))

    def _need_open(self) -> None:
        if not self._address:
            raise invalid("handle is closed, expected an open one")

    @property
    def info(self) -> HandleInfo:
        """The device that was chosen, and how it is used."""
        got = native.marlin_handle_info()
        with self._lock:
            self._need_open()
            self._check(native.marlin_handle_get_info(self._address, got))
        return HandleInfo(
            Device(got.device), got.device_id, got.compute_capability, got.sm_count, got.num_threads,
            got.workspace_size, got.name,
        )  # fmt: skip

    @property
    def last_error(self) -> str:
        """The text of the last failed call, empty when none failed yet."""
        with self._lock:
            self._need_open()
            return native.last_error(self._address)

    def _get(self, option: int) -> int:
        with self._lock:
            self._need_open()
            status, value = native.marlin_handle_get_option(self._address, option)
            self._check(status)
        return value

    def _set(self, option: int, value: int) -> None:
        with self._lock:
            self._need_open()
            self._check(native.marlin_handle_set_option(self._address, option, value))

    @property
    def math(self) -> Math:
        """What a result's bits may depend on; set as a member or its name."""
        return Math(self._get(native.MARLIN_OPTION_MATH))

    @math.setter
    def math(self, value: Math | str | int) -> None:
        self._set(native.MARLIN_OPTION_MATH, _number(Math, value, "math"))

    @property
    def sm_count(self) -> int:
        """CUDA: use at most so many SMs, 0: all."""
        return self._get(native.MARLIN_OPTION_SM_COUNT)

    @sm_count.setter
    def sm_count(self, value: int) -> None:
        self._set(native.MARLIN_OPTION_SM_COUNT, value)

    @property
    def num_threads(self) -> int:
        """CPU: threads that a call may use, its caller among them; 0: one for each core of this process."""
        return self._get(native.MARLIN_OPTION_NUM_THREADS)

    @num_threads.setter
    def num_threads(self, value: int) -> None:
        self._set(native.MARLIN_OPTION_NUM_THREADS, value)

    @property
    def cpu_isa(self) -> CpuIsa:
        """CPU: the highest instruction set to use; set as a member or its name ("avx2")."""
        return CpuIsa(self._get(native.MARLIN_OPTION_CPU_ISA))

    @cpu_isa.setter
    def cpu_isa(self, value: CpuIsa | str | int) -> None:
        self._set(native.MARLIN_OPTION_CPU_ISA, _number(CpuIsa, value, "cpu_isa"))

    @property
    def kernel(self) -> int:
        """Number of the kernel to force (GemmInfo.kernel_number), 0: choose."""
        return self._get(native.MARLIN_OPTION_KERNEL)

    @kernel.setter
    def kernel(self, value: int) -> None:
        self._set(native.MARLIN_OPTION_KERNEL, value)

    @property
    def dependent_launch(self) -> bool:
        """CUDA: prefetch weights while the previous kernel of the stream ends."""
        return bool(self._get(native.MARLIN_OPTION_DEPENDENT_LAUNCH))

    @dependent_launch.setter
    def dependent_launch(self, value: bool) -> None:
        self._set(native.MARLIN_OPTION_DEPENDENT_LAUNCH, int(value))

    @property
    def stream(self) -> int:
        """CUDA: address of the stream that calls are enqueued on; set to 0 or None for the legacy default stream."""
        with self._lock:
            self._need_open()
            status, value = native.marlin_handle_get_stream(self._address)
            self._check(status)
        return value

    @stream.setter
    def stream(self, value: int | None) -> None:
        with self._lock:
            self._need_open()
            self._check(native.marlin_handle_set_stream(self._address, int(value or 0)))
            if self._on_cuda:
                self._stream = int(value or 0)

    def set_workspace(self, workspace: Any) -> None:
        """Use other scratch memory: an array of the handle's device, 256-byte aligned; None: the library's own."""
        array = None if workspace is None else _workspace(workspace)
        if array is not None:
            _arrays.check_place(array, "workspace", self._on_cuda, self._device_id)
        with self._lock:
            self._need_open()
            address, size = (0, 0) if array is None else (array.address, array.size)
            self._check(native.marlin_handle_set_workspace(self._address, address, size))
            self._workspace = array

    pack = pack
    pack_size = pack_size
    unpack = unpack
    gemm = gemm
    sp_gemm = sp_gemm
    query = query


def _number(enum: type[IntEnum], value: IntEnum | str | int, name: str) -> int:
    """Return the number of a name; what a number may be is for the library to say."""
    return member(enum, value, name) if isinstance(value, str) else int(value)


def _workspace(value: Any) -> _arrays.Array:
    array = _arrays.describe(value, "workspace")
    if array.read_only or not array.is_contiguous:
        raise Error(Status.INVALID_ARGUMENT, "workspace is read-only or has gaps, expected writable contiguous memory")
    return array


def _forget_locks() -> None:
    """In a forked child another thread's lock would never open; the library itself refuses the handle there."""
    for handle in list(_open_handles):
        handle._lock = threading.RLock()


os.register_at_fork(after_in_child=_forget_locks)
