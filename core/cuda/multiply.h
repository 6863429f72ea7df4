// Multiplies on a GPU: from a problem and its operands to launches on a stream.
#pragma once

#include <cstdint>

#include "backend.h"
#include "cuda/device.h"
#include "cuda/heuristics.h"
#include "cuda/launch_cache.h"

namespace marlin::cuda {

// Loads every kernel that the current device has code for and lets it use its shared memory, so that the first
// captured call works. Part of creating a handle.
void prepare_kernels(const DeviceInfo &device);

struct MultiplyContext {
    Limits limits;
    Wishes wishes;
    LaunchCache *launches = nullptr; // of these limits and wishes, for run_multiply
    void *stream = nullptr;
    void *workspace = nullptr; // its counters are zero between calls
    int64_t workspace_size = 0;
    bool early_launches = false;   // the device lets a kernel begin before the one ahead of it in the stream has ended
    bool dependent_launch = false; // and the caller wants that
};

KernelPlan plan_multiply(const Problem &problem, const WeightsView &weights, const MultiplyContext &context);

// Enqueues the multiply: neither allocates nor synchronises.
void run_multiply(const Problem &problem, const GemmOperands &operands, const WeightsView &weights,
                  const MultiplyContext &context);

} // namespace marlin::cuda
