// How a problem is cut into the tiles and stripes of one kernel, and how long a model says that takes.
#pragma once

#include "cuda/heuristics.h"

namespace marlin::cuda {

// What the models share: microseconds, on the SMs of an H200.
inline constexpr double kModelSms = 132.0;
inline constexpr double kModelLaunch = 2.0; // a kernel that does nothing much

// The best launch of an instance of Family::Stripe or SparseStripe; its cost is in Launch::cost. Null instance where it
// cannot take the problem.
Launch best_stripes(const Instance &instance, const Problem &problem, const Geometry &geometry, const Limits &limits,
                    bool whole_tiles = false);

} // namespace marlin::cuda
