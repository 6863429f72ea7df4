// Compile-time comparison of the C interface with core's enumerators, with struct sizes, and with the project version.
#include <cstddef>

#include "backend.h"
#include "build_info.h"
#include "common/error.h"
#include "layout/layout.h"
#include "marlin/marlin.h"

namespace marlin {
namespace {

template <typename Ours, typename Theirs>
constexpr bool same(Ours ours, Theirs theirs) {
    return static_cast<int64_t>(ours) == static_cast<int64_t>(theirs);
}

// marlin.h and CMakeLists.txt name the same version.
static_assert(MARLIN_VERSION_MAJOR == MARLIN_BUILD_VERSION_MAJOR);
static_assert(MARLIN_VERSION_MINOR == MARLIN_BUILD_VERSION_MINOR);
static_assert(MARLIN_VERSION_PATCH == MARLIN_BUILD_VERSION_PATCH);

static_assert(same(Status::InvalidArgument, MARLIN_INVALID_ARGUMENT));
static_assert(same(Status::NotSupported, MARLIN_NOT_SUPPORTED));
static_assert(same(Status::OutOfMemory, MARLIN_OUT_OF_MEMORY));
static_assert(same(Status::WorkspaceTooSmall, MARLIN_WORKSPACE_TOO_SMALL));
static_assert(same(Status::BadPackedData, MARLIN_BAD_PACKED_DATA));
static_assert(same(Status::NotSparse, MARLIN_NOT_SPARSE));
static_assert(same(Status::DeviceError, MARLIN_DEVICE_ERROR));
static_assert(same(Status::InternalError, MARLIN_INTERNAL_ERROR));

static_assert(same(Type::None, MARLIN_TYPE_NONE) && same(Type::F16, MARLIN_TYPE_F16));
static_assert(same(Type::BF16, MARLIN_TYPE_BF16) && same(Type::F32, MARLIN_TYPE_F32));
static_assert(same(Type::S4, MARLIN_TYPE_S4) && same(Type::U4, MARLIN_TYPE_U4));
static_assert(same(Type::S8, MARLIN_TYPE_S8) && same(Type::F8E4M3, MARLIN_TYPE_F8E4M3));
static_assert(same(Type::S3, MARLIN_TYPE_S3) && same(Type::U3, MARLIN_TYPE_U3) && same(Type::U8, MARLIN_TYPE_U8));
static_assert(kTypeCount == MARLIN_TYPE_U8 + 1);

static_assert(same(Layout::Dense, MARLIN_LAYOUT_DENSE));
static_assert(same(Layout::Sparse24Draft, MARLIN_LAYOUT_SPARSE24_DRAFT));
static_assert(same(Layout::CpuDraft, MARLIN_LAYOUT_CPU_DRAFT));
static_assert(same(Layout::CpuSparse24Draft, MARLIN_LAYOUT_CPU_SPARSE24_DRAFT));
static_assert(kGroupPerColumn == MARLIN_GROUP_PER_COLUMN);

static_assert(same(Source::Plain, MARLIN_SOURCE_PLAIN) && same(Source::GptqV1, MARLIN_SOURCE_GPTQ_V1));
static_assert(same(Source::GptqV2, MARLIN_SOURCE_GPTQ_V2) && same(Source::Awq, MARLIN_SOURCE_AWQ));
static_assert(same(Source::CompressedTensors, MARLIN_SOURCE_COMPRESSED_TENSORS));
static_assert(same(Source::Marlin, MARLIN_SOURCE_MARLIN) && same(Source::Marlin24, MARLIN_SOURCE_MARLIN_24));
static_assert(same(Order::KxN, MARLIN_ORDER_KXN) && same(Order::NxK, MARLIN_ORDER_NXK));
static_assert(same(ScaleMethod::MinMax, MARLIN_SCALE_MIN_MAX));
static_assert(same(ScaleMethod::LeastSquares, MARLIN_SCALE_LEAST_SQUARES));
static_assert(same(Sparsity::Dense, MARLIN_SPARSITY_DENSE) && same(Sparsity::Already24, MARLIN_SPARSITY_ALREADY_24));
static_assert(same(Sparsity::Select24, MARLIN_SPARSITY_SELECT_24));

static_assert(same(DeviceKind::Default, MARLIN_DEVICE_DEFAULT) && same(DeviceKind::Cuda, MARLIN_DEVICE_CUDA));
static_assert(same(DeviceKind::Cpu, MARLIN_DEVICE_CPU));
static_assert(same(Option::Math, MARLIN_OPTION_MATH) && same(Option::SmCount, MARLIN_OPTION_SM_COUNT));
static_assert(same(Option::NumThreads, MARLIN_OPTION_NUM_THREADS) && same(Option::CpuIsa, MARLIN_OPTION_CPU_ISA));
static_assert(same(Option::Kernel, MARLIN_OPTION_KERNEL));
static_assert(same(Option::DependentLaunch, MARLIN_OPTION_DEPENDENT_LAUNCH));
static_assert(same(Math::BatchInvariant, MARLIN_MATH_BATCH_INVARIANT));

// Sizes and a late offset of every struct: what a program compiled against an older header relies on.
static_assert(sizeof(marlin_handle_desc) == 40 && offsetof(marlin_handle_desc, workspace_size) == 32);
static_assert(sizeof(marlin_handle_info) == 128 && offsetof(marlin_handle_info, name) == 32);
static_assert(sizeof(marlin_weights) == 160 && offsetof(marlin_weights, column_scales) == 88);
static_assert(sizeof(marlin_pack_desc) == 136 && offsetof(marlin_pack_desc, group_size) == 80);
static_assert(sizeof(marlin_pack_input) == 136 && offsetof(marlin_pack_input, column_scales_size) == 96);
static_assert(sizeof(marlin_unpack_desc) == 104 && offsetof(marlin_unpack_desc, zeros_size) == 64);
static_assert(sizeof(marlin_gemm_desc) == 112 && offsetof(marlin_gemm_desc, mask) == 56);
static_assert(sizeof(marlin_gemm_info) == 264 && offsetof(marlin_gemm_info, why) == 104);

} // namespace
} // namespace marlin
