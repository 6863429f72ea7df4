"""Stub of the module that SWIG writes from marlin.h: addresses are integers, structs have the header's fields."""

from collections.abc import Callable
from typing import Any

MARLIN_SUCCESS: int
MARLIN_INVALID_ARGUMENT: int
MARLIN_NOT_SUPPORTED: int
MARLIN_OUT_OF_MEMORY: int
MARLIN_WORKSPACE_TOO_SMALL: int
MARLIN_BAD_PACKED_DATA: int
MARLIN_NOT_SPARSE: int
MARLIN_DEVICE_ERROR: int
MARLIN_INTERNAL_ERROR: int
MARLIN_DEVICE_DEFAULT: int
MARLIN_DEVICE_CUDA: int
MARLIN_DEVICE_CPU: int
MARLIN_OPTION_MATH: int
MARLIN_OPTION_SM_COUNT: int
MARLIN_OPTION_NUM_THREADS: int
MARLIN_OPTION_CPU_ISA: int
MARLIN_OPTION_KERNEL: int
MARLIN_OPTION_DEPENDENT_LAUNCH: int
MARLIN_MATH_DEFAULT: int
MARLIN_MATH_BATCH_INVARIANT: int
MARLIN_CPU_ISA_BEST: int
MARLIN_CPU_ISA_REFERENCE: int
MARLIN_CPU_ISA_AVX2: int
MARLIN_CPU_ISA_AVX512: int
MARLIN_CPU_ISA_AVX512_BF16: int
MARLIN_TYPE_NONE: int
MARLIN_TYPE_F16: int
MARLIN_TYPE_BF16: int
MARLIN_TYPE_F32: int
MARLIN_TYPE_S4: int
MARLIN_TYPE_U4: int
MARLIN_TYPE_S8: int
MARLIN_TYPE_F8E4M3: int
MARLIN_TYPE_S3: int
MARLIN_TYPE_U3: int
MARLIN_TYPE_U8: int
MARLIN_LAYOUT_DEFAULT: int
MARLIN_LAYOUT_DENSE: int
MARLIN_LAYOUT_SPARSE24_DRAFT: int
MARLIN_LAYOUT_CPU_DRAFT: int
MARLIN_LAYOUT_CPU_SPARSE24_DRAFT: int
MARLIN_GROUP_PER_COLUMN: int
MARLIN_SOURCE_PLAIN: int
MARLIN_SOURCE_GPTQ_V1: int
MARLIN_SOURCE_GPTQ_V2: int
MARLIN_SOURCE_AWQ: int
MARLIN_SOURCE_COMPRESSED_TENSORS: int
MARLIN_SOURCE_MARLIN: int
MARLIN_SOURCE_MARLIN_24: int
MARLIN_ORDER_KXN: int
MARLIN_ORDER_NXK: int
MARLIN_SCALE_MIN_MAX: int
MARLIN_SCALE_LEAST_SQUARES: int
MARLIN_SPARSITY_DENSE: int
MARLIN_SPARSITY_ALREADY_24: int
MARLIN_SPARSITY_SELECT_24: int
MARLIN_PACK_ACT_ORDER: int
MARLIN_PACK_COLUMN_SCALES: int
MARLIN_LOG_OFF: int
MARLIN_LOG_ERROR: int
MARLIN_LOG_WARNING: int
MARLIN_LOG_CALLS: int

class marlin_handle_desc:
    device: int
    device_id: int
    num_threads: int
    stream: int
    workspace: int
    workspace_size: int

class marlin_handle_info:
    device: int
    device_id: int
    compute_capability: int
    sm_count: int
    num_threads: int
    workspace_size: int
    name: str

class marlin_weights:
    layout: int
    type: int
    scale_type: int
    zero_type: int
    device: int
    device_id: int
    flags: int
    k: int
    n: int
    group_size: int
    k_packed: int
    data: int
    data_size: int
    perm: int
    column_scales: int

class marlin_pack_desc:
    source: int
    src_type: int
    src_order: int
    src_scale_type: int
    src_zero_type: int
    type: int
    zero_type: int
    scale_type: int
    layout: int
    scale_method: int
    sparsity: int
    flags: int
    k: int
    n: int
    ld_src: int
    group_size: int

class marlin_pack_input:
    memory: int
    src: int
    src_size: int
    scales: int
    scales_size: int
    zeros: int
    zeros_size: int
    g_idx: int
    g_idx_size: int
    importance: int
    importance_size: int
    column_scales: int
    column_scales_size: int

class marlin_unpack_desc:
    dst_type: int
    dst_order: int
    ld_dst: int
    dst: int
    dst_size: int
    scales: int
    scales_size: int
    zeros: int
    zeros_size: int

class marlin_gemm_desc:
    a_type: int
    c_type: int
    bias_type: int
    m: int
    lda: int
    ldc: int
    bias: int
    a_scales: int
    mask: int

class marlin_gemm_info:
    tile_m: int
    tile_n: int
    tile_k: int
    stages: int
    blocks: int
    workspace_size: int
    kernel_number: int
    slow: int
    kernel: str
    why: str

def marlin_handle_create(desc: marlin_handle_desc | None) -> tuple[int, int]: ...
def marlin_handle_destroy(handle: int) -> None: ...
def marlin_handle_get_info(handle: int, info: marlin_handle_info) -> int: ...
def marlin_handle_set_stream(handle: int, stream: int) -> int: ...
def marlin_handle_get_stream(handle: int) -> tuple[int, int]: ...
def marlin_handle_set_workspace(handle: int, workspace: int, size: int) -> int: ...
def marlin_handle_set_option(handle: int, option: int, value: int) -> int: ...
def marlin_handle_get_option(handle: int, option: int) -> tuple[int, int]: ...
def marlin_weights_attach(handle: int, packed: int, packed_size: int, weights: marlin_weights) -> int: ...
def marlin_pack_size(handle: int, desc: marlin_pack_desc) -> tuple[int, int]: ...
def marlin_pack(
    handle: int,
    desc: marlin_pack_desc,
    input: marlin_pack_input,
    packed: int,
    packed_size: int,
    weights: marlin_weights,
) -> int: ...
def marlin_unpack(handle: int, weights: marlin_weights, desc: marlin_unpack_desc) -> int: ...
def marlin_gemm_query(handle: int, desc: marlin_gemm_desc, b: marlin_weights, info: marlin_gemm_info) -> int: ...
def marlin_gemm(handle: int, desc: marlin_gemm_desc, a: int, b: marlin_weights, c: int) -> int: ...
def marlin_sp_gemm(handle: int, desc: marlin_gemm_desc, a: int, b: marlin_weights, c: int) -> int: ...
def marlin_status_name(status: int) -> str: ...
def marlin_status_string(status: int) -> str: ...
def marlin_version() -> int: ...
def marlin_build_info() -> str: ...
def describe_buffer(object: Any) -> tuple[Any, ...] | None: ...
def describe_dlpack(capsule: object) -> tuple[Any, ...]: ...
def set_log(receiver: Callable[[int, str], object] | None, level: int) -> None: ...
def last_error(handle: int) -> str: ...
def weights_address(weights: marlin_weights) -> int: ...
