// What the choices of dense and 2:4 kernels share: what an instance takes, which can run a problem, and a slab's grid.
#pragma once

#include "cuda/heuristics.h"

namespace marlin::cuda {

inline constexpr int64_t kRowGroup = 16; // features of a row group
inline constexpr int64_t kMaxGridY = 65535;

inline bool is_sparse(const Instance &instance) {
    return instance.family == Family::SparseSlab || instance.family == Family::SparseStripe;
}

// Logical rows of k of a block; it stores 64 either way.
inline int32_t block_rows(const Instance &instance) {
    return is_sparse(instance) ? 128 : 64;
}

// CTAs, or clusters of those that stand beside each other, that a device holds at once.
inline int64_t held_at_once(const Instance &instance, const Limits &limits) {
    return int64_t{limits.sm_count} * instance.ctas_per_sm / instance.beside;
}

// Whether the library has an instance's code for devices of that compute capability (90 for 9.0): Hopper's own kernels
// run there alone.
inline bool has_code(const Instance &instance, int32_t compute_capability) {
    if (instance.family == Family::Wgmma)
        return compute_capability == 90;
    return compute_capability >= instance.capability;
}

// Whether an instance can run the problem on such a device, be it the best or not.
bool fits(const Instance &instance, const Problem &problem, const Limits &limits);

// The instance that MARLIN_OPTION_KERNEL names. NotSupported where there is none or it does not fit.
const Instance &forced(const Problem &problem, const Limits &limits, const Wishes &wishes,
                       std::span<const Instance *const> instances);

// A slab for every SM, as even as whole row groups allow; without a cost.
Launch slabs(const Instance &instance, const Problem &problem, const Geometry &geometry, const Limits &limits);

} // namespace marlin::cuda
