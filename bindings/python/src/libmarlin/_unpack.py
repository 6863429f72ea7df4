"""The way back from packed weights to values or codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import native
from ._arrays import INT8, UINT8, Array, check_place, describe, float_type, new_buffer, rows
from ._enums import Order, Type
from ._errors import invalid, member
from ._weights import Weights

if TYPE_CHECKING:
    from ._handle import Handle


def unpack(
    handle: Handle,
    weights: Weights,
    out: Any = None,
    *,
    dtype: Type | str | None = None,
    order: Order | str = Order.KXN,
    scales: Any = None,
    zeros: Any = None,
) -> Any:
    """Undo pack, for any layout: write the (k, n) weights (order "nxk": (n, k)) into out, and return it.

    dtype is F16, BF16 or F32 (the value, computed in FP32 and rounded once), or the stored S4 or U4 (one code a byte,
    int8 or uint8); None is what out holds, or F32. out None makes a memoryview of that shape (CPU handles;
    numpy.asarray reads it without a copy; F16 and BF16 are uint16 there). Rows of out may be apart. Pruned weights are
    0.

    scales and zeros are arrays of the shape (weights.groups, n) that receive the stored scales (weights.scale_type) and
    zero points or offsets (weights.zero_type); None: not wanted.

    Raises TypeError for element types, and Error: INVALID_ARGUMENT, NOT_SUPPORTED (codes of 2:4 weights where no code
    means 0), DEVICE_ERROR.
    """
    if not isinstance(weights, Weights):
        raise TypeError(f"weights is of type {type(weights).__name__}, expected libmarlin.Weights")
    desc = native.marlin_unpack_desc()
    desc.dst_order = member(Order, order, "order")
    shape = weights.shape if desc.dst_order == Order.KXN else weights.shape[::-1]
    if out is None:
        if handle._on_cuda:
            raise invalid("out is None, expected an array of the handle's GPU")
        wanted = Type.F32 if dtype is None else member(Type, dtype, "dtype")
        if wanted not in (Type.F16, Type.BF16, Type.F32, Type.S4, Type.U4):
            raise invalid(f"dtype is {wanted.name.lower()}, expected f16, bf16, f32, s4 or u4")
        out, dtype = new_buffer(wanted, shape), wanted
    array = _output(handle, out, "out", shape)
    desc.dst_type = _element(array, dtype)
    _, desc.ld_dst = rows(array, shape[1], "out")
    desc.dst = array.address
    desc.dst_size = ((shape[0] - 1) * desc.ld_dst + shape[1]) * (array.kind & 255) // 8
    groups = (weights.groups, weights.n)
    kept = [array]
    if scales is not None:
        scales_array = _output(handle, scales, "scales", groups, contiguous=True)
        _expect_stored(scales_array, weights.scale_type, "scales")
        desc.scales, desc.scales_size = scales_array.address, scales_array.size
        kept.append(scales_array)
    if zeros is not None:
        if weights.zero_type is Type.NONE:
            raise invalid("zeros is an array, expected None: the weights have no zero points")
        zeros_array = _output(handle, zeros, "zeros", groups, contiguous=True)
        _expect_stored(zeros_array, weights.zero_type, "zeros")
        desc.zeros, desc.zeros_size = zeros_array.address, zeros_array.size
        kept.append(zeros_array)
    with handle._lock:
        handle._need_open()
        handle._check(native.marlin_unpack(handle._address, weights._native, desc))
    return out


def _output(handle: Handle, value: Any, name: str, shape: tuple[int, ...], contiguous: bool = False) -> Array:
    array = describe(value, name, handle._stream)
    check_place(array, name, handle._on_cuda, handle._device_id)
    if array.shape != shape:
        raise invalid(f"{name} has shape {array.shape}, expected {shape}")
    if array.read_only:
        raise invalid(f"{name} is read-only, expected an array that can be written")
    if contiguous and not array.is_contiguous:
        raise invalid(f"{name} has strides {array.strides}, expected contiguous memory")
    return array


def _element(array: Array, dtype: Type | str | None) -> Type:
    """Return the type that out's elements are to hold."""
    codes = {INT8: Type.S4, UINT8: Type.U4}.get(array.kind)
    wanted = codes if dtype is None else member(Type, dtype, "dtype")
    if codes is not None and wanted is codes:
        return codes
    if wanted in (Type.S4, Type.U4):
        kind = "int8" if wanted is Type.S4 else "uint8"
        raise TypeError(f"out has elements of type {array.kind_name}, expected {kind} for {wanted.name} codes")
    return float_type(array, dtype, "out")


def _expect_stored(array: Array, stored: Type, name: str) -> None:
    if stored is Type.U8:
        if array.kind != UINT8:
            raise TypeError(f"{name} has elements of type {array.kind_name}, expected uint8 as the weights store them")
        return
    if float_type(array, None, name, of_integers=stored) is not stored:
        expected = stored.name.lower()
        raise TypeError(f"{name} has elements of type {array.kind_name}, expected {expected} as the weights store them")
