// Tensor maps through the driver's entry point: the library itself links no driver.
#include "cuda/tensor_map.h"

#include <bit>

#include <cuda.h>
#include <cuda_runtime_api.h>

#include "common/error.h"
#include "cuda/check.h"

namespace marlin::cuda {
namespace {

static_assert(sizeof(TensorMap) == sizeof(CUtensorMap) && alignof(TensorMap) >= alignof(CUtensorMap));

using Encode = decltype(&cuTensorMapEncodeTiled);

Encode find_encode() {
    void *entry = nullptr;
    cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
    constexpr unsigned since = 12000; // CUDA 12.0
    check(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &entry, since, cudaEnableDefault, &found),
          "cuTensorMapEncodeTiled");
    if (found != cudaDriverEntryPointSuccess)
        fail(Status::DeviceError, "the CUDA driver has no cuTensorMapEncodeTiled, expected one of CUDA 12.0 or later");
    return reinterpret_cast<Encode>(entry);
}

} // namespace

TensorMap box_map(const Matrix &matrix, int32_t rows) {
    static const Encode encode = find_encode();
    const cuuint64_t sizes[] = {static_cast<cuuint64_t>(matrix.columns), static_cast<cuuint64_t>(matrix.rows)};
    const cuuint64_t steps[] = {static_cast<cuuint64_t>(matrix.row_step) * 2};
    const cuuint32_t box[] = {64, static_cast<cuuint32_t>(rows)};
    const cuuint32_t every[] = {1, 1};
    CUtensorMap map;
    const auto try_encode = [&] {
        // The type only says how wide elements are: bits are copied, and zeros are zeros in BF16 too.
        return encode(&map, CU_TENSOR_MAP_DATA_TYPE_FLOAT16, 2, const_cast<void *>(matrix.data), sizes, steps, box,
                      every, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                      CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    };
    CUresult result = try_encode();
    if (result == CUDA_ERROR_INVALID_CONTEXT || result == CUDA_ERROR_NOT_INITIALIZED) {
        // The driver wants a current context, which a thread that has not called the runtime yet does not have.
        int device = 0;
        check(cudaGetDevice(&device), "cudaGetDevice");
        check(cudaSetDevice(device), "cudaSetDevice");
        result = try_encode();
    }
    if (result != CUDA_SUCCESS)
        fail(Status::DeviceError, "cuTensorMapEncodeTiled failed with CUresult {} for {} x {} elements, rows {} apart",
             static_cast<int>(result), matrix.rows, matrix.columns, matrix.row_step);
    return std::bit_cast<TensorMap>(map);
}

} // namespace marlin::cuda
