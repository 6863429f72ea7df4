// What the choices of dense and 2:4 kernels share: which instances can run a problem, and a slab's grid.
#pragma once

#include "cuda/heuristics.h"

namespace marlin::cuda {

inline constexpr int64_t kRowGroup = 16; // features of a row group
inline constexpr int64_t kMaxGridY = 65535;

// Whether an instance can run the problem on such a device, be it the best or not.
bool fits(const Instance &instance, const Problem &problem, const Limits &limits);

// The instance that MARLIN_OPTION_KERNEL names. NotSupported where there is none or it does not fit.
const Instance &forced(const Problem &problem, const Limits &limits, const Wishes &wishes,
                       std::span<const Instance *const> instances);

// A slab for every SM, as even as whole row groups allow; without a cost.
Launch slabs(const Instance &instance, const Problem &problem, const Geometry &geometry, const Limits &limits);

} // namespace marlin::cuda
