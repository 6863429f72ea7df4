// Part of marlin.hpp: the enumerators of marlin.h under C++ names; marlin.h explains each.
#ifndef MARLIN_HPP_NAMES_HPP
#define MARLIN_HPP_NAMES_HPP

#include <cstdint>

#include <marlin/marlin.h>

namespace marlin {

enum class Status : int32_t {
    Success = MARLIN_SUCCESS,
    InvalidArgument = MARLIN_INVALID_ARGUMENT,
    NotSupported = MARLIN_NOT_SUPPORTED,
    OutOfMemory = MARLIN_OUT_OF_MEMORY,
    WorkspaceTooSmall = MARLIN_WORKSPACE_TOO_SMALL,
    BadPackedData = MARLIN_BAD_PACKED_DATA,
    NotSparse = MARLIN_NOT_SPARSE,
    DeviceError = MARLIN_DEVICE_ERROR,
    InternalError = MARLIN_INTERNAL_ERROR,
};
enum class Device : int32_t { Default = MARLIN_DEVICE_DEFAULT, Cuda = MARLIN_DEVICE_CUDA, Cpu = MARLIN_DEVICE_CPU };
enum class Option : int32_t {
    Math = MARLIN_OPTION_MATH,
    SmCount = MARLIN_OPTION_SM_COUNT,
    NumThreads = MARLIN_OPTION_NUM_THREADS,
    CpuIsa = MARLIN_OPTION_CPU_ISA,
    Kernel = MARLIN_OPTION_KERNEL,
    DependentLaunch = MARLIN_OPTION_DEPENDENT_LAUNCH,
};
enum class Math : int32_t { Default = MARLIN_MATH_DEFAULT, BatchInvariant = MARLIN_MATH_BATCH_INVARIANT };
enum class CpuIsa : int32_t {
    Best = MARLIN_CPU_ISA_BEST,
    Reference = MARLIN_CPU_ISA_REFERENCE,
    Avx2 = MARLIN_CPU_ISA_AVX2,
    Avx512 = MARLIN_CPU_ISA_AVX512,
    Avx512Bf16 = MARLIN_CPU_ISA_AVX512_BF16,
};
enum class Type : int32_t {
    None = MARLIN_TYPE_NONE,
    F16 = MARLIN_TYPE_F16,
    BF16 = MARLIN_TYPE_BF16,
    F32 = MARLIN_TYPE_F32,
    S4 = MARLIN_TYPE_S4,
    U4 = MARLIN_TYPE_U4,
    S8 = MARLIN_TYPE_S8,
    F8E4M3 = MARLIN_TYPE_F8E4M3,
    S3 = MARLIN_TYPE_S3,
    U3 = MARLIN_TYPE_U3,
    U8 = MARLIN_TYPE_U8,
};
enum class Layout : int32_t {
    Default = MARLIN_LAYOUT_DEFAULT,
    Dense = MARLIN_LAYOUT_DENSE,
    Sparse24Draft = MARLIN_LAYOUT_SPARSE24_DRAFT,
    CpuDraft = MARLIN_LAYOUT_CPU_DRAFT,
    CpuSparse24Draft = MARLIN_LAYOUT_CPU_SPARSE24_DRAFT,
};
enum class Source : int32_t {
    Plain = MARLIN_SOURCE_PLAIN,
    GptqV1 = MARLIN_SOURCE_GPTQ_V1,
    GptqV2 = MARLIN_SOURCE_GPTQ_V2,
    Awq = MARLIN_SOURCE_AWQ,
    CompressedTensors = MARLIN_SOURCE_COMPRESSED_TENSORS,
    Marlin = MARLIN_SOURCE_MARLIN,
    Marlin24 = MARLIN_SOURCE_MARLIN_24,
};
enum class Order : int32_t { KxN = MARLIN_ORDER_KXN, NxK = MARLIN_ORDER_NXK };
enum class ScaleMethod : int32_t { MinMax = MARLIN_SCALE_MIN_MAX, LeastSquares = MARLIN_SCALE_LEAST_SQUARES };
enum class Sparsity : int32_t {
    Dense = MARLIN_SPARSITY_DENSE,
    Already24 = MARLIN_SPARSITY_ALREADY_24,
    Select24 = MARLIN_SPARSITY_SELECT_24,
};
enum class LogLevel : int32_t {
    Off = MARLIN_LOG_OFF,
    Error = MARLIN_LOG_ERROR,
    Warning = MARLIN_LOG_WARNING,
    Calls = MARLIN_LOG_CALLS,
};
inline constexpr std::int64_t group_per_column = MARLIN_GROUP_PER_COLUMN;

} // namespace marlin

#endif // MARLIN_HPP_NAMES_HPP
