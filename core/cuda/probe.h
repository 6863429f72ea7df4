// The kernel that shows which of this library's code a device executes.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "common/host_device.h"

namespace marlin::cuda {

inline constexpr int32_t kProbeWords = 256;

// The word that thread `index` writes: the caller can tell it from memory that nobody wrote.
MARLIN_HD constexpr uint32_t probe_word(uint32_t seed, uint32_t index) {
    return (seed ^ index) * 2654435761u + index;
}

// Enqueues one block that writes kProbeWords words, then its architecture (90) and 1 where it is the `a` variant.
cudaError_t launch_probe(uint32_t *words, uint32_t seed, cudaStream_t stream);

} // namespace marlin::cuda
