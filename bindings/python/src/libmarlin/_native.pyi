"""Stub of the compiled module: the functions of native, one Python call closer."""

from collections.abc import Callable
from typing import Any

from .native import marlin_gemm_desc, marlin_weights

def describe_buffer(object: Any) -> tuple[Any, ...] | None: ...
def describe_dlpack(capsule: object) -> tuple[Any, ...]: ...
def marlin_gemm(handle: int, desc: marlin_gemm_desc, a: int, b: marlin_weights, c: int) -> int: ...
def marlin_sp_gemm(handle: int, desc: marlin_gemm_desc, a: int, b: marlin_weights, c: int) -> int: ...
def torch_prepare(
    tensor: type,
    parameter: type,
    attached: dict[int, Any],
    handles: dict[tuple[int, int], Any],
    expired: Callable[[int], bool],
    num_threads: Callable[[], int],
    current_stream: Callable[[int], int],
) -> bool: ...
def torch_kernel(general: Callable[..., Any], sparse: bool) -> Callable[..., Any]: ...
