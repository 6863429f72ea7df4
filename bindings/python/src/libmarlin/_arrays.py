"""Arrays of any library: where they lie, their type, shape and strides; and new ones of the same kind."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from . import _native
from ._enums import Type
from ._errors import invalid, member

_INT, _UINT, _FLOAT, _BFLOAT = 0x000, 0x100, 0x200, 0x400
INT8, UINT8, INT32, UINT32 = _INT | 8, _UINT | 8, _INT | 32, _UINT | 32
_KIND_NAMES = {0: "int", 1: "uint", 2: "float", 3: "handle", 4: "bfloat", 5: "complex", 6: "bool"}
_FLOATS = {_FLOAT | 16: Type.F16, _BFLOAT | 16: Type.BF16, _FLOAT | 32: Type.F32}
_BITS = {Type.F16: 16, Type.BF16: 16, Type.F32: 32}
_CUDA, _CUDA_HOST, _CPU, _CUDA_MANAGED = 2, 3, 1, 13
_TYPESTR_CODES = {"i": _INT, "u": _UINT, "f": _FLOAT, "b": 0x600}


class Array(NamedTuple):
    """An array as numbers, in the order of native.describe_buffer."""

    address: int
    kind: int  # 256 * DLPack type code + bits
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in elements
    device_type: int  # DLPack's number
    device_id: int  # -1: not known
    read_only: int
    owner: object  # keeps the memory alive

    @property
    def kind_name(self) -> str:
        """The element type as NumPy and PyTorch call it."""
        return f"{_KIND_NAMES.get(self.kind >> 8, 'type')}{self.kind & 255}"

    @property
    def is_contiguous(self) -> bool:
        """Whether elements lie row-major without gaps."""
        expected = 1
        for length, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if length != 1 and stride != expected:
                return 0 in self.shape
            expected *= length
        return True

    @property
    def size(self) -> int:
        """Number of bytes of all elements."""
        count = (self.kind & 255) // 8
        for length in self.shape:
            count *= length
        return count


def describe(value: Any, name: str, stream: int | None = None) -> Array:
    """Read where value lies, without copying; stream is the CUDA stream that will use it, None on the CPU."""
    described = _native.describe_buffer(value)
    if described is not None:
        return Array._make(described)
    export = getattr(value, "__dlpack__", None)
    if export is not None:
        keywords = {}
        if stream is not None and value.__dlpack_device__()[0] == _CUDA:
            keywords["stream"] = stream or 1  # DLPack's number of the legacy default stream
        try:
            capsule = export(max_version=(1, 0), **keywords)
        except TypeError:  # a producer from before DLPack 1.0
            capsule = export(**keywords)
        return Array._make(_native.describe_dlpack(capsule))
    interface = getattr(value, "__cuda_array_interface__", None)
    if interface is not None:
        return _cuda_array(value, interface, name)
    raise TypeError(
        f"{name} is of type {type(value).__name__}, expected an array: the buffer protocol, DLPack or "
        "__cuda_array_interface__"
    )


def _cuda_array(value: Any, interface: dict[str, Any], name: str) -> Array:
    typestr = interface["typestr"]
    code, width = _TYPESTR_CODES.get(typestr[1:2]), typestr[2:]
    if code is None or typestr[0] == ">" or not width.isdecimal():
        raise TypeError(f"{name} has elements of type {typestr!r}, expected one number of the machine's byte order")
    itemsize = int(width)
    shape = tuple(interface["shape"])
    strides = interface.get("strides")
    if strides is None:
        compact, step = [], itemsize
        for length in reversed(shape):
            compact.append(step)
            step *= length
        strides = tuple(reversed(compact))
    if any(stride % itemsize for stride in strides):
        raise TypeError(f"{name} has strides {tuple(strides)} bytes, expected multiples of the element size {itemsize}")
    address, read_only = interface["data"]
    in_elements = tuple(stride // itemsize for stride in strides)
    return Array(address or 0, code | 8 * itemsize, shape, in_elements, _CUDA, -1, int(read_only), value)


def check_place(array: Array, name: str, on_cuda: bool, device_id: int) -> None:
    """Refuse an array that does not lie in the memory of the handle's device."""
    kind = array.device_type
    if on_cuda:
        if kind not in (_CUDA, _CUDA_MANAGED):
            raise invalid(f"{name} lies in host memory, expected memory of CUDA device {device_id}: the handle's")
        if kind == _CUDA and array.device_id not in (-1, device_id):
            raise invalid(f"{name} lies on CUDA device {array.device_id}, expected {device_id}: the handle's")
    elif kind not in (_CPU, _CUDA_HOST, _CUDA_MANAGED):
        where = "a CUDA device" if kind == _CUDA else f"a device of DLPack type {kind}"
        raise invalid(f"{name} lies on {where}, expected host memory: the handle is of the CPU")


