// Which kernel a 2:4 problem gets on a GPU, and how it is cut up: a pure function, tested without a GPU.
#pragma once

#include <cstdint>
#include <span>

#include "cuda/heuristics.h"

namespace marlin::cuda {

// As choose(), for problems with 2:4 weights.
Launch choose_sparse(const Problem &problem, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
                     std::span<const Instance *const> instances);

} // namespace marlin::cuda
