// Which arrays of a request say, scanned as a whole, whether a source of codes can be packed.
#pragma once

#include <vector>

#include "cuda/pack/scan.h"
#include "pack/plan.h"

namespace marlin::cuda {

// An array of the request that can be scanned for what cannot be packed.
struct ScannedArray {
    const std::byte *data;
    int64_t size;
    ScanLimit limit;
};

// None where it takes more than scans to say.
std::vector<ScannedArray> scanned_arrays(const PackRequest &request, const PackPlan &plan);

} // namespace marlin::cuda
