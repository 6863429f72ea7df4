"""The enumerations of the C interface, with the numbers that the loaded library was compiled with."""

from __future__ import annotations

from enum import IntEnum

from . import native


class Status(IntEnum):
    """What happened, and who must act."""

    SUCCESS = native.MARLIN_SUCCESS
    INVALID_ARGUMENT = native.MARLIN_INVALID_ARGUMENT
    NOT_SUPPORTED = native.MARLIN_NOT_SUPPORTED
    OUT_OF_MEMORY = native.MARLIN_OUT_OF_MEMORY
    WORKSPACE_TOO_SMALL = native.MARLIN_WORKSPACE_TOO_SMALL
    BAD_PACKED_DATA = native.MARLIN_BAD_PACKED_DATA
    NOT_SPARSE = native.MARLIN_NOT_SPARSE
    DEVICE_ERROR = native.MARLIN_DEVICE_ERROR
    INTERNAL_ERROR = native.MARLIN_INTERNAL_ERROR


class Device(IntEnum):
    """Where a handle works."""

    DEFAULT = native.MARLIN_DEVICE_DEFAULT
    CUDA = native.MARLIN_DEVICE_CUDA
    CPU = native.MARLIN_DEVICE_CPU


class Type(IntEnum):
    """Element types; BF16 stands in uint16 arrays where an array library has no type for it."""

    NONE = native.MARLIN_TYPE_NONE
    F16 = native.MARLIN_TYPE_F16
    BF16 = native.MARLIN_TYPE_BF16
    F32 = native.MARLIN_TYPE_F32
    S4 = native.MARLIN_TYPE_S4
    U4 = native.MARLIN_TYPE_U4
    S8 = native.MARLIN_TYPE_S8
    F8E4M3 = native.MARLIN_TYPE_F8E4M3
    S3 = native.MARLIN_TYPE_S3
    U3 = native.MARLIN_TYPE_U3
    U8 = native.MARLIN_TYPE_U8


class Layout(IntEnum):
    """How packed bytes are arranged; drafts are not read by later versions."""

    DEFAULT = native.MARLIN_LAYOUT_DEFAULT
    DENSE = native.MARLIN_LAYOUT_DENSE
    SPARSE24_DRAFT = native.MARLIN_LAYOUT_SPARSE24_DRAFT
    CPU_DRAFT = native.MARLIN_LAYOUT_CPU_DRAFT
    CPU_SPARSE24_DRAFT = native.MARLIN_LAYOUT_CPU_SPARSE24_DRAFT


class Source(IntEnum):
    """How the source of a pack is arranged."""

    PLAIN = native.MARLIN_SOURCE_PLAIN
    GPTQ_V1 = native.MARLIN_SOURCE_GPTQ_V1
    GPTQ_V2 = native.MARLIN_SOURCE_GPTQ_V2
    AWQ = native.MARLIN_SOURCE_AWQ
    COMPRESSED_TENSORS = native.MARLIN_SOURCE_COMPRESSED_TENSORS
    MARLIN = native.MARLIN_SOURCE_MARLIN
    MARLIN_24 = native.MARLIN_SOURCE_MARLIN_24


class Order(IntEnum):
    """Which feature a row of a plain matrix belongs to: KXN input, NXK output (torch.nn.Linear, GGUF)."""

    KXN = native.MARLIN_ORDER_KXN
    NXK = native.MARLIN_ORDER_NXK


class ScaleMethod(IntEnum):
    """How scales are chosen when values are rounded to codes."""

    MIN_MAX = native.MARLIN_SCALE_MIN_MAX
    LEAST_SQUARES = native.MARLIN_SCALE_LEAST_SQUARES


class Sparsity(IntEnum):
    """Dense, already two of four, or keep the two largest of four."""

    DENSE = native.MARLIN_SPARSITY_DENSE
    ALREADY_24 = native.MARLIN_SPARSITY_ALREADY_24
    SELECT_24 = native.MARLIN_SPARSITY_SELECT_24


class Math(IntEnum):
    """What a result's bits may depend on."""

    DEFAULT = native.MARLIN_MATH_DEFAULT
    BATCH_INVARIANT = native.MARLIN_MATH_BATCH_INVARIANT


class CpuIsa(IntEnum):
    """The highest CPU instruction set to use."""

    BEST = native.MARLIN_CPU_ISA_BEST
    REFERENCE = native.MARLIN_CPU_ISA_REFERENCE
    AVX2 = native.MARLIN_CPU_ISA_AVX2
    AVX512 = native.MARLIN_CPU_ISA_AVX512
    AVX512_BF16 = native.MARLIN_CPU_ISA_AVX512_BF16


class LogLevel(IntEnum):
    """What the log receives; each level adds to the one before."""

    OFF = native.MARLIN_LOG_OFF
    ERROR = native.MARLIN_LOG_ERROR
    WARNING = native.MARLIN_LOG_WARNING
    CALLS = native.MARLIN_LOG_CALLS
