// Small kernels of the benchmark: random values, a spin that raises the clocks, reading these, a search for values that
// are none.
#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "common/types.h"

namespace marlin::bench {

// The counter of an SM's clocks, and the time, read one after the other.
struct SmClock {
    uint64_t clocks;
    uint64_t nanoseconds;
};
inline constexpr int kMostSms = 1024;

// Each enqueues and returns what CUDA said of the launch.

// Normally distributed values times `scale`, of type F16, BF16 or F32.
cudaError_t fill_normal(void *to, int64_t count, Type type, float scale, uint64_t seed, cudaStream_t stream);

// Keeps every SM busy for so many milliseconds.
cudaError_t spin(int milliseconds, int sm_count, cudaStream_t stream);

// Reads the clock of each SM, to its place by number among kMostSms in device memory.
cudaError_t read_clocks(SmClock *of_sm, int sm_count, cudaStream_t stream);

// Adds the number of NaNs in a matrix to *count, a word in device memory.
cudaError_t count_nans(const void *matrix, Type type, int64_t rows, int64_t columns, int64_t stride, unsigned *count,
                       cudaStream_t stream);

} // namespace marlin::bench
