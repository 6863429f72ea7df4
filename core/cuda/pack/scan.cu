// The kernel that looks through whole arrays for what cannot be packed.
#include "cuda/pack/scan.h"

#include <algorithm>

#include "cuda/pack/launch.h"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kBatch = 4;
constexpr int64_t kMaxBlocks = 4096;

template <Scanned what>
__global__ void __launch_bounds__(kThreads)
    scan(const std::byte *array, int64_t vectors, ScanLimit limit, uint64_t *failed_column) {
    const int64_t step = static_cast<int64_t>(gridDim.x) * kThreads;
    uint32_t largest = 0;
    for (int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; first < vectors;
         first += kBatch * step) {
        Vector batch[kBatch];
#pragma unroll
        for (int i = 0; i < kBatch; ++i) {
            batch[i] = {};
            if (first + i * step < vectors)
                batch[i] = load_vector(array + (first + i * step) * 16);
        }
#pragma unroll
        for (int i = 0; i < kBatch; ++i)
            if (first + i * step < vectors)
                largest = scan_vector<what>(batch[i], limit.bias, largest);
    }
    if (largest >= limit.limit)
        lower_to(failed_column, kSomeColumn);
}

} // namespace

cudaError_t launch_scan(const std::byte *array, int64_t size, const ScanLimit &limit, uint64_t *failed_column,
                        cudaStream_t stream) {
    const int64_t vectors = size / 16;
    const auto blocks = static_cast<unsigned>(std::min(div_up(vectors, kBatch * kThreads), kMaxBlocks));
    auto *const kernel = limit.what == Scanned::Halves   ? scan<Scanned::Halves>
                         : limit.what == Scanned::Floats ? scan<Scanned::Floats>
                                                         : scan<Scanned::Codes>;
    kernel<<<blocks, kThreads, 0, stream>>>(array, vectors, limit, failed_column);
    return cudaGetLastError();
}

} // namespace marlin::cuda
