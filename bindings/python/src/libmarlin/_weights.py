"""Packed weights: the bytes, what the library read in their header, and their way to a file and back."""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import native
from ._arrays import Array, check_place, describe
from ._enums import Device, Layout, Status, Type
from ._errors import Error, invalid

if TYPE_CHECKING:
    from ._handle import Handle

PER_COLUMN = native.MARLIN_GROUP_PER_COLUMN
"""The group size that means one scale for each column."""

_ALIGNMENT = 256


def allocate(size: int) -> mmap.mmap:
    """Return private zeroed memory, aligned to pages and backed by huge ones where the system gives them."""
    memory = mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


class Weights:
    """Packed weights of k input and n output features; made by Handle.pack, Weights.load or Weights.attach.

    They may be used by any number of handles of the same device at once, and never change. The object keeps the packed
    bytes alive.
    """

    def __init__(self, packed: native.marlin_weights, memory: object, array: Array) -> None:
        self._native = packed
        self._memory = memory
        self._array = array
        self.k: int = packed.k
        """Input features, as in the source."""
        self.n: int = packed.n
        """Output features."""
        self.group_size: int = packed.group_size
        """Consecutive packed rows that share a scale, or PER_COLUMN."""
        self.k_packed: int = packed.k_packed
        """Rows as stored, at least k."""
        self.layout = Layout(packed.layout)
        self.type = Type(packed.type)
        """S4 or U4."""
        self.scale_type = Type(packed.scale_type)
        """F16 or BF16."""
        self.zero_type = Type(packed.zero_type)
        """NONE (S4), U8 (integer zero points), or F16, BF16, F32 (offsets)."""
        self.device = Device(packed.device)
        self.device_id: int = packed.device_id
        self.sparse = bool(packed.flags & 1)
        """Whether the weights are 2:4 sparse: multiply them by sp_gemm."""
        self.size: int = packed.data_size
        """Number of packed bytes, header included."""

    @property
    def groups(self) -> int:
        """Groups of a column as stored: rows of the scales that Handle.unpack gives back."""
        return 1 if self.group_size == PER_COLUMN else self.k_packed // self.group_size

    @property
    def shape(self) -> tuple[int, int]:
        """(k, n)."""
        return self.k, self.n

    def __repr__(self) -> str:
        group = "column" if self.group_size == PER_COLUMN else self.group_size
        zero = "" if self.zero_type is Type.NONE else f" zeros={self.zero_type.name.lower()}"
        return (
            f"<libmarlin.Weights {self.type.name.lower()} k={self.k} n={self.n} group={group}{zero} "
            f"layout={self.layout.name.lower()} bytes={self.size}>"
        )

    @property
    def data(self) -> memoryview:
        """The packed bytes in host memory, read-only, without a copy. Raises Error (NOT_SUPPORTED) for a GPU's."""
        if self.device is not Device.CPU:
            raise Error(Status.NOT_SUPPORTED, "the weights lie on a CUDA device, expected host memory")
        return memoryview(self._memory).cast("B")[: self.size].toreadonly()  # type: ignore[arg-type]

    def tobytes(self) -> bytes:
        """Copy the packed bytes."""
        return self.data.tobytes()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the packed bytes to a file, which appears whole or not at all."""
        target = Path(path)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            try:
                file.write(self.data)
                file.flush()
                os.replace(file.name, target)
            except BaseException:
                os.unlink(file.name)
                raise

    @staticmethod
    def load(path: str | os.PathLike[str], handle: Handle) -> Weights:
        """Map a file that save wrote, check its checksums, and use it where it is.

        The file must stay as it is while the weights are in use. Raises Error: BAD_PACKED_DATA (damaged, cut off, or of
        an unknown layout), INVALID_ARGUMENT (a CUDA handle: copy the bytes to its GPU and use attach); OSError.
        """
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                raise Error(Status.BAD_PACKED_DATA, f"{os.fspath(path)} has 0 bytes, expected packed weights")
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return Weights.attach(mapped, handle)

    @staticmethod
    def attach(packed: Any, handle: Handle) -> Weights:
        """Use packed bytes where they lie: an array of any type in the handle's memory, 256-byte aligned.

        Raises Error: INVALID_ARGUMENT, BAD_PACKED_DATA, DEVICE_ERROR.
        """
        array = packed_array(packed, handle)
        weights = native.marlin_weights()
        with handle._lock:
            handle._need_open()
            handle._check(native.marlin_weights_attach(handle._address, array.address, array.size, weights))
        return Weights(weights, packed, array)


def packed_array(value: Any, handle: Handle) -> Array:
    """Describe memory for packed bytes and refuse what the library could not use."""
    array = describe(value, "packed", handle._stream)
    check_place(array, "packed", handle._on_cuda, handle._device_id)
    if not array.is_contiguous:
        raise invalid(f"packed has strides {array.strides}, expected contiguous memory")
    if array.address % _ALIGNMENT:
        raise invalid(f"packed is at address {array.address:#x}, expected a multiple of {_ALIGNMENT}")
    return array