def on_host(array: Array) -> bool:
    """Whether the CPU reads the array."""
    return array.device_type in (_CPU, _CUDA_HOST)


def float_type(array: Array, dtype: Type | str | None, name: str, of_integers: Type | None = None) -> Type:
    """Return the type F16, BF16 or F32 of an array's elements.

    dtype says it where the array cannot (BF16 in a uint16 array); of_integers is meant by 16-bit integers without it.
    """
    known = _FLOATS.get(array.kind)
    if dtype is None:
        if known is not None:
            return known
        if of_integers is not None and array.kind in (_UINT | 16, _INT | 16) and _BITS[of_integers] == 16:
            return of_integers
        hint = '; BF16 in 16-bit integers is said by dtype="bf16"' if array.kind & 255 == 16 else ""
        raise TypeError(f"{name} has elements of type {array.kind_name}, expected float16, bfloat16 or float32{hint}")
    wanted = member(Type, dtype, f"dtype of {name}")
    if wanted not in _BITS:
        raise invalid(f"dtype of {name} is {wanted.name.lower()}, expected f16, bf16 or f32")
    if known is wanted or (known is None and array.kind in (_UINT | _BITS[wanted], _INT | _BITS[wanted])):
        return wanted
    raise TypeError(f"{name} has elements of type {array.kind_name}, expected {wanted.name.lower()} as its dtype says")


def rows(array: Array, columns: int, name: str) -> tuple[int, int]:
    """Read an array of shape (..., columns) as a matrix; return its number of rows and the elements between them."""
    shape, strides = array.shape, array.strides
    if not shape or shape[-1] != columns:
        raise invalid(f"{name} has shape {shape}, expected (..., {columns})")
    if 0 in shape[:-1]:
        return 0, columns
    if strides[-1] != 1 and columns > 1:
        raise invalid(f"{name} has stride {strides[-1]} along its last axis, expected 1: make it contiguous")
    count, leading = 1, None  # rows so far, elements between them
    for length, stride in zip(shape[-2::-1], strides[-2::-1], strict=True):
        if length == 1:
            continue
        if leading is None:
            leading = stride
        elif stride != leading * count:
            raise invalid(f"{name} has strides {strides}, expected rows at one distance: make it contiguous")
        count *= length
    if leading is None:
        return 1, columns
    if leading < columns:
        raise invalid(f"{name} has {leading} elements between rows, expected at least {columns}: make it contiguous")
    return count, leading


def new_like(like: Any, kind: Type, shape: tuple[int, ...], on_cuda: bool) -> Any:
    """Make an array of the same library as like (NumPy, PyTorch, CuPy; not initialised), else a memoryview.

    The library is not imported: like is of it, so it is there. BF16 is bfloat16 in PyTorch and uint16 elsewhere.
    """
    library = type(like).__module__.partition(".")[0]
    if library == "torch":
        torch = sys.modules["torch"]
        name = {Type.F16: "float16", Type.BF16: "bfloat16", Type.F32: "float32"}[kind]
        return torch.empty(shape, dtype=getattr(torch, name), device=like.device)
    if library == "numpy":
        return sys.modules["numpy"].empty(shape, _NUMPY_NAMES[kind])
    if library == "cupy":
        with like.device:
            return sys.modules["cupy"].empty(shape, _NUMPY_NAMES[kind])
    if on_cuda:
        raise invalid(f"out is None, expected an array: there is no way to make one like {type(like).__name__}")
    return new_buffer(kind, shape)


_NUMPY_NAMES = {Type.F16: "float16", Type.BF16: "uint16", Type.F32: "float32"}
# Letters of the struct module that memoryview.cast of CPython 3.11 knows: 16-bit floats stand as their bits.
_FORMATS = {Type.F16: "H", Type.BF16: "H", Type.F32: "f", Type.S4: "b", Type.U4: "B"}


def new_buffer(kind: Type, shape: tuple[int, ...]) -> memoryview:
    """Make a memoryview of zeros, where F16 and BF16 are uint16."""
    count = 1
    for length in shape:
        count *= length
    flat: Any = memoryview(bytearray(count * _BITS.get(kind, 8) // 8))
    element = _FORMATS[kind]
    shaped: memoryview = flat.cast(element, shape) if count else flat.cast(element)
    return shaped
