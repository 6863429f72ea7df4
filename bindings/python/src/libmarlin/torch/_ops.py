"""The operators torch.ops.libmarlin.gemm, sp_gemm and unpack: schemas, fake kernels, and kernels of CPU and CUDA."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch

from .. import _native, native
from .._enums import Type
from .._errors import invalid
from . import _handles
from ._attached import Attached, as_weights, attached, attached_at, expired
from ._handles import handle_of

_TYPES = {torch.float16: int(Type.F16), torch.bfloat16: int(Type.BF16), torch.float32: int(Type.F32)}

_library = torch.library.Library("libmarlin", "DEF")
MULTIPLY_SCHEMA = "(Tensor a, Tensor weights, SymInt n, Tensor? bias=None, ScalarType? out_dtype=None) -> Tensor"
_library.define("gemm" + MULTIPLY_SCHEMA)
_library.define("sp_gemm" + MULTIPLY_SCHEMA)
_library.define("unpack(Tensor weights, SymInt k, SymInt n, ScalarType dtype) -> Tensor")


def _multiply(
    function: Callable[..., int],
    a: torch.Tensor,
    weights: torch.Tensor,
    n: int,
    bias: torch.Tensor | None = None,
    out_dtype: torch.dtype | None = None,
) -> torch.Tensor:
    # Called some 500 times for a token of a large model: no tensor is looked at twice, no object made without need.
    device_index = weights.get_device()
    if a.get_device() != device_index:
        raise invalid(f"a lies on {a.device}, expected {weights.device}: where the weights lie")
    held = attached(weights)
    handle = handle_of(device_index)
    k = held.k
    *rows, last_size = a.shape or (0,)
    if last_size != k:
        raise invalid(f"a has shape {tuple(a.shape)}, expected (..., {k})")
    if n != held.n:
        raise invalid(f"n is {n}, expected {held.n}: that of the weights")
    m, lda = a.numel() // k, k
    if not a.is_contiguous():
        if len(rows) == 1 and a.stride(1) == 1 and a.stride(0) >= k:
            lda = a.stride(0)
        else:
            a = a.contiguous()
    dtype = a.dtype
    # Sizes one by one: PyTorch reads them in two thirds of the time that a tuple takes.
    if out_dtype is None:
        out = a.new_empty(*rows, n)
        out_dtype = dtype
    else:
        out = a.new_empty(*rows, n, dtype=out_dtype)
    call: tuple[object, ...]
    if bias is None:
        call = (dtype, out_dtype, m, lda)
    else:
        call = (dtype, out_dtype, m, lda, bias.data_ptr(), bias.dtype, bias.shape, bias.stride(), bias.get_device())
    last, desc = held.last[0]
    if last != call:
        desc = _describe(held, a, out_dtype, m, lda, bias)
        held.last[0] = (call, desc)
    with handle._lock:
        status = function(handle._address, desc, a.data_ptr(), held.native, out.data_ptr())
        if status:
            handle._check(status)
    return out


def _describe(
    held: Attached, a: torch.Tensor, out_dtype: torch.dtype, m: int, lda: int, bias: torch.Tensor | None
) -> native.marlin_gemm_desc:
    desc = native.marlin_gemm_desc()
    desc.a_type = _type_of(a.dtype, "a")
    desc.c_type = _type_of(out_dtype, "out")
    desc.m, desc.lda = m, lda
    if bias is not None:
        if bias.shape != (held.n,) or not bias.is_contiguous():
            raise invalid(
                f"bias has shape {tuple(bias.shape)} and strides {bias.stride()}, expected ({held.n},) without gaps"
            )
        if bias.device != a.device:
            raise invalid(f"bias lies on {bias.device}, expected {a.device}: where the weights lie")
        desc.bias, desc.bias_type = bias.data_ptr(), _type_of(bias.dtype, "bias")
    return desc


def _type_of(dtype: torch.dtype, name: str) -> int:
    if dtype not in _TYPES:
        raise TypeError(
            f"{name} has elements of type {str(dtype).removeprefix('torch.')}, expected float16, bfloat16 or float32"
        )
    return _TYPES[dtype]


def _unpack(weights: torch.Tensor, k: int, n: int, dtype: torch.dtype) -> torch.Tensor:
    handle = handle_of(weights.get_device())
    whole = as_weights(weights, handle)
    if whole.shape != (k, n):
        raise invalid(f"k and n are {(k, n)}, expected {whole.shape}: those of the weights")
    _type_of(dtype, "out")
    out = torch.empty((n, k), dtype=dtype, device=weights.device)
    handle.unpack(whole, out, order="nxk")
    return out


python_kernels: dict[str, Callable[..., torch.Tensor]] = {
    "gemm": partial(_multiply, _native.marlin_gemm),
    "sp_gemm": partial(_multiply, _native.marlin_sp_gemm),
}
used_kernels = python_kernels
if _native.torch_prepare(
    torch.Tensor, torch.nn.Parameter, attached_at, _handles._handles, expired, torch.get_num_threads,
    _handles._current_stream,
):  # fmt: skip
    # A usual call never leaves C; what is not usual, or wrong, goes to the Python kernel.
    used_kernels = {name: _native.torch_kernel(kernel, name == "sp_gemm") for name, kernel in python_kernels.items()}

for _key in ("CPU", "CUDA"):
    for _name, _kernel in used_kernels.items():
        _library.impl(_name, _kernel, _key)
    _library.impl("unpack", _unpack, _key)


def kernels() -> Literal["native", "python"]:
    """Say what the multiplies run in: native code needs a PyTorch that describes tensors to C, 2.10 or newer.

    Both give the same results and errors; Python takes longer to begin.
    """
    return "python" if used_kernels is python_kernels else "native"


@torch.library.register_fake("libmarlin::gemm", lib=_library)
@torch.library.register_fake("libmarlin::sp_gemm", lib=_library)
def _multiply_fake(
    a: torch.Tensor,
    weights: torch.Tensor,
    n: int,
    bias: torch.Tensor | None = None,
    out_dtype: torch.dtype | None = None,
) -> torch.Tensor:
    return a.new_empty((*a.shape[:-1], n), dtype=a.dtype if out_dtype is None else out_dtype)


@torch.library.register_fake("libmarlin::unpack", lib=_library)
def _unpack_fake(weights: torch.Tensor, k: int, n: int, dtype: torch.dtype) -> torch.Tensor:
    return weights.new_empty((n, k), dtype=dtype)


gemm = torch.ops.libmarlin.gemm.default
"""gemm(a, weights, n, bias=None, out_dtype=None): a (..., k) times packed dense weights, plus bias (n,)."""
sp_gemm = torch.ops.libmarlin.sp_gemm.default
"""The same with packed 2:4 sparse weights."""
unpack = torch.ops.libmarlin.unpack.default
"""unpack(weights, k, n, dtype): the values of packed weights as a matrix (n, k), as nn.Linear has it."""
