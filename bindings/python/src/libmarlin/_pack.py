"""Packing: arrays of weights, scales and zero points become a description for the library and packed bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import native
from ._arrays import INT8, INT32, UINT8, UINT32, Array, check_place, describe, float_type, on_host
from ._enums import Layout, Order, ScaleMethod, Source, Sparsity, Type
from ._errors import invalid, member
from ._weights import PER_COLUMN, Weights, allocate, packed_array

if TYPE_CHECKING:
    from ._handle import Handle

_FLOAT32 = 0x200 | 32


def pack(
    handle: Handle,
    src: Any,
    *,
    source: Source | str = Source.PLAIN,
    order: Order | str = Order.KXN,
    dtype: Type | str | None = None,
    scales: Any = None,
    scales_dtype: Type | str | None = None,
    zeros: Any = None,
    zeros_dtype: Type | str | None = None,
    group_size: int = 128,
    type: Type | str | None = None,
    zero_type: Type | str | None = None,
    scale_type: Type | str | None = None,
    layout: Layout | str | None = None,
    scale_method: ScaleMethod | str = ScaleMethod.MIN_MAX,
    sparsity: Sparsity | str = Sparsity.DENSE,
    g_idx: Any = None,
    importance: Any = None,
    column_scales: Any = None,
    k: int | None = None,
    n: int | None = None,
    packed: Any = None,
) -> Weights:
    """Pack weights of k input and n output features, once, for any number of multiplies.

    Where the values come from; groups means ceil(k / group_size), or 1 with group_size PER_COLUMN:

    * source "plain", order "kxn": src (k, n), scales (groups, n), zeros (groups, n);
      order "nxk" (torch.nn.Linear, GGUF): src (n, k), scales (n, groups), zeros (n, groups). src holds values
      (float16, bfloat16, float32), rounded to codes here, or codes: int8 -8..7 (S4) or uint8 0..15 (U4), which need
      scales. Rows may be apart. zeros are integers 0..16 (uint8), w = (code - zero) * scale, or offsets (floats),
      w = code * scale + offset.
    * "gptq_v1", "gptq_v2": src (ceil(k/8), n), scales (groups, n), zeros (groups, ceil(n/8)), g_idx.
    * "awq": src (k, n/8), scales (groups, n), zeros (groups, n/8), required.
    * "compressed_tensors": src (n, ceil(k/8)), scales (n, groups), zeros (ceil(n/8), groups).
    * "marlin" (IST-DASLab's B and s, as its kernel reads them): src (k/16, 2n), scales (groups, n).

    Words are int32 or uint32 arrays of eight codes; there k and n say sizes that are no multiple of 8 (the length of
    g_idx says k). dtype, scales_dtype and zeros_dtype "bf16" mean uint16 arrays that hold BF16.

    What is stored: type S4 or U4, zero_type NONE, U8 or an offset type, scale_type F16 or BF16, layout; None is what
    the source holds (values: S4), F16, and what the handle's device reads best. scale_method is used when values are
    rounded. sparsity: "already_24" or "select_24" stores 2:4 weights. importance, k floats > 0, weighs rounding and
    selection. column_scales are n more float32 factors, kept with the weights. packed is memory for the result, at
    least pack_size bytes, 256-byte aligned, or a function that makes it from the number of bytes; None allocates it
    (CPU handles). Inputs may lie in host memory for any handle.

    Raises TypeError for element types, and Error: INVALID_ARGUMENT (shapes, non-finite values, codes out of range:
    named with their position), NOT_SUPPORTED, NOT_SPARSE, OUT_OF_MEMORY, DEVICE_ERROR.
    """
    desc = native.marlin_pack_desc()
    inputs = native.marlin_pack_input()
    arrays: list[tuple[str, Array]] = []  # every input, kept until the call is over

    def read(value: Any, name: str) -> Array:
        array = describe(value, name, handle._stream)
        arrays.append((name, array))
        return array

    desc.source = member(Source, source, "source")
    desc.src_order = member(Order, order, "order")
    desc.group_size = group_size
    desc.type = 0 if type is None else member(Type, type, "type")
    desc.zero_type = 0 if zero_type is None else member(Type, zero_type, "zero_type")
    desc.scale_type = 0 if scale_type is None else member(Type, scale_type, "scale_type")
    desc.layout = 0 if layout is None else member(Layout, layout, "layout")
    desc.scale_method = member(ScaleMethod, scale_method, "scale_method")
    desc.sparsity = member(Sparsity, sparsity, "sparsity")

    src_array = read(src, "src")
    index = None if g_idx is None else read(g_idx, "g_idx")
    if desc.source == Source.PLAIN:
        _plain(desc, src_array, dtype, k, n)
    else:
        if k is None and index is not None and len(index.shape) == 1 and desc.source != Source.AWQ:
            k = index.shape[0]
        _words(desc, src_array, dtype, k, n)
    inputs.src, inputs.src_size = src_array.address, _span(src_array)

    groups = 1 if group_size == PER_COLUMN else -(-desc.k // group_size) if group_size > 0 else 0
    by_column = desc.source == Source.COMPRESSED_TENSORS or desc.src_order == Order.NXK
    if scales is not None and groups:
        array = read(scales, "scales")
        desc.src_scale_type = float_type(array, scales_dtype, "scales")
        _expect_shape(array, "scales", (desc.n, groups) if by_column else (groups, desc.n))
        inputs.scales, inputs.scales_size = array.address, array.size
    elif scales is None and (desc.source != Source.PLAIN or desc.src_type in (Type.S4, Type.U4)):
        raise invalid("scales is None, expected an array: src holds codes")
    if zeros is not None and groups:
        array = read(zeros, "zeros")
        words = desc.n
        if desc.source == Source.PLAIN:
            is_integer = zeros_dtype is None and array.kind == UINT8
            desc.src_zero_type = Type.U8 if is_integer else float_type(array, zeros_dtype, "zeros")
        else:
            _expect_kind(array, "zeros", (INT32, UINT32), "int32 or uint32 words")
            words = -(-desc.n // 8)
        _expect_shape(array, "zeros", (words, groups) if by_column else (groups, words))
        inputs.zeros, inputs.zeros_size = array.address, array.size
    if index is not None:
        desc.flags |= native.MARLIN_PACK_ACT_ORDER
        _expect_kind(index, "g_idx", (INT32,), "int32")
        _expect_shape(index, "g_idx", (desc.k,))
        inputs.g_idx, inputs.g_idx_size = index.address, index.size
    if importance is not None:
        array = read(importance, "importance")
        _expect_kind(array, "importance", (_FLOAT32,), "float32")
        _expect_shape(array, "importance", (desc.k,))
        inputs.importance, inputs.importance_size = array.address, array.size
    if column_scales is not None:
        desc.flags |= native.MARLIN_PACK_COLUMN_SCALES
        array = read(column_scales, "column_scales")
        _expect_kind(array, "column_scales", (_FLOAT32,), "float32")
        _expect_shape(array, "column_scales", (desc.n,))
        inputs.column_scales, inputs.column_scales_size = array.address, array.size

    inputs.memory = int(handle._on_cuda and on_host(src_array))
    for name, array in arrays:
        check_place(array, name, handle._on_cuda and not inputs.memory, handle._device_id)
    return _run(handle, desc, inputs, packed)


def _run(handle: Handle, desc: native.marlin_pack_desc, inputs: native.marlin_pack_input, packed: Any) -> Weights:
    with handle._lock:
        handle._need_open()
        status, size = native.marlin_pack_size(handle._address, desc)
        handle._check(status)
        if packed is None:
            if handle._on_cuda:
                raise invalid(f"packed is None, expected {size} bytes of the handle's GPU memory")
            packed = allocate(size)
        elif callable(packed):
            packed = packed(size)
        memory = packed_array(packed, handle)
        if memory.read_only:
            raise invalid("packed is read-only, expected memory that can be written")
        weights = native.marlin_weights()
        handle._check(native.marlin_pack(handle._address, desc, inputs, memory.address, memory.size, weights))
    return Weights(weights, packed, memory)


def pack_size(
    handle: Handle,
    k: int,
    n: int,
    *,
    group_size: int = 128,
    type: Type | str = Type.S4,
    zero_type: Type | str | None = None,
    scale_type: Type | str = Type.F16,
    layout: Layout | str = Layout.DEFAULT,
    sparsity: Sparsity | str = Sparsity.DENSE,
    act_order: bool = False,
    column_scales: bool = False,
) -> int:
    """Return the bytes that pack needs for such weights; an upper bound with act_order.

    Raises Error: INVALID_ARGUMENT, NOT_SUPPORTED.
    """
    desc = native.marlin_pack_desc()
    desc.k, desc.n, desc.group_size = k, n, group_size
    desc.src_type = Type.F32
    desc.type = member(Type, type, "type")
    desc.zero_type = 0 if zero_type is None else member(Type, zero_type, "zero_type")
    desc.scale_type = member(Type, scale_type, "scale_type")
    desc.layout = member(Layout, layout, "layout")
    desc.sparsity = member(Sparsity, sparsity, "sparsity")
    desc.flags = act_order * native.MARLIN_PACK_ACT_ORDER + column_scales * native.MARLIN_PACK_COLUMN_SCALES
    with handle._lock:
        handle._need_open()
        status, size = native.marlin_pack_size(handle._address, desc)
        handle._check(status)
    return size


def _plain(desc: native.marlin_pack_desc, src: Array, dtype: Type | str | None, k: int | None, n: int | None) -> None:
    """Fill type, shape and row distance from a matrix of values or codes."""
    codes = {INT8: Type.S4, UINT8: Type.U4}.get(src.kind)
    wanted = None if dtype is None else member(Type, dtype, "dtype of src")
    if codes is not None and wanted in (None, codes):
        desc.src_type = codes
    elif wanted in (Type.S4, Type.U4):
        kind = "int8" if wanted is Type.S4 else "uint8"
        raise TypeError(f"src has elements of type {src.kind_name}, expected {kind} for {wanted.name} codes")
    else:
        desc.src_type = float_type(src, dtype, "src")
    if len(src.shape) != 2:
        raise invalid(f"src has shape {src.shape}, expected two axes")
    n_first = desc.src_order == Order.NXK
    desc.k, desc.n = src.shape[::-1] if n_first else src.shape
    for name, given, got in (("k", k, desc.k), ("n", n, desc.n)):
        if given not in (None, got):
            raise invalid(f"{name} is {given}, expected {got} as src has shape {src.shape}")
    columns = src.shape[1]
    if src.strides[1] != 1 and columns > 1:
        raise invalid(f"src has stride {src.strides[1]} along its last axis, expected 1: make it contiguous")
    if src.shape[0] > 1:
        if src.strides[0] < columns:
            raise invalid(f"src has {src.strides[0]} elements between rows, expected at least {columns}")
        desc.ld_src = src.strides[0]


def _words(desc: native.marlin_pack_desc, src: Array, dtype: Type | str | None, k: int | None, n: int | None) -> None:
    """Fill the shape from a matrix of words; k and n say what the words do not."""
    if dtype is not None:
        raise invalid(f"dtype is {dtype!r}, expected None: the source says what its words hold")
    _expect_kind(src, "src", (INT32, UINT32), "int32 or uint32 words")
    if len(src.shape) != 2:
        raise invalid(f"src has shape {src.shape}, expected two axes")
    rows, columns = src.shape
    if desc.source == Source.AWQ:
        desc.k, desc.n = rows if k is None else k, 8 * columns if n is None else n
        _expect_shape(src, "src", (desc.k, -(-desc.n // 8)))
    elif desc.source == Source.COMPRESSED_TENSORS:
        desc.k, desc.n = 8 * columns if k is None else k, rows if n is None else n
        _expect_shape(src, "src", (desc.n, -(-desc.k // 8)))
    elif desc.source == Source.MARLIN:
        desc.k, desc.n = 16 * rows if k is None else k, columns // 2 if n is None else n
        _expect_shape(src, "src", (desc.k // 16, 2 * desc.n))
    else:
        desc.k, desc.n = 8 * rows if k is None else k, columns if n is None else n
        _expect_shape(src, "src", (-(-desc.k // 8), desc.n))


def _span(array: Array) -> int:
    """Return the bytes from the first to the last element of a matrix whose last axis is contiguous."""
    rows, columns = array.shape
    if rows == 0 or columns == 0:
        return 0
    leading = array.strides[0] if rows > 1 else columns
    return ((rows - 1) * leading + columns) * (array.kind & 255) // 8


def _expect_kind(array: Array, name: str, kinds: tuple[int, ...], expected: str) -> None:
    if array.kind not in kinds:
        raise TypeError(f"{name} has elements of type {array.kind_name}, expected {expected}")


def _expect_shape(array: Array, name: str, shape: tuple[int, ...]) -> None:
    # One group a column: scales are often kept without the axis of length 1.
    if array.shape != shape and (1 not in shape or array.shape != tuple(x for x in shape if x != 1)):
        raise invalid(f"{name} has shape {array.shape}, expected {shape}")
    if not array.is_contiguous:
        raise invalid(f"{name} has strides {array.strides}, expected contiguous memory")
