// Which kernel a problem gets on a GPU, and how it is cut up: a pure function, tested without a GPU.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "backend.h"
#include "cuda/kernel/instance.h"
#include "layout/geometry.h"

namespace marlin::cuda {

// What of the device the choice depends on.
struct Limits {
    int32_t sm_count = 0;
    int64_t shared_memory_per_block = 0;
    int32_t compute_capability = 80; // 90 for 9.0
};

struct Wishes {
    Math math = Math::Default;
    int64_t kernel = 0; // MARLIN_OPTION_KERNEL
};

struct Launch {
    const Instance *instance = nullptr;
    int64_t grid[2] = {1, 1};
    int32_t groups_per_cta = 0; // slabs: row groups
    Partition partition;        // stripes
    int32_t sharers = 1;        // CTAs of a cluster that share every tile
    int64_t partials_size = 0;  // bytes of FP32 sums that stripes leave in the workspace
    double cost = 0.0;          // microseconds on an H200, by the model of heuristics.cpp
};

// Counters of arrived CTAs at the start of every workspace: more tiles than are ever striped.
inline constexpr int64_t kArrivals = 4096;
inline constexpr int64_t kArrivalsSize = kArrivals * 4;
// What the default workspace holds, and what a multiply may use of it.
inline constexpr int64_t kDefaultWorkspace = int64_t{64} << 20;
// What stripes leave of it to a gather of A, at least. Longer problems go in chunks of rows.
inline constexpr int64_t kGatherSize = int64_t{24} << 20;

// NotSupported where no instance fits. problem.m >= 1; the grid is that of all its rows.
Launch choose(const Problem &problem, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
              std::span<const Instance *const> instances);

// Whether A must be copied before the kernels can read it, judged by the problem alone; the sentence says why.
std::string gather_reason(const Problem &problem);
// How A is gathered: so many rows at a time, which take so many bytes of the workspace. NotSupported where not even one
// row fits.
struct GatherPlan {
    int64_t rows = 0;
    int64_t size = 0;
};
GatherPlan plan_gather(const Problem &problem, const Geometry &geometry, const Limits &limits,
                       std::span<const Instance *const> instances);

// Workspace of the whole multiply, counters included.
int64_t workspace_size(const Problem &problem, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
                       std::span<const Instance *const> instances, bool gathers);

} // namespace marlin::cuda
