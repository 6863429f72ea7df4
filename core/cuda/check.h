// The check around every CUDA call: a failure becomes marlin::Error with CUDA's own text.
#pragma once

#include <cuda_runtime_api.h>

#include "common/error.h"

namespace marlin::cuda {

// `call` names what was being done: check(cudaMemcpyAsync(...), "cudaMemcpyAsync").
inline void check(cudaError_t error, const char *call) {
    if (error == cudaSuccess)
        return;
    // The runtime remembers the last error of the thread: the caller's own checks must not find ours.
    static_cast<void>(cudaGetLastError());
    const Status status = error == cudaErrorMemoryAllocation ? Status::OutOfMemory : Status::DeviceError;
    fail(status, "{} failed: {} ({})", call, cudaGetErrorString(error), cudaGetErrorName(error));
}

} // namespace marlin::cuda
