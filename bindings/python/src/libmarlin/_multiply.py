"""The multiplies of a handle, and what they would run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _native, native
from ._arrays import check_place, describe, float_type, new_like, rows
from ._enums import Type
from ._errors import invalid, member
from ._weights import Weights

if TYPE_CHECKING:
    from ._handle import Handle


@dataclass(frozen=True)
class GemmInfo:
    """The kernel that a multiply gets."""

    kernel: str
    """Stable name, as in logs and benchmark results."""
    kernel_number: int
    """For Handle.kernel."""
    tile_m: int
    tile_n: int
    tile_k: int
    stages: int
    blocks: int
    workspace_size: int
    """Bytes that this multiply needs."""
    slow: bool
    """A fallback, see why."""
    why: str
    """One sentence when slow, else empty."""


def gemm(
    handle: Handle,
    a: Any,
    weights: Weights,
    out: Any = None,
    *,
    bias: Any = None,
    dtype: Type | str | None = None,
    out_dtype: Type | str | None = None,
    bias_dtype: Type | str | None = None,
) -> Any:
    """Multiply: out[..., n] = a[..., k] * W[k, n] + bias[n]; weights are dense.

    a has the shape (..., k) of float16, bfloat16 or (CPU) float32, its last axis contiguous and its rows at one
    distance; BF16 in a uint16 array is said by dtype="bf16". out has the shape (..., n) and may be of another of these
    types; None makes an array of the same library as a (NumPy, PyTorch, CuPy; for others on the CPU a memoryview,
    16-bit floats as their bits) of type out_dtype, by default a's. bias has the shape (n,). Products accumulate in
    FP32, with one rounding to out's type.

    On CUDA the work is enqueued on the handle's stream: keep a, weights and out until it is done.

    Returns out. Raises TypeError for what is no array or has another element type, and Error: INVALID_ARGUMENT (shapes,
    strides, place), NOT_SUPPORTED, WORKSPACE_TOO_SMALL, BAD_PACKED_DATA, DEVICE_ERROR.
    """
    return _multiply(_native.marlin_gemm, handle, a, weights, out, bias, dtype, out_dtype, bias_dtype)


def sp_gemm(
    handle: Handle,
    a: Any,
    weights: Weights,
    out: Any = None,
    *,
    bias: Any = None,
    dtype: Type | str | None = None,
    out_dtype: Type | str | None = None,
    bias_dtype: Type | str | None = None,
) -> Any:
    """Multiply as gemm does, by 2:4 sparse weights: pruned positions are skipped, not multiplied by zero."""
    return _multiply(_native.marlin_sp_gemm, handle, a, weights, out, bias, dtype, out_dtype, bias_dtype)


def _multiply(
    function: Callable[..., int],
    handle: Handle,
    a: Any,
    weights: Weights,
    out: Any,
    bias: Any,
    dtype: Type | str | None,
    out_dtype: Type | str | None,
    bias_dtype: Type | str | None,
) -> Any:
    if not isinstance(weights, Weights):
        raise TypeError(f"weights is of type {type(weights).__name__}, expected libmarlin.Weights")
    on_cuda, device_id, stream = handle._on_cuda, handle._device_id, handle._stream
    k, n = weights.k, weights.n
    a_array = describe(a, "a", stream)
    check_place(a_array, "a", on_cuda, device_id)
    a_type = float_type(a_array, dtype, "a")
    m, lda = rows(a_array, k, "a")
    shape = (*a_array.shape[:-1], n)
    if out is None:
        wanted = a_type if out_dtype is None else member(Type, out_dtype, "out_dtype")
        out = new_like(a, wanted, shape, on_cuda)
        out_dtype = wanted
        c_array = describe(out, "out", stream)
    else:
        c_array = describe(out, "out", stream)
        if c_array.shape != shape:
            raise invalid(f"out has shape {c_array.shape}, expected {shape}")
        if c_array.read_only:
            raise invalid("out is read-only, expected an array that can be written")
        check_place(c_array, "out", on_cuda, device_id)
    c_type = float_type(c_array, out_dtype, "out", of_integers=a_type)
    ldc = rows(c_array, n, "out")[1] if m else n  # an empty memoryview has no second axis

    bias_address = 0
    bias_type = Type.NONE
    if bias is not None:
        bias_array = describe(bias, "bias", stream)
        check_place(bias_array, "bias", on_cuda, device_id)
        bias_type = float_type(bias_array, bias_dtype, "bias", of_integers=c_type)
        if bias_array.shape != (n,) or not bias_array.is_contiguous:
            raise invalid(
                f"bias has shape {bias_array.shape} and strides {bias_array.strides}, expected ({n},) without gaps"
            )
        bias_address = bias_array.address

    call = (a_type, c_type, bias_type, m, lda, ldc, bias_address)
    with handle._lock:
        handle._need_open()
        desc = handle._gemm_desc
        if handle._gemm_call != call:  # filling seven fields takes longer than the rest of the way into the library
            desc.a_type, desc.c_type, desc.bias_type, desc.m, desc.lda, desc.ldc, desc.bias = call
            handle._gemm_call = call
        status = function(handle._address, desc, a_array.address, weights._native, c_array.address)
        if status:
            handle._check(status)
    return out


def query(
    handle: Handle,
    weights: Weights,
    m: int,
    *,
    dtype: Type | str = Type.F16,
    out_dtype: Type | str | None = None,
    lda: int = 0,
    ldc: int = 0,
) -> GemmInfo:
    """Say which kernel a multiply of m rows would run and what workspace it needs; nothing is launched.

    dtype and out_dtype (None: as dtype) are the types of a and out; lda and ldc the elements between their rows (0: k
    and n). Raises Error: those of the multiply.
    """
    if not isinstance(weights, Weights):
        raise TypeError(f"weights is of type {type(weights).__name__}, expected libmarlin.Weights")
    desc = native.marlin_gemm_desc()
    desc.a_type = member(Type, dtype, "dtype")
    desc.c_type = desc.a_type if out_dtype is None else member(Type, out_dtype, "out_dtype")
    desc.m, desc.lda, desc.ldc = m, lda, ldc
    got = native.marlin_gemm_info()
    with handle._lock:
        handle._need_open()
        handle._check(native.marlin_gemm_query(handle._address, desc, weights._native, got))
    return GemmInfo(
        got.kernel, got.kernel_number, got.tile_m, got.tile_n, got.tile_k, got.stages, got.blocks, got.workspace_size,
        bool(got.slow), got.why,
    )  # fmt: skip
