// The read ceiling: kernels that do nothing but read bytes of device memory.
#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>
#include <string>
#include <vector>

namespace marlin::bench {

struct ReadKernel {
    std::string name; // with the sizes: unroll or chunk, threads, per_sm
    bool bulk;        // bulk copies into a ring in shared memory (sm_90), else 16-byte loads
    int unroll;       // loads: in flight for each thread
    int threads;      // loads: a block
    int per_sm;       // blocks an SM; loads, 0: as many blocks as the bytes need
    int chunk;        // bulk: bytes a copy
    int ring;         // bulk: bytes of shared memory a block
};

// Those that this device runs.
std::vector<ReadKernel> read_kernels(int compute_capability);

// Enqueues a read of size / 16 * 16 bytes. `sink`: a word in device memory that makes the loads count.
cudaError_t launch_read(const ReadKernel &kernel, const void *bytes, int64_t size, int sm_count, unsigned *sink,
                        cudaStream_t stream);

} // namespace marlin::bench
